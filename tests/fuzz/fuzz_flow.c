/*
 * fuzz_flow.c - a file of frames: link type (one byte), then for each frame its length (two bytes) and bytes.
 * Promises: every connection that is counted is reported once; nobody is called encrypted without both
 * hellos; bytes stay within their bounds; cutting the packets short (a second run) never makes a connection
 * encrypted, and followed to its end, that was not.
 */
#include <pcap/dlt.h>

#include "base/mem.h"
#include "capture/flow.h"
#include "capture/shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    uint64_t conns, encrypted, followed;
};

static void take_conn(void *of, const struct conn *conn)
{
    struct tally *tally = of;
    const struct talk_facts *facts = &conn->facts;

    tally->conns++;
    if (conn->verdict >= VERDICTS || conn->reason >= REASONS)
        abort();
    if (conn->verdict == V_TLS && (!facts->client_hello || !facts->server_hello || facts->protocol
                                   || facts->behind))
        abort();
    if (facts->password && !facts->protocol && facts->behind != BEHIND_MESSAGES)
        abort();
    tally->encrypted += conn->verdict == V_TLS;
    tally->followed += conn->verdict == V_TLS && !facts->unfollowed;
    for (int i = 0; i < TALK_TEXTS; i++)
        if (conn->text[i] && strlen(conn->text[i]) > TALK_SAMPLE_MAX)
            abort();
}

static void take_packet(void *of, int link_type, const struct frame *frame)
{
    (void)of;
    (void)link_type;
    if (frame->bytes[0] == 1 && frame->bytes[1] == 2 && frame->bytes[2] == 3)   /* for the sanitizer */
        return;
}

static struct tally run(const uint8_t *data, size_t size, size_t snaplen)
{
    static const int types[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_RAW, DLT_PPP, DLT_C_HDLC,
                                 DLT_PPP_ETHER, DLT_IEEE802_11 };
    PS_AUTO(cert_shelf_freep) struct cert_shelf *shelf = cert_shelf_new();
    struct tally tally = { 0 };
    const struct flows_spec spec = { .want_samples = true, .shelf = shelf, .done = take_conn,
                                     .write = take_packet, .of = &tally };
    PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);
    int type = types[data[0] % PS_COUNT(types)];
    int64_t now = 1;

    for (size_t at = 1; at + 2 <= size; now += 1000) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];
        size_t have;

        at += 2;
        len = len > size - at ? size - at : len;
        have = len < snaplen ? len : snaplen;
        PS_AUTO(ps_freep) uint8_t *bytes = ps_memdup(data + at, have + 3);    /* its end is watched */
        struct frame frame = { .when_us = now, .bytes = bytes, .captured = have, .len = len };

        flows_packet(flows, type, &frame);
        at += len;
    }
    flows_end(flows);
    if (tally.conns != flows_counts(flows)->connections || flows_open(flows) != 0)
        abort();
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally whole, cut;

    if (size < 1)
        return 0;
    PS_AUTO(ps_freep) uint8_t *padded = ps_calloc(size + 3, 1);
    memcpy(padded, data, size);
    whole = run(padded, size, SIZE_MAX);
    cut = run(padded, size, 96);
    if (cut.followed > whole.encrypted)
        abort();
    return 0;
}

/*
 * fuzz_frag.c - fragments, five bytes each: which datagram and version (bit 7), place and length in units of 8,
 * what it is filled with (bit 7: not the last one), and bytes that are missing of it.
 * Promises: what becomes whole has at each place the one byte that was ever said for it, and no more than
 * was captured; nothing becomes whole of what contradicts itself; memory stays within its bound.
 */
#include <pcap/dlt.h>

#include "base/mem.h"
#include "capture/frag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS = 16, PLACES = 4096, HEAD_V4 = 20, HEAD_V6 = 48 };

struct truth {                  /* of one datagram */
    bool said[PLACES];
    uint8_t byte[PLACES];
    bool clash;
};

static size_t make(const uint8_t *in, bool v6, uint8_t *out, size_t *payload)
{
    size_t at = in[1], len = (size_t)(in[2] % 64 + 1) * 8, head = v6 ? HEAD_V6 : HEAD_V4;
    bool more = in[3] & 0x80;

    memset(out, 0, head);
    if (v6) {
        out[0] = 0x60;
        out[4] = (uint8_t)((len + 8) >> 8);
        out[5] = (uint8_t)(len + 8);
        out[6] = 44;
        out[40] = 6;
        out[42] = (uint8_t)(at >> 5);
        out[43] = (uint8_t)((at << 3) | more);
        out[47] = in[0] % IDS;
    } else {
        out[0] = 0x45;
        out[2] = (uint8_t)((len + head) >> 8);
        out[3] = (uint8_t)(len + head);
        out[5] = in[0] % IDS;
        out[6] = (uint8_t)((more ? 0x20 : 0) | at >> 8);
        out[7] = (uint8_t)at;
        out[9] = 6;
    }
    memset(out + head, in[3], len);
    *payload = at * 8;
    return head + len;
}

static void note(struct truth *truth, size_t at, const uint8_t *bytes, size_t len)
{
    for (size_t i = at; i < at + len && i < PLACES; i++) {
        truth->clash = truth->clash || (truth->said[i] && truth->byte[i] != bytes[i - at]);
        truth->said[i] = true;
        truth->byte[i] = bytes[i - at];
    }
}

static void check(const struct frame *whole, bool v6, const struct truth *truth)
{
    size_t head = v6 ? 40 : HEAD_V4;
    const uint8_t *payload = whole->bytes + head;

    if (truth->clash || whole->captured > whole->len || whole->captured < head)
        abort();
    for (size_t i = 0; i < whole->captured - head && i < PLACES; i++)
        if (!truth->said[i] || truth->byte[i] != payload[i])
            abort();
}

static void ignore(void *of, const struct packet *ends)
{
    (void)of;
    (void)ends;
}

static void feed(struct frags *frags, struct truth *truths, const uint8_t *in, int64_t now_us)
{
    uint8_t bytes[HEAD_V6 + 65 * 8];
    bool v6 = in[0] & 0x80;
    struct truth *truth = &truths[in[0] % IDS + (v6 ? IDS : 0)];
    size_t at, len = make(in, v6, bytes, &at), head = v6 ? HEAD_V6 : HEAD_V4;
    size_t missing = in[4] % (len - head + 1);
    PS_AUTO(ps_freep) uint8_t *exact = ps_memdup(bytes, len - missing);
    const struct frame frame = { .when_us = now_us, .bytes = exact, .captured = len - missing, .len = len };
    struct frame whole;

    if (at || in[3] & 0x80)     /* otherwise it is no fragment */
        note(truth, at, bytes + head, len - missing - head);
    if (frags_take(frags, DLT_RAW, &frame, &whole) && !now_us)
        check(&whole, v6, truth);
    if (frags_bytes(frags) > FRAGS_BYTES_MAX)
        abort();
}

/* With all at one time nothing is given up, and what is known of a datagram holds to the end. */
static void run(const uint8_t *data, size_t size, int64_t step_us)
{
    PS_AUTO(frags_freep) struct frags *frags = frags_new(ignore, NULL);
    PS_AUTO(ps_freep) struct truth *truths = ps_calloc((size_t)2 * IDS, sizeof(*truths));

    for (size_t i = 0; i + 5 <= size; i += 5)
        feed(frags, truths, data + i, (int64_t)i * step_us);
    frags_end(frags);
    if (frags_bytes(frags))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, 0);
    run(data, size, FRAG_COPIES_US);
    return 0;
}

/*
 * fuzz_tls.c - the second byte is the size of the pieces in which the rest is fed.  Promises: the pieces
 * change nothing of what is reported; spans lie within the bytes; what is kept has its bound.
 */
#include "base/mem.h"
#include "tls/hello.h"
#include "tls/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    struct tls_reader reader;
    uint64_t sum;           /* over everything that was reported, in its order */
};

static void add(struct tally *tally, uint64_t value)
{
    tally->sum = (tally->sum ^ value) * 0x100000001b3;
}

static void inside(struct span outer, struct span inner)
{
    if (inner.p && inner.len && (inner.p < outer.p || inner.p + inner.len > outer.p + outer.len))
        abort();
}

static void look(struct tally *tally, const struct tls_event *event)
{
    struct tls_client_hello client;
    struct tls_server_hello server;
    struct span certs[4];
    size_t count;
    uint16_t group;

    if (tls_client_hello_parse(event->body, &client)) {
        const struct span spans[] = { client.ciphers, client.versions, client.groups, client.alpn,
                                      client.server_name, client.key_shares, client.extensions };
        for (size_t i = 0; i < PS_COUNT(spans); i++)
            inside(event->body, spans[i]);
        add(tally, tls_client_hello_version(&client));
        add(tally, tls_alpn_has(client.alpn, "postgresql"));
    }
    if (tls_server_hello_parse(event->body, &server)) {
        inside(event->body, server.alpn);
        add(tally, server.version);
    }
    if (tls_certificates_parse(event->body, certs, PS_COUNT(certs), &count))
        for (size_t i = 0; i < count && i < PS_COUNT(certs); i++)
            inside(event->body, certs[i]);
    if (tls_key_exchange_group(event->body, &group))
        add(tally, group);
}

static void take(void *of, const struct tls_event *event)
{
    struct tally *tally = of;

    add(tally, event->kind);
    add(tally, (uint64_t)event->content << 16 | event->len);
    add(tally, (uint64_t)event->type << 16 | event->description);
    if (event->kind == TLS_EV_MESSAGE && event->whole)
        look(tally, event);
    if (event->kind == TLS_EV_RECORD && event->content == TLS_CT_CHANGE_CIPHER)
        tally->reader.encrypted = true;
    if (tally->reader.message.cap > 2 * TLS_MESSAGE_MAX)
        abort();
}

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
    struct tally tally = { 0 };

    for (size_t at = 0; at < size; at += piece)
        tls_reader_feed(&tally.reader, data + at, size - at < piece ? size - at : piece, take, &tally);
    tls_reader_gap(&tally.reader, size);
    tls_reader_feed(&tally.reader, data, size, take, &tally);
    tls_reader_free(&tally.reader);
    return tally.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_client_hello hello;
    size_t whole;

    if (size < 2)
        return 0;
    if (tls_sslv2_hello_parse(data + 2, size - 2, &whole, &hello) && whole > size - 2)
        abort();
    if (run(data + 2, size - 2, size) != run(data + 2, size - 2, (size_t)data[1] + 1))
        abort();
    return 0;
}

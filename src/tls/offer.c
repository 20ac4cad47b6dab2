/* offer.c - see offer.h. */
#include "tls/offer.h"

#include <openssl/rand.h>

#include "base/mem.h"

enum { RECORD_HANDSHAKE = 22, CLIENT_HELLO = 1 };

enum {
    EXT_SERVER_NAME = 0, EXT_GROUPS = 10, EXT_POINTS = 11, EXT_SIGNATURES = 13, EXT_ALPN = 16,
    EXT_ENCRYPT_THEN_MAC = 22, EXT_MASTER_SECRET = 23, EXT_TICKET = 35, EXT_VERSIONS = 43,
    EXT_PSK_MODES = 45, EXT_SHARES = 51, EXT_RENEGOTIATION = 0xff01
};

/* ---- numbers, and vectors whose length is known when they end ---- */

static void put16(struct buf *out, size_t value)
{
    buf_putc(out, (char)(value >> 8));
    buf_putc(out, (char)value);
}

static size_t begin(struct buf *out, int width)
{
    for (int i = 0; i < width; i++)
        buf_putc(out, 0);
    return out->len;
}

static void end(struct buf *out, size_t start, int width)
{
    size_t len = out->len - start;

    if (!out->over)
        for (int i = 1; i <= width; i++, len >>= 8)
            out->p[start - (size_t)i] = (char)len;
}

static void put_list(struct buf *out, const struct offer_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        put16(out, list->at[i]);
}

/* ---- extensions ---- */

static size_t begin_extension(struct buf *out, int type)
{
    put16(out, (size_t)type);
    return begin(out, 2);
}

static void put_empty(struct buf *out, int type)
{
    end(out, begin_extension(out, type), 2);
}

static void put_list_extension(struct buf *out, int type, const struct offer_list *list)
{
    if (!list->len)
        return;

    size_t extension = begin_extension(out, type);
    size_t vector = begin(out, 2);
    put_list(out, list);
    end(out, vector, 2);
    end(out, extension, 2);
}

static void put_server_name(struct buf *out, const char *host)
{
    if (!host)
        return;

    size_t extension = begin_extension(out, EXT_SERVER_NAME);
    size_t names = begin(out, 2);
    buf_putc(out, 0);                   /* host_name */
    size_t name = begin(out, 2);
    buf_puts(out, host);
    end(out, name, 2);
    end(out, names, 2);
    end(out, extension, 2);
}

static void put_alpn(struct buf *out)
{
    size_t extension = begin_extension(out, EXT_ALPN);
    size_t names = begin(out, 2);
    size_t name = begin(out, 1);

    buf_puts(out, "postgresql");
    end(out, name, 1);
    end(out, names, 2);
    end(out, extension, 2);
}

/* One byte and a list of one byte: point formats (uncompressed), and PSK modes (with (EC)DHE). */
static void put_byte_list(struct buf *out, int type, int byte)
{
    size_t extension = begin_extension(out, type);

    buf_putc(out, 1);
    buf_putc(out, (char)byte);
    end(out, extension, 2);
}

static void put_versions(struct buf *out, const struct offer_list *versions)
{
    if (!versions->len)
        return;

    size_t extension = begin_extension(out, EXT_VERSIONS);
    size_t vector = begin(out, 1);
    put_list(out, versions);
    end(out, vector, 1);
    end(out, extension, 2);
}

/* The base points: valid, known to all, and good enough for who never computes the secret. */
static const unsigned char p256_base[] = {
    0x04,
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};
static const unsigned char x25519_base[32] = { 9 };

static const struct {
    uint16_t group;
    const unsigned char *bytes;
    size_t len;
} shares[] = {
    { GROUP_X25519, x25519_base, sizeof(x25519_base) },
    { GROUP_P256, p256_base, sizeof(p256_base) },
};

static void put_shares(struct buf *out, const struct offer *offer)
{
    if (!offer->versions.len)
        return;

    size_t extension = begin_extension(out, EXT_SHARES);
    size_t vector = begin(out, 2);
    for (size_t i = 0; i < offer->shares.len; i++)
        for (size_t j = 0; j < PS_COUNT(shares); j++)
            if (shares[j].group == offer->shares.at[i]) {
                put16(out, shares[j].group);
                size_t share = begin(out, 2);
                buf_put(out, shares[j].bytes, shares[j].len);
                end(out, share, 2);
            }
    end(out, vector, 2);
    end(out, extension, 2);
}

static void put_renegotiation(struct buf *out)
{
    size_t extension = begin_extension(out, EXT_RENEGOTIATION);

    buf_putc(out, 0);
    end(out, extension, 2);
}

static void put_extensions(struct buf *out, const struct offer *offer)
{
    size_t all = begin(out, 2);

    put_server_name(out, offer->host);
    put_renegotiation(out);
    if (offer->groups.len)
        put_byte_list(out, EXT_POINTS, 0);
    put_list_extension(out, EXT_GROUPS, &offer->groups);
    put_list_extension(out, EXT_SIGNATURES, &offer->signatures);
    if (offer->alpn)
        put_alpn(out);
    if (offer->encrypt_then_mac)
        put_empty(out, EXT_ENCRYPT_THEN_MAC);
    if (offer->extended_master_secret)
        put_empty(out, EXT_MASTER_SECRET);
    if (offer->ticket)
        put_empty(out, EXT_TICKET);
    put_versions(out, &offer->versions);
    if (offer->versions.len)
        put_byte_list(out, EXT_PSK_MODES, 1);
    put_shares(out, offer);
    end(out, all, 2);
}

/* ---- the hello ---- */

static void put_body(struct buf *out, const struct offer *offer, const unsigned char random[64])
{
    put16(out, offer->version);
    buf_put(out, random, 32);
    /* a session id makes TLS 1.3 look like 1.2 to what stands between (RFC 8446 D.4) */
    size_t session = begin(out, 1);
    if (offer->versions.len)
        buf_put(out, random + 32, 32);
    end(out, session, 1);

    size_t suites = begin(out, 2);
    put_list(out, &offer->suites);
    end(out, suites, 2);

    buf_putc(out, offer->compression ? 2 : 1);
    if (offer->compression)
        buf_putc(out, 1);
    buf_putc(out, 0);
    if (!offer->bare)
        put_extensions(out, offer);
}

bool offer_put(const struct offer *offer, struct buf *out)
{
    PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
    unsigned char random[64];

    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    buf_putc(&record, RECORD_HANDSHAKE);
    /* the first record of a connection says at most TLS 1.0: old servers refuse what they do not know */
    put16(&record, offer->version == 0x0300 ? 0x0300 : 0x0301);
    size_t all = begin(&record, 2);
    buf_putc(&record, CLIENT_HELLO);
    size_t hello = begin(&record, 3);
    put_body(&record, offer, random);
    end(&record, hello, 3);
    end(&record, all, 2);
    return !record.over && buf_put(out, record.p, record.len);
}

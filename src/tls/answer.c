/* answer.c - see answer.h. */
#include "tls/answer.h"

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_MAX = 16384 + 2048 };
enum { HS_DONE = 14 };
enum { EXT_ENCRYPT_THEN_MAC = 22, EXT_MASTER_SECRET = 23, EXT_RENEGOTIATION = 0xff01 };
enum { CURVE_NAMED = 3 };
enum { LEVEL_WARNING = 1, ALERT_UNRECOGNIZED_NAME = 112 };

void answer_free(struct answer *answer)
{
    buf_free(&answer->bytes);
}

/* ---- records ---- */

/* RFC 6066 3: who does not know the name that is asked for may say so, and go on; no other alert comes before a hello. */
static bool goes_on(struct span alert)
{
    return alert.len == 2 && alert.p[0] == LEVEL_WARNING && alert.p[1] == ALERT_UNRECOGNIZED_NAME;
}

/*
 * Handshake messages out of their records, into out->bytes.  After an alert, or a record of another kind
 * (ChangeCipherSpec and encrypted ones of TLS 1.3), what follows is not for us.
 */
static enum answer_state gather(struct rd *in, struct answer *out, bool *last)
{
    uint8_t type;
    uint16_t version, size;
    struct span body;

    *last = false;
    while (rd_left(in) > 0) {
        if (rd_left(in) < 5 || !rd_u8(in, &type) || !rd_u16(in, &version) || !rd_u16(in, &size))
            return ANSWER_MORE;
        if (type < 20 || type > 24 || version >> 8 != 3 || size > RECORD_MAX)
            return ANSWER_BAD;
        if (type != RECORD_HANDSHAKE && type != RECORD_ALERT) {
            *last = true;
            return ANSWER_ALL;
        }
        if (!rd_bytes(in, size, &body))
            return ANSWER_MORE;
        if (type == RECORD_ALERT && goes_on(body))
            continue;
        if (type == RECORD_ALERT) {
            if (out->kind == ANSWER_NONE && body.len >= 2) {
                out->kind = ANSWER_ALERT;
                out->alert = body.p[1];
            }
            *last = true;
            return ANSWER_ALL;
        }
        if (!buf_put(&out->bytes, body.p, body.len))
            return ANSWER_BAD;
    }
    return ANSWER_MORE;
}

/* ---- messages ---- */

static uint16_t sentinel(struct span random)
{
    static const unsigned char mark[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };

    if (random.len != 32 || memcmp(random.p + 24, mark, sizeof(mark)) != 0)
        return 0;
    return random.p[31] == 1 ? TLS_1_3 : random.p[31] == 0 ? TLS_1_2 : 0;
}

static bool take_hello(struct span body, struct answer *out)
{
    struct tls_server_hello hello;
    struct span extension;
    uint16_t type;

    if (!tls_server_hello_parse(body, &hello))
        return false;
    out->kind = hello.retry ? ANSWER_RETRY : ANSWER_HELLO;
    out->version = hello.version;
    out->suite = hello.cipher;
    out->group = hello.group;
    out->compression = hello.compression != 0;
    out->session_id = hello.version < TLS_1_3 && hello.session_id.len > 0;
    out->alpn = hello.alpn.len > 0;
    out->downgraded_from = hello.version < TLS_1_3 ? sentinel(hello.random) : 0;

    struct rd extensions = rd_over(hello.extensions.p, hello.extensions.len);
    while (tls_extension_next(&extensions, &type, &extension)) {
        out->secure_renegotiation |= type == EXT_RENEGOTIATION;
        out->extended_master_secret |= type == EXT_MASTER_SECRET;
        out->encrypt_then_mac |= type == EXT_ENCRYPT_THEN_MAC;
        out->ticket |= type == TLS_EXT_TICKET;
    }
    return true;
}

static unsigned bits_of(struct span number)
{
    size_t skip = 0;

    while (skip < number.len && number.p[skip] == 0)
        skip++;
    if (skip == number.len)
        return 0;
    unsigned bits = (unsigned)(number.len - skip) * 8;
    for (unsigned char top = number.p[skip]; !(top & 0x80); top = (unsigned char)(top << 1))
        bits--;
    return bits;
}

/* Which of the two forms it has is said by the suite: elliptic ones begin with the type of the curve. */
static void take_key_exchange(struct span body, struct answer *out)
{
    const struct tls_suite *suite = tls_suite_find(out->suite);
    struct rd rd = rd_over(body.p, body.len);
    struct span p, g, key;
    uint8_t form;

    if (suite && strstr(suite->name, "_ECDH")) {
        if (!rd_u8(&rd, &form) || form != CURVE_NAMED || !rd_u16(&rd, &out->group)
            || !rd_vec8(&rd, 1, 255, &key))
            return;
    } else {
        if (!rd_vec16(&rd, 1, 65535, &p) || !rd_vec16(&rd, 1, 65535, &g)
            || !rd_vec16(&rd, 1, 65535, &key))
            return;
        out->dh_bits = bits_of(p);
    }
    if (out->version >= TLS_1_2 && !rd_u16(&rd, &out->scheme))
        out->scheme = 0;
}

static void take_request(struct span body, struct answer *out)
{
    struct rd rd = rd_over(body.p, body.len);
    struct span types, schemes, names;

    out->asks_certificate = true;
    if (rd_vec8(&rd, 0, 255, &types)
        && (out->version < TLS_1_2 || rd_vec16(&rd, 0, 65535, &schemes))
        && rd_vec16(&rd, 0, 65535, &names))
        out->authorities = names;
}

/* False: not what a server may say here. */
static bool take(uint8_t type, struct span body, struct answer *out)
{
    if (out->kind == ANSWER_NONE)
        return type == TLS_HS_SERVER_HELLO && take_hello(body, out);
    switch (type) {
    case TLS_HS_CERTIFICATE:
        if (!tls_certificates_parse(body, out->certs, ANSWER_CERTS_MAX, &out->certs_len))
            return false;
        if (out->certs_len > ANSWER_CERTS_MAX)
            out->certs_len = ANSWER_CERTS_MAX;
        return true;
    case TLS_HS_SERVER_KEY_EXCHANGE:
        take_key_exchange(body, out);
        return true;
    case TLS_HS_CERTIFICATE_REQUEST:
        take_request(body, out);
        return true;
    default:
        return true;
    }
}

enum answer_state answer_read(const void *bytes, size_t len, struct answer *out)
{
    struct rd in = rd_over(bytes, len);
    uint32_t size;
    uint8_t type;
    struct span body;
    bool last;

    buf_free(&out->bytes);
    *out = (struct answer){ .bytes = BUF(ANSWER_FLIGHT_MAX) };
    enum answer_state state = gather(&in, out, &last);
    if (state == ANSWER_BAD)
        return out->bytes.len ? ANSWER_ALL : ANSWER_BAD;

    struct rd messages = rd_over(out->bytes.p, out->bytes.len);
    while (rd_left(&messages) >= 4) {
        struct rd before = messages;

        rd_u8(&messages, &type);
        rd_u24(&messages, &size);
        if (!rd_bytes(&messages, size, &body)) {
            messages = before;
            break;
        }
        if (type == HS_DONE)
            out->complete = true;
        else if (!take(type, body, out))
            return out->kind == ANSWER_NONE ? ANSWER_BAD : ANSWER_ALL;
        if (out->kind == ANSWER_RETRY || (out->kind == ANSWER_HELLO && out->version >= TLS_1_3))
            out->complete = true;
        if (out->complete)
            return ANSWER_ALL;
    }
    return last ? ANSWER_ALL : state;
}

/* hello.c - see hello.h. */
#include "tls/hello.h"

bool tls_codes_have(struct span codes, uint16_t code)
{
    for (size_t i = 0; i < tls_codes_len(codes); i++)
        if (tls_code_at(codes, i) == code)
            return true;
    return false;
}

bool tls_extension_next(struct rd *rd, uint16_t *type, struct span *body)
{
    return rd_left(rd) > 0 && rd_u16(rd, type) && rd_vec16(rd, 0, 65535, body);
}

/* A list of codes with its length before it fills the whole extension: RFC 8446 4.2.7, 4.2.3. */
static bool read_codes16(struct span body, struct span *out)
{
    struct rd rd = rd_over(body.p, body.len);

    return rd_vec16(&rd, 2, 65534, out) && out->len % 2 == 0 && rd_left(&rd) == 0;
}

/* RFC 8446 4.2.1: ProtocolVersion versions<2..254> */
static bool read_versions(struct span body, struct span *out)
{
    struct rd rd = rd_over(body.p, body.len);

    return rd_vec8(&rd, 2, 254, out) && out->len % 2 == 0 && rd_left(&rd) == 0;
}

/* RFC 6066 3: ServerName server_name_list<1..2^16-1>; only host_name (0) exists. */
static bool read_server_name(struct span body, struct span *out)
{
    struct rd rd = rd_over(body.p, body.len);
    struct span list, name;
    uint8_t type;

    if (!rd_vec16(&rd, 1, 65535, &list) || rd_left(&rd) != 0)
        return false;
    rd = rd_over(list.p, list.len);
    while (rd_left(&rd) > 0) {
        if (!rd_u8(&rd, &type) || !rd_vec16(&rd, 0, 65535, &name))
            return false;
        if (type == 0 && !out->p)
            *out = name;
    }
    return true;
}

/* RFC 7301 3.1: ProtocolName protocol_name_list<2..2^16-1>, each of 1 to 255 bytes */
static bool read_alpn(struct span body, struct span *out)
{
    struct rd rd = rd_over(body.p, body.len);
    struct span name;

    if (!rd_vec16(&rd, 2, 65535, out) || rd_left(&rd) != 0)
        return false;
    rd = rd_over(out->p, out->len);
    while (rd_left(&rd) > 0)
        if (!rd_vec8(&rd, 1, 255, &name))
            return false;
    return true;
}

/* RFC 8446 4.2.8: KeyShareEntry client_shares<0..2^16-1> */
static bool read_key_shares(struct span body, struct span *out)
{
    struct rd rd = rd_over(body.p, body.len);
    struct span key;
    uint16_t group;

    if (!rd_vec16(&rd, 0, 65535, out) || rd_left(&rd) != 0)
        return false;
    rd = rd_over(out->p, out->len);
    while (rd_left(&rd) > 0)
        if (!rd_u16(&rd, &group) || !rd_vec16(&rd, 1, 65535, &key))
            return false;
    return true;
}

static bool read_client_extension(uint16_t type, struct span body, struct tls_client_hello *out)
{
    switch (type) {
    case TLS_EXT_SERVER_NAME:
        return read_server_name(body, &out->server_name);
    case TLS_EXT_GROUPS:
        return read_codes16(body, &out->groups);
    case TLS_EXT_SCHEMES:
        return read_codes16(body, &out->schemes);
    case TLS_EXT_VERSIONS:
        return read_versions(body, &out->versions);
    case TLS_EXT_ALPN:
        return read_alpn(body, &out->alpn);
    case TLS_EXT_KEY_SHARE:
        return read_key_shares(body, &out->key_shares);
    case TLS_EXT_TICKET:
        out->ticket = body;
        return true;
    case TLS_EXT_PSK:
        out->psk = true;
        return true;
    case TLS_EXT_EARLY_DATA:
        out->early_data = true;
        return true;
    default:
        return true;
    }
}

bool tls_client_hello_parse(struct span body, struct tls_client_hello *out)
{
    struct rd rd = rd_over(body.p, body.len), extensions;
    struct span each;
    uint16_t type;

    *out = (struct tls_client_hello){ 0 };
    /* RFC 8446 4.1.2: session_id<0..32>; cipher_suites<2..2^16-2>; compression_methods<1..2^8-1> */
    if (!rd_u16(&rd, &out->legacy_version) || !rd_bytes(&rd, 32, &out->random)
        || !rd_vec8(&rd, 0, 32, &out->session_id) || !rd_vec16(&rd, 2, 65534, &out->ciphers)
        || out->ciphers.len % 2 != 0 || !rd_vec8(&rd, 1, 255, &out->compressions))
        return false;
    if (rd_left(&rd) == 0)      /* before extensions existed: RFC 5246 7.4.1.2 */
        return true;
    if (!rd_vec16(&rd, 0, 65535, &out->extensions) || rd_left(&rd) != 0)
        return false;
    extensions = rd_over(out->extensions.p, out->extensions.len);
    while (tls_extension_next(&extensions, &type, &each))
        if (!read_client_extension(type, each, out))
            return false;
    return !extensions.bad;
}

bool tls_sslv2_hello_parse(const void *bytes, size_t len, size_t *whole,
                           struct tls_client_hello *out)
{
    struct rd rd = rd_over(bytes, len);
    uint16_t head, ciphers, session, challenge;
    uint8_t type;

    *out = (struct tls_client_hello){ .sslv2_form = true };
    *whole = 0;
    /* RFC 5246 E.2: the highest bit is set, and the length has 15 bits */
    if (!rd_u16(&rd, &head) || !(head & 0x8000))
        return false;
    *whole = (size_t)(head & 0x7FFF) + 2;
    if (len < *whole)
        return false;
    rd.len = *whole;
    return rd_u8(&rd, &type) && type == 1 && rd_u16(&rd, &out->legacy_version)
        && rd_u16(&rd, &ciphers) && rd_u16(&rd, &session) && rd_u16(&rd, &challenge)
        && ciphers >= 3 && ciphers % 3 == 0 && challenge >= 16 && challenge <= 32
        && rd_bytes(&rd, ciphers, &out->sslv2_ciphers) && rd_bytes(&rd, session, &out->session_id)
        && rd_bytes(&rd, challenge, &out->random) && rd_left(&rd) == 0;
}

uint16_t tls_client_hello_version(const struct tls_client_hello *hello)
{
    uint16_t highest = 0;

    if (!hello->versions.len)
        return tls_version_name(hello->legacy_version) ? hello->legacy_version : 0;
    for (size_t i = 0; i < tls_codes_len(hello->versions); i++) {
        uint16_t version = tls_code_at(hello->versions, i);

        if (tls_version_name(version) && version > highest)
            highest = version;
    }
    return highest;
}

bool tls_alpn_has(struct span alpn, const char *name)
{
    struct rd rd = rd_over(alpn.p, alpn.len);
    struct span each;

    while (rd_left(&rd) > 0 && rd_vec8(&rd, 1, 255, &each))
        if (each.len == strlen(name) && memcmp(each.p, name, each.len) == 0)
            return true;
    return false;
}

/* RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest" */
static const uint8_t retry_random[32] = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

static bool read_chosen_alpn(struct span body, struct span *out)
{
    struct span list;
    struct rd rd;

    if (!read_alpn(body, &list))
        return false;
    rd = rd_over(list.p, list.len);
    return rd_vec8(&rd, 1, 255, out);
}

static bool read_server_extension(uint16_t type, struct span body, struct tls_server_hello *out)
{
    struct rd rd = rd_over(body.p, body.len);

    switch (type) {
    case TLS_EXT_VERSIONS:
        return rd_u16(&rd, &out->version) && rd_left(&rd) == 0;
    case TLS_EXT_KEY_SHARE:     /* a group, and behind it a key, unless it asks for another hello */
        return rd_u16(&rd, &out->group);
    case TLS_EXT_PSK:
        out->psk = true;
        return true;
    case TLS_EXT_ALPN:
        return read_chosen_alpn(body, &out->alpn);
    default:
        return true;
    }
}

bool tls_server_hello_parse(struct span body, struct tls_server_hello *out)
{
    struct rd rd = rd_over(body.p, body.len), extensions;
    struct span each;
    uint16_t type;

    *out = (struct tls_server_hello){ 0 };
    if (!rd_u16(&rd, &out->legacy_version) || !rd_bytes(&rd, 32, &out->random)
        || !rd_vec8(&rd, 0, 32, &out->session_id) || !rd_u16(&rd, &out->cipher)
        || !rd_u8(&rd, &out->compression))
        return false;
    out->version = out->legacy_version;
    out->retry = memcmp(out->random.p, retry_random, sizeof(retry_random)) == 0;
    if (rd_left(&rd) == 0)
        return true;
    if (!rd_vec16(&rd, 0, 65535, &out->extensions) || rd_left(&rd) != 0)
        return false;
    extensions = rd_over(out->extensions.p, out->extensions.len);
    while (tls_extension_next(&extensions, &type, &each))
        if (!read_server_extension(type, each, out))
            return false;
    return !extensions.bad;
}

bool tls_certificates_parse(struct span body, struct span *out, size_t max, size_t *count)
{
    struct rd rd = rd_over(body.p, body.len);
    struct span list, each;

    *count = 0;
    /* RFC 5246 7.4.2: ASN.1Cert certificate_list<0..2^24-1>, each <1..2^24-1> */
    if (!rd_vec24(&rd, 0, 0xFFFFFF, &list) || rd_left(&rd) != 0)
        return false;
    rd = rd_over(list.p, list.len);
    while (rd_left(&rd) > 0) {
        if (!rd_vec24(&rd, 1, 0xFFFFFF, &each))
            return false;
        if (*count < max)
            out[*count] = each;
        ++*count;
    }
    return true;
}

bool tls_key_exchange_group(struct span body, uint16_t *group)
{
    enum { NAMED_CURVE = 3 };   /* RFC 8422 5.4: ECCurveType */
    struct rd rd = rd_over(body.p, body.len);
    struct span point;
    uint8_t type;

    return rd_u8(&rd, &type) && type == NAMED_CURVE && rd_u16(&rd, group)
        && rd_vec8(&rd, 1, 255, &point);
}

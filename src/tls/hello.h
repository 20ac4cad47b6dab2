/*
 * hello.h - what two sides of TLS say in the clear: bytes in, struct out, no OpenSSL and no sockets.
 *
 * The structs hold spans into the caller's bytes and the code points as they were sent, so that what was
 * parsed can also be written again, and a hello of one's own can be filled in field by field.
 * Sources: RFC 8446 4.1 (hellos), RFC 5246 7.4 (certificates and key exchange of TLS 1.2), RFC 6066 3
 * (server name), RFC 7301 (ALPN), RFC 8446 D and RFC 5246 E.2 (hellos in the form of SSLv2).
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include "base/rd.h"
#include "tls/names.h"

enum tls_handshake { TLS_HS_CLIENT_HELLO = 1, TLS_HS_SERVER_HELLO = 2, TLS_HS_CERTIFICATE = 11,
                     TLS_HS_SERVER_KEY_EXCHANGE = 12, TLS_HS_CERTIFICATE_REQUEST = 13 };

enum tls_extension { TLS_EXT_SERVER_NAME = 0, TLS_EXT_GROUPS = 10, TLS_EXT_SCHEMES = 13,
                     TLS_EXT_ALPN = 16, TLS_EXT_TICKET = 35, TLS_EXT_PSK = 41,
                     TLS_EXT_EARLY_DATA = 42, TLS_EXT_VERSIONS = 43, TLS_EXT_KEY_SHARE = 51 };

/* Code points of two bytes each, as they were sent. */
static inline size_t tls_codes_len(struct span codes)
{
    return codes.len / 2;
}
static inline uint16_t tls_code_at(struct span codes, size_t i)
{
    return (uint16_t)(codes.p[2 * i] << 8 | codes.p[2 * i + 1]);
}
bool tls_codes_have(struct span codes, uint16_t code);

struct tls_client_hello {
    bool sslv2_form;            /* no extensions then; ciphers are of three bytes: span `sslv2_ciphers` */
    uint16_t legacy_version;
    struct span random;         /* 32 bytes; 16 to 32 in the form of SSLv2 */
    struct span session_id;     /* 0 to 32 bytes */
    struct span ciphers;        /* codes */
    struct span sslv2_ciphers;
    struct span compressions;   /* one byte each */
    struct span extensions;     /* type, length, body, ...; empty when there are none */
    /* from the extensions; empty where an extension is absent */
    struct span versions;       /* codes of supported_versions */
    struct span groups;         /* codes */
    struct span schemes;        /* codes */
    struct span server_name;    /* of type host_name; no NUL */
    struct span alpn;           /* length byte, name, length byte, name, ... */
    struct span key_shares;     /* group, length, key, ... */
    struct span ticket;         /* of TLS 1.2; empty also when it was sent empty */
    bool psk, early_data;
};

/* The body of a ClientHello, without the four bytes of the handshake header. */
PS_MUST bool tls_client_hello_parse(struct span body, struct tls_client_hello *out);

/*
 * A hello in the form of SSLv2, its two bytes of length included.  `whole` gets its length as soon as two
 * bytes are there, 0 before; false for what is none, or is not all there yet.
 */
PS_MUST bool tls_sslv2_hello_parse(const void *bytes, size_t len, size_t *whole,
                                   struct tls_client_hello *out);

/* The highest version it asks for, GREASE left out; 0: none that has a name. */
uint16_t tls_client_hello_version(const struct tls_client_hello *hello);
bool tls_alpn_has(struct span alpn, const char *name);

struct tls_server_hello {
    uint16_t legacy_version;
    uint16_t version;           /* the one that counts: of supported_versions where it is there */
    struct span random, session_id;
    uint16_t cipher;
    uint8_t compression;
    struct span extensions;
    bool retry;                 /* it is a HelloRetryRequest: another ClientHello follows */
    uint16_t group;             /* of key_share; 0: none, as in TLS 1.2 and with a key that was kept */
    bool psk;                   /* the session goes on from an earlier one (TLS 1.3) */
    struct span alpn;           /* the one chosen, no length; TLS 1.3 hides it */
};
PS_MUST bool tls_server_hello_parse(struct span body, struct tls_server_hello *out);

/*
 * The certificates of a Certificate message of TLS 1.2 and before, leaf first: up to `max` spans of DER
 * into out, their whole number into *count.  False: malformed.
 */
PS_MUST bool tls_certificates_parse(struct span body, struct span *out, size_t max, size_t *count);

/* The group of an elliptic ServerKeyExchange of TLS 1.2; false when it names none (RFC 8422 5.4). */
PS_MUST bool tls_key_exchange_group(struct span body, uint16_t *group);

/* Walk extensions: false at the end, or where they are malformed (rd->bad is set then). */
bool tls_extension_next(struct rd *rd, uint16_t *type, struct span *body);

#endif

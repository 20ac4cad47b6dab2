/*
 * answer.h - what a server said to a ClientHello: its first flight, as far as it is in the clear.
 *
 * Of TLS 1.2 and before that is everything up to ServerHelloDone, certificates included; of TLS 1.3 the
 * ServerHello alone.  Source: RFC 5246 7.3, 7.4; RFC 8446 4.1.3 (downgrade sentinel), RFC 5746
 * (renegotiation), RFC 7627 (extended master secret), RFC 7366 (encrypt-then-MAC).
 */
#ifndef PS_ANSWER_H
#define PS_ANSWER_H

#include "base/buf.h"
#include "tls/hello.h"

enum answer_kind {
    ANSWER_NONE,        /* nothing, or not TLS */
    ANSWER_ALERT,       /* refused, with `alert` */
    ANSWER_HELLO,
    ANSWER_RETRY        /* TLS 1.3: `group` is wanted */
};

enum { ANSWER_CERTS_MAX = 32, ANSWER_FLIGHT_MAX = 65536 };

struct answer {
    enum answer_kind kind;
    bool complete;              /* the flight came whole: ServerHelloDone, or it is TLS 1.3 */
    uint8_t alert;
    uint16_t version, suite;
    uint16_t group;             /* of (EC)DHE, where it has a name; 0: none, or not seen */
    unsigned dh_bits;           /* of a DHE key exchange of TLS 1.2; 0: none */
    uint16_t scheme;            /* signature of the key exchange (TLS 1.2); 0: none */
    bool compression;           /* DEFLATE was taken */
    bool secure_renegotiation, extended_master_secret, encrypt_then_mac, ticket, session_id;
    bool alpn;                  /* one was chosen */
    uint16_t downgraded_from;   /* by the sentinel: TLS 1.3 (or 1.2) would have been spoken; 0: none */
    bool asks_certificate;      /* CertificateRequest (TLS 1.2) */
    size_t certs_len;           /* as sent, ANSWER_CERTS_MAX at most are kept */
    struct span certs[ANSWER_CERTS_MAX];        /* DER, into `bytes` */
    struct span authorities;    /* DNs of the CertificateRequest: length, DER, length, DER, ... */
    struct buf bytes;           /* the handshake messages, put together from their records */
};

void answer_free(struct answer *answer);        /* for PS_AUTO */

enum answer_state { ANSWER_MORE, ANSWER_ALL, ANSWER_BAD };

/*
 * Read the bytes that came so far, from the first on, each time again.  MORE: a message that matters is
 * not all there; what was seen is in *out all the same, for peers that stop in between.  BAD: not TLS.
 */
enum answer_state answer_read(const void *bytes, size_t len, struct answer *out);

#endif

/*
 * handshake.h - one whole TLS handshake with a server by the library, and what is said after it.
 *
 * Blocking, with time limits; it verifies nothing, for a prober must see what is there.  A handshake
 * that is whole and ended with close_notify leaves no line in PostgreSQL's log.
 */
#ifndef PS_HANDSHAKE_H
#define PS_HANDSHAKE_H

#include "base/buf.h"
#include "facts/seen.h"
#include "tls/ctx.h"

struct handshake_spec {
    const char *address;            /* an IP address */
    int port;
    const char *host;               /* for SNI; an address is left out */
    struct tls_ctx *ctx;            /* may serve several threads */
    int connect_ms, answer_ms;
    const struct buf *hello;        /* sent in plaintext, and answered with a letter; NULL: direct TLS */
    const struct buf *startup;      /* sent inside; NULL: none */
    bool bind;                      /* when channel binding is offered then: see binding.h */
    bool listen;                    /* nothing is sent, but what comes is read as an answer to a startup */
    bool renegotiate;               /* ask for another handshake inside (TLS 1.2) */
    bool keep_flight;
};

struct handshake {
    bool connected, timeout, done;
    bool talks_on;                  /* more came behind the letter, unasked: PostgreSQL waits for us there */
    bool alerted;                   /* it failed by an alert: somebody there speaks TLS */
    bool lost;                      /* neither an answer nor a refusal: another try may have one */
    char letter;                    /* 0: none came, or direct */
    const char *why;                /* translated, when it failed */
    uint16_t version, suite, scheme;
    const char *group;
    bool alpn, asks_certificate;
    enum fact_bool ticket;          /* known when something was heard inside */
    size_t ticket_len;              /* then: of this size */
    enum fact_bool demands_certificate;     /* NO: it went on without one */
    enum fact_bool renegotiated;
    const char *const *authorities; /* NULL: none */
    struct cert_list chain;         /* owned */
    struct startup_seen startup, binding;
    struct buf flight;              /* where it was to be kept: the server's, for answer_read(); owned */
};
void handshake_free(struct handshake *hand);    /* for PS_AUTO */

/* Texts go into `arena`. */
void handshake_run(const struct handshake_spec *spec, struct arena *arena, struct handshake *out);

#endif

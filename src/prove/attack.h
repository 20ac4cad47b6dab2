/*
 * attack.h - an attacker in the middle, on loopback: plays a server, and keeps what it is told.
 *
 * A thread of ours with our own wire code.  It answers the SSLRequest as its kind wants, asks whoever
 * sends a StartupMessage for a cleartext password, and refuses it then; a client that comes again (as
 * libpq does under allow and prefer) is served again.
 */
#ifndef PS_ATTACK_H
#define PS_ATTACK_H

#include "base/err.h"
#include "prove/way.h"
#include "tls/ctx.h"

struct attacker;

/*
 * Listen on *port of 127.0.0.1.  `ctx` holds the false certificate and outlives the attacker; NULL
 * strips TLS.
 */
PS_MUST bool attacker_start(struct tls_ctx *ctx, int timeout_ms, struct attacker **out, int *port,
                            struct ps_err *err);

struct attack_seen {
    bool tried;                 /* the client came so far that it could fall: it asked for TLS and was
                                   denied, or began the handshake, or started without TLS */
    bool startup;               /* the client sent its StartupMessage: it fell */
    bool tls;                   /* ... inside TLS with us */
    char user[64], database[64];
    char password[64];          /* what it gave as a password; "" when it gave none */
};
/* End it; nobody connects any more. */
void attacker_stop(struct attacker *attacker, struct attack_seen *out);

#endif

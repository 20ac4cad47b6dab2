/*
 * raw.h - try a server with our own wire code: what libpq would not do.
 */
#ifndef PS_RAW_H
#define PS_RAW_H

#include "prove/attempt.h"
#include "tls/cert.h"

struct raw_spec {
    const char *address;        /* an IP address */
    int port;
    const char *role, *database;
    int timeout_ms;
};

/*
 * Go this way.  WAY_ACCEPTED and WAY_REFUSED tell of the protocol; a StartupMessage on plaintext ends
 * as attempts do.  WAY_UNKNOWN with the reason in words when it could not be tried.
 */
void raw_run(const struct raw_spec *spec, const struct protocol_way *way,
             struct attempt_result *out);

/* The server's certificate chain, as it shows it to a stranger; empty when it does not speak TLS. */
void raw_server_chain(const struct raw_spec *spec, struct cert_list *out);

#endif

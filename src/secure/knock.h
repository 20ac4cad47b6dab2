/*
 * knock.h - one fresh TLS connection to a server, over the network as a stranger comes.
 */
#ifndef PS_KNOCK_H
#define PS_KNOCK_H

#include "net/io.h"

/*
 * Ask for TLS and shake hands; the caller closes *out.  PS_E_UNSUPPORTED when the server refuses TLS,
 * otherwise what dial() and io_tls_client() say.
 */
PS_MUST bool knock_tls(const char *address, int port, struct tls_ctx *ctx, int64_t deadline_ms,
                       struct io **out, struct ps_err *err);

enum knock_end { KNOCK_REVOKED, KNOCK_ACCEPTED, KNOCK_FAILED };

/*
 * Show this client certificate and see whether the server refuses it because it is revoked.  Nothing
 * is asked of the server after the handshake: under TLS 1.3 its refusal comes by itself then, and
 * silence for a second means that it was satisfied.  `why` of a failure, or the server's alert.
 */
enum knock_end knock_revoked(const char *address, int port, const struct cert_list *chain,
                             const struct key *key, struct buf *why);

#endif

/*
 * knock.h - one fresh connection to a server with a certificate of ours.
 */
#ifndef PS_KNOCK_H
#define PS_KNOCK_H

#include "base/buf.h"
#include "tls/cert.h"
#include "tls/key.h"

enum knock_end { KNOCK_REVOKED, KNOCK_ACCEPTED, KNOCK_FAILED };

/*
 * Show this client certificate and see whether the server refuses it because it is revoked.  Nothing
 * is asked of the server after the handshake: under TLS 1.3 its refusal comes by itself then, and
 * silence for a second means that it was satisfied.  `why` of a failure, or the server's alert.
 */
enum knock_end knock_revoked(const char *address, int port, const struct cert_list *chain,
                             const struct key *key, struct buf *why);

#endif

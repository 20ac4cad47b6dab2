/*
 * wire.h - a server of this machine over TCP: where it listens, and one handshake as strangers see it.
 */
#ifndef INSPECT_WIRE_H
#define INSPECT_WIRE_H

#include "facts/posture.h"
#include "net/io.h"

/* An address by which it can be reached from this machine, the caller's to free; NULL: only by socket. */
char *server_tcp_address(const struct server *server);

/*
 * Ask for TLS and shake hands; the caller closes *out.  PS_E_UNSUPPORTED when the server refuses TLS,
 * otherwise what dial() and io_tls_client() say.
 */
PS_MUST bool knock_tls(const char *address, int port, struct tls_ctx *ctx, int64_t deadline_ms,
                       struct io **out, struct ps_err *err);

/*
 * What it serves on its own port.  Texts in `arena`; out->served is the caller's to free.  False, and
 * the reason, when it cannot be seen.
 */
PS_MUST bool wire_look(const struct server *server, int timeout_ms, struct arena *arena,
                       struct wire_fact *out, struct ps_err *err);

#endif

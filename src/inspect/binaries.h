/*
 * binaries.h - the server's own programs: where they are, which version, which OpenSSL.
 */
#ifndef PS_BINARIES_H
#define PS_BINARIES_H

#include "base/err.h"
#include "facts/server.h"

/*
 * Fill in bin_dir and version.  `given` is the user's --bindir or NULL; `program` what
 * postmaster.opts names, or NULL.  PS_E_NOT_FOUND when no postgres of server->major is found.
 */
PS_MUST bool binaries_find(struct server *server, const char *given, const char *program,
                           struct ps_err *err);

/* Fill in ssl_library, openssl_version, openssl_dir and sslinfo, as far as they can be seen. */
void binaries_look(struct server *server);

#endif

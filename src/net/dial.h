/*
 * dial.h - open a connection: TCP by name or address, or a Unix-domain socket.
 */
#ifndef PS_DIAL_H
#define PS_DIAL_H

#include "net/io.h"

/*
 * `host` is a name, an address, or (beginning with '/') the folder of PostgreSQL's Unix-domain socket
 * ".s.PGSQL.PORT".  Addresses are tried in turn, all within the one deadline.  The resolver itself
 * keeps its own time (resolv.conf).  After PS_E_NET errno says why the connection did not come about.
 */
PS_MUST bool dial(const char *host, int port, int64_t deadline_ms, struct io **out,
                  struct ps_err *err);

/* Listen on 127.0.0.1 at a free port; the caller closes *fd. */
PS_MUST bool listen_loopback(int *fd, int *port, struct ps_err *err);

/* The next connection; PS_E_TIMEOUT when nobody comes. */
PS_MUST bool listen_accept(int fd, int64_t deadline_ms, struct io **out, struct ps_err *err);

#endif

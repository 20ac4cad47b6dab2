/*
 * sslinfo.h - what the extension sslinfo says of the connection that asks.
 */
#ifndef INSPECT_SSLINFO_H
#define INSPECT_SSLINFO_H

#include "base/mem.h"
#include "inspect/sql.h"

enum sslinfo_state { SSLINFO_UNKNOWN, SSLINFO_MISSING, SSLINFO_AVAILABLE, SSLINFO_INSTALLED };

struct sslinfo {
    enum sslinfo_state state;   /* in the database that we are connected to */
    const char *version, *cipher, *client_serial, *client_dn, *issuer_dn;   /* NULL: none */
};

/* All in `arena`.  Cannot tell: SSLINFO_UNKNOWN, and false only for a lost connection. */
PS_MUST bool sslinfo_read(struct sql *sql, struct arena *arena, struct sslinfo *out,
                          struct ps_err *err);

#endif

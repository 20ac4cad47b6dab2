/*
 * drivers.h - how each driver wants to be told what psql takes as a connection string.
 *
 * A const table: a driver is a row and one function.  Only parameters that every libpq in use knows
 * are written (an older one refuses what it does not know): sslmode, sslrootcert, sslcert, sslkey,
 * sslcrl are in all of them.  Source: fe-connect.c (PQconninfoOptions); the drivers' own manuals.
 */
#ifndef PS_DRIVERS_H
#define PS_DRIVERS_H

#include "base/buf.h"

struct kit_link {               /* one role's way to one server; all but crt, key, pk8, crl are set */
    const char *role, *database, *host;
    int port;
    const char *service, *service_file;     /* the entry of pg_service.conf, and that file */
    const char *root;                       /* paths of the kit's files */
    const char *crt, *key, *pk8;            /* NULL: no client certificate */
    const char *crl;                        /* NULL: no revocation list */
};

struct kit_driver {
    const char *id;             /* "jdbc", the key in JSON */
    const char *name;           /* "JDBC (pgjdbc)" */
    void (*write)(const struct kit_link *link, struct buf *out);
    const char *note;           /* N_(), what to know, above all what it does not check; or NULL */
};

extern const struct kit_driver kit_drivers[];
extern const size_t kit_drivers_len;

/*
 * The entry of a pg_service.conf.  That file has no quotes: what it cannot hold (a blank at the end
 * of a role's name) is left out, with a comment that says so.
 */
void kit_service_entry(const struct kit_link *link, struct buf *out);

#endif

/*
 * sessions.h - who is connected now, and how protected: pg_stat_activity with pg_stat_ssl.
 *
 * The server's own processes are left out; walsenders are kept.  A role without pg_read_all_stats sees
 * that other roles' sessions exist, but not where they come from: their link is LINK_UNKNOWN.
 * pg_stat_ssl cuts DNs at 63 bytes.  Source: src/backend/catalog/system_views.sql of 9.5 to 19.
 */
#ifndef INSPECT_SESSIONS_H
#define INSPECT_SESSIONS_H

#include "base/mem.h"
#include "inspect/sql.h"

enum session_link {
    LINK_TLS,
    LINK_GSS,           /* encrypted by GSSAPI: neither TLS nor plaintext */
    LINK_LOOPBACK,      /* plaintext over TCP that does not leave the server's machine */
    LINK_PLAIN,         /* plaintext over a network */
    LINK_LOCAL,         /* a Unix-domain socket */
    LINK_UNKNOWN,       /* the server does not tell us */
    LINK_KINDS
};

struct session {
    long pid;
    enum session_link link;
    bool replication;       /* a walsender */
    bool own;               /* the connection that asks */
    const char *role, *database, *application;      /* NULL where there is none */
    const char *address;                            /* NULL: local or unknown */
    const char *version, *cipher;                   /* "TLSv1.3", ...; NULL without TLS */
    long bits;
    const char *client_dn, *client_serial, *issuer_dn;  /* NULL without; serial and issuer from 12 */
};

struct sessions {
    struct session *at;     /* by role, database, address */
    size_t len;
    size_t count[LINK_KINDS];
};

/* All in `arena`.  PS_E_UNSUPPORTED before 9.5, PS_E_SQL, PS_E_NET. */
PS_MUST bool sessions_read(struct sql *sql, struct arena *arena, struct sessions *out,
                           struct ps_err *err);

#endif

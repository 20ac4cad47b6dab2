/*
 * sql.h - ask a server through libpq; the one wrapper around it for those who only ask.
 *
 * Every connection sets application_name "pgseal" and connect_timeout (unless the caller's conninfo
 * does), and never asks for a password on the terminal.
 */
#ifndef PS_SQL_H
#define PS_SQL_H

#include "base/err.h"

struct sql;
void sql_free(struct sql *sql);
PS_DEFINE_FREEP(struct sql, sql_free)

/*
 * Is libpq there to connect with?  For who changes something before it connects.  PS_E_NOT_FOUND, or
 * PS_E_UNSUPPORTED when it is too old.
 */
PS_MUST bool sql_ready(struct ps_err *err);

/*
 * PS_E_NET with libpq's own words as the detail; PS_E_USAGE for a conninfo that cannot be parsed; without libpq as
 * sql_ready().
 */
PS_MUST bool sql_connect(const char *conninfo, struct sql **out, struct ps_err *err);

int sql_server_version(const struct sql *sql);          /* 150018 */

/* What the server reports about itself, such as "server_version"; NULL when it does not. */
const char *sql_parameter(const struct sql *sql, const char *name);

/* This very connection, as libpq sees it; strings live as long as it does, NULL where unknown. */
struct sql_link {
    const char *host, *port, *database, *role;
    bool on_this_machine;       /* through a socket or a loopback address */
    bool tls;
    const char *version, *cipher, *bits;    /* with TLS: "TLSv1.3", ... */
};
void sql_link(const struct sql *sql, struct sql_link *out);

/* OpenSSL's SSL of this connection for tls/peer.h, or NULL without TLS. */
void *sql_openssl(const struct sql *sql);

struct rows;
void rows_free(struct rows *rows);
PS_DEFINE_FREEP(struct rows, rows_free)

/* params: text, NULL at the end; may be NULL.  PS_E_SQL with the server's message. */
PS_MUST bool sql_query(struct sql *sql, const char *query, const char *const *params,
                       struct rows **out, struct ps_err *err);
size_t rows_len(const struct rows *rows);
/* NULL for SQL NULL. */
const char *rows_text(const struct rows *rows, size_t row, const char *column);
/* false and 0 for SQL NULL. */
bool rows_bool(const struct rows *rows, size_t row, const char *column);
long rows_int(const struct rows *rows, size_t row, const char *column);

#endif

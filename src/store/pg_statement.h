/*
 * pg_statement.h - how the engine PostgreSQL runs a statement, one at a time or for many rows, and how it fails.
 *
 * Numbers, text and bytes travel in binary, hence every integer column is a bigint.  pg_script(), pg_run() and
 * pg_run_many() are what engine.h says of script, run and run_many.
 */
#ifndef STORE_PG_STATEMENT_H
#define STORE_PG_STATEMENT_H

#include "pg/libpq.h"
#include "store/engine.h"

struct pg {
    PGconn *conn;
    char *where;
    bool holds;         /* the advisory lock of pg_hold(), which a new connection has to take again */
};

void pg_result_freep(PGresult **result);        /* for PS_AUTO */

/* PS_E_STORE with what PostgreSQL says; or, by the SQLSTATE of a result, PS_E_EXISTS or PS_E_BUSY. */
bool pg_fail_text(const struct pg *me, const char *text, struct ps_err *err);
bool pg_fail_result(const struct pg *me, const PGresult *result, struct ps_err *err);
bool pg_is_good(const PGresult *result);

PS_MUST bool pg_script(void *db, const char *sql, struct ps_err *err);
PS_MUST bool pg_run(void *db, const char *sql, const struct value *values, int len, row_fn fn,
                    void *arg, struct ps_err *err);
PS_MUST bool pg_run_many(void *db, const char *sql, const struct value *values, int len, size_t rows,
                         struct ps_err *err);

#endif

/*
 * engine.h - what a database must be able to do to hold a ledger; for store/ alone.
 *
 * An engine runs SQL that both understand: parameters are $1, $2, ... in the order in which they
 * first appear; values are 64-bit numbers, text and bytes.  It knows nothing of certificates, and
 * nobody above knows which engine it is.  Errors: PS_E_BUSY after STORE_WAIT_MS, PS_E_EXISTS for a
 * row that is there already, otherwise PS_E_STORE.
 */
#ifndef PS_STORE_ENGINE_H
#define PS_STORE_ENGINE_H

#include "base/buf.h"
#include "base/err.h"

enum value_type { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BLOB };

struct value {
    enum value_type type;
    int64_t number;
    const void *bytes;      /* text has a NUL behind it */
    size_t len;             /* without it */
};
struct value value_int(int64_t number);
struct value value_text(const char *text);              /* NULL: null */
struct value value_blob(const void *bytes, size_t len); /* NULL: null */
const char *value_str(const struct value *value);       /* "" for null */

/* One row of an answer, valid until it returns; false ends the walk. */
typedef bool (*row_fn)(void *arg, const struct value *columns, struct ps_err *err);

enum { ENGINE_COLUMNS_MAX = 24 };

struct store_engine {
    const char *name;

    /*
     * The schema by numbers from 1: what has been published is never changed, only added to.  NULL:
     * a number that this engine never had.
     */
    const char *const *migrations;
    int migrations_len;

    /* `db` is the engine's own. */
    bool (*open)(const char *where, void **db, struct ps_err *err);
    void (*close)(void *db);
    bool (*version)(void *db, int64_t *out, struct ps_err *err);
    bool (*set_version)(void *db, int64_t version, struct ps_err *err);
    char *(*where)(void *db);                           /* for people; the caller frees it */
    bool (*place)(void *db, char **out, struct ps_err *err);    /* differs for a copy */

    /*
     * A writer waits until it is the only one; a reader sees one moment of the ledger.  `script` is
     * several statements without parameters.
     */
    bool (*begin)(void *db, bool writer, struct ps_err *err);
    bool (*begin_migration)(void *db, struct ps_err *err);
    bool (*script)(void *db, const char *sql, struct ps_err *err);
    /* *unknown: it may have been done and may not; `again` opens a new connection to find out. */
    bool (*commit)(void *db, bool *unknown, struct ps_err *err);
    bool (*again)(void *db, struct ps_err *err);
    void (*rollback)(void *db);
    /* Be the only one, across transactions, among those that ask for it; or let the next one. */
    bool (*hold)(void *db, bool take, struct ps_err *err);

    /* One statement; fn may be NULL for one that answers nothing. */
    bool (*run)(void *db, const char *sql, const struct value *values, int len, row_fn fn,
                void *arg, struct ps_err *err);
    /* The same statement for many rows of `len` values each. */
    bool (*run_many)(void *db, const char *sql, const struct value *values, int len, size_t rows,
                     struct ps_err *err);
};

extern const struct store_engine engine_sqlite, engine_postgresql;

#endif

/*
 * internal.h - the inside of the ledger, for store/ alone: running SQL, and acts.
 *
 * Every change is an act: it has a number, a row in the audit log, and the rows that it wrote.
 * Tables are only ever added to.  The number of a row says which act wrote it: id = act *
 * ROWS_OF_ACT + n, so no other column or index is needed to find what an act covers.
 */
#ifndef PS_STORE_INTERNAL_H
#define PS_STORE_INTERNAL_H

#include "base/mem.h"
#include "store/engine.h"
#include "store/store.h"

enum { ROWS_OF_ACT = 1 << 20 };     /* the most that one act writes */

struct store {
    const struct store_engine *engine;
    void *db;
    struct store_info info;         /* its strings are the store's */
    char *where, *place, *home;
    char id[STORE_ID_HEX];
    bool grouped;                   /* store_begin() is open */
    int64_t last_act;               /* the newest act of this store's transaction, and its hash */
    char last_hash[STORE_HASH_HEX];
};

/* Run one statement; `...` of RUN is its values. */
#define RUN(store, err, fn, arg, sql, ...)                                                  \
    store_run((store), (sql), (const struct value[]){ __VA_ARGS__ },                        \
              (int)PS_COUNT(((const struct value[]){ __VA_ARGS__ })), (fn), (arg), (err))
PS_MUST bool store_run(struct store *store, const char *sql, const struct value *values, int len,
                       row_fn fn, void *arg, struct ps_err *err);

/* For statements that answer one number; it stays as it was when there is no row or a null. */
bool take_int(void *arg, const struct value *columns, struct ps_err *err);

/* ---- the tables that acts write ---- */

enum part {
    PART_NONE, PART_CERT, PART_REVOCATION, PART_HOLD_END, PART_CRL_NUMBER, PART_CRL, PART_CRL_OUT,
    PART_REQUEST, PART_AUTHORITY, PART_SETTING, PART_LEN
};

/* `columns` begins with "id"; `insert` takes them in this order. */
struct part_info {
    const char *name, *columns, *insert;
    int len;                        /* columns, id included */
};
extern const struct part_info parts[PART_LEN];

/* ---- hashes ---- */

/* Hash of a row of hashed things: start with "", add in order. */
struct chain {
    char hex[STORE_HASH_HEX];
};
void chain_add(struct chain *chain, const struct value *values, int len);

/* ---- acts ---- */

struct act {
    struct store *store;            /* NULL: over */
    int64_t id;
    char before[STORE_HASH_HEX];
    enum part part;
    int64_t rows;
    struct chain covers;
};

PS_MUST bool store_may_change(const struct store *store, struct ps_err *err);   /* it is no copy */
/* Wait for the others, and be the only writer.  PS_E_UNSAFE in a copied ledger. */
PS_MUST bool act_begin(struct store *store, struct act *act, struct ps_err *err);
/* The same for those that may write into a copy: adopting it, and making it. */
PS_MUST bool act_begin_unguarded(struct store *store, struct act *act, struct ps_err *err);
/* The same inside of a transaction that is open. */
PS_MUST bool act_join(struct store *store, struct act *act, struct ps_err *err);
/* Write rows into a part; the first value of each is set to its number here. */
PS_MUST bool act_rows(struct act *act, enum part part, struct value *values, size_t rows,
                      struct ps_err *err);
/* The row of the log, and the commit unless a group is open. */
PS_MUST bool act_end(struct act *act, const char *name, const char *object, const char *detail,
                     struct ps_err *err);
void act_cancel(struct act *act);   /* for PS_AUTO: nothing when it was ended */

/* The hash of what an act has in a table now. */
PS_MUST bool act_digest(struct store *store, enum part part, int64_t id, struct chain *out,
                        int64_t *rows, struct ps_err *err);

/* Commit; a commit of unknown outcome is looked up. */
PS_MUST bool store_finish(struct store *store, struct ps_err *err);

enum { VERSION_WITH_ACTS = 2 };     /* the format that began the audit log */
/* Fill in what version 1 did not record, and write the first acts; inside the migration. */
PS_MUST bool store_first_acts(struct store *store, int64_t from, struct ps_err *err);
/* The act of a later migration; inside of it. */
PS_MUST bool store_note_migration(struct store *store, int64_t from, struct ps_err *err);

/* store_adopt() as part of a transaction that is open; `before` is the home until now. */
PS_MUST bool store_adopt_inside(struct store *store, const char *before, struct ps_err *err);

/* A new number for each series of CRLs: see store_adopt(). */
PS_MUST bool store_raise_crl_numbers(struct act *act, struct ps_err *err);

/*
 * Certificates that fit and may be revoked for this reason: id, shard, not_after, issuer, serial, and
 * the revocation in force, which is then a hold; null for most.  STORE_VALID is "not expired" here.
 */
PS_MUST bool store_find_revocable(struct store *store, const struct store_filter *filter, int reason,
                                  row_fn fn, void *arg, struct ps_err *err);
/* Those on hold, in the same columns. */
PS_MUST bool store_find_held(struct store *store, const struct store_filter *filter, row_fn fn,
                             void *arg, struct ps_err *err);

/* No authority that was retired may have issued what is about to be recorded: PS_E_UNSAFE. */
PS_MUST bool store_may_issue(struct store *store, const char *issuer, struct ps_err *err);

/* Read its identity anew. */
PS_MUST bool store_reread(struct store *store, struct ps_err *err);
/* This place is home, from the commit on. */
PS_MUST bool store_fix_home(struct store *store, struct ps_err *err);

/* " db1.example.net db2.example.net ", lower case; NULL for none.  The caller frees it. */
char *hosts_text(const char *const *hosts, const char *const *addresses);

#endif

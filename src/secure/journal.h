/*
 * journal.h - the way back, on disk before the first step is taken.
 *
 * The state folder of a server is DATADIR.pgseal (0700, the server owner's), beside the data directory
 * and not in it: base backups would copy it to other servers.
 *
 *     lock                    held by whoever changes something
 *     tls/                    certificates, keys and CRLs that settings name, named by content
 *     txn-0001/journal        what one transaction changes, and how far it came
 *     txn-0001/before-0       the old bytes of its first change, and so on
 *     txn-0001/reserve        room for undoing on a disk that is full by then
 *
 * A transaction moves through these states, each written with rename and synced:
 *
 *     prepared -> applied -> reloaded -> verified          secure, all well
 *     any of them -> undoing -> undone                     failure, or pgseal rollback
 *
 * Undoing is idempotent: a file that has its old bytes is left alone, so that a crash while
 * undoing is mended by undoing again.  A file that has neither the old nor the new bytes was changed by
 * somebody else: txn_may_undo() refuses, and who goes on nevertheless finds a copy (theirs-N).
 */
#ifndef PS_JOURNAL_H
#define PS_JOURNAL_H

#include "secure/plan.h"

enum txn_state { TXN_PREPARED, TXN_APPLIED, TXN_RELOADED, TXN_VERIFIED, TXN_UNDOING, TXN_UNDONE };
const char *txn_state_name(enum txn_state state);

#define JOURNAL_MAX_BYTES (1u << 20)
#define JOURNAL_MAX_CHANGES 1000

struct txn_change {
    char *path;
    bool existed;
    char before_sha[DIGEST_HEX], after_sha[DIGEST_HEX];
};

struct txn {
    char *dir;                  /* .../txn-0001; NULL for one that was only parsed */
    unsigned number;
    enum txn_state state;
    char *data_dir;             /* the server that it is about */
    time_t began;
    bool tls_was_on;            /* before it: what rollback proves */
    struct txn_change *changes;
    size_t len, cap;
    size_t reached;             /* how many were surely done; what is read from disk: all may be */
};
void txn_free(struct txn *txn);
PS_DEFINE_FREEP(struct txn, txn_free)

/* The journal's text; parsing what was written gives the same.  PS_E_SYNTAX with the line. */
void txn_write_text(const struct txn *txn, struct buf *out);
PS_MUST bool txn_parse(const char *text, size_t len, const char *name, struct txn **out,
                       struct ps_err *err);

/* ---- on disk; all of it as the owner of the state folder ---- */

/* DATADIR.pgseal for DATADIR; the caller frees it. */
char *state_dir_for(const char *data_dir);

/*
 * Make the state folder and its tls/ when they are missing; as root also where only root may write,
 * and then give it to the owner.
 */
PS_MUST bool state_dir_ensure(const char *state_dir, const struct user *owner, struct ps_err *err);

/* Save the old bytes and the journal: after this the way back is safe.  State: prepared. */
PS_MUST bool txn_begin(const char *state_dir, const char *data_dir, bool tls_was_on,
                       const struct plan *plan, struct txn **out, struct ps_err *err);
PS_MUST bool txn_set_state(struct txn *txn, enum txn_state state, struct ps_err *err);

/*
 * The newest transaction that is not undone, or NULL in *out when there is none.
 */
PS_MUST bool txn_latest(const char *state_dir, struct txn **out, struct ps_err *err);

/* PS_E_UNSAFE when a file was changed by somebody else since; looks only. */
PS_MUST bool txn_may_undo(const struct txn *txn, const struct user *owner, struct ps_err *err);

/*
 * Undo the files of a transaction, last change first: the configuration, or with `tls` the files
 * that it made under tls/ (after the reload, for until then a running server may name them).  What
 * somebody else changed is kept beside as theirs-N; a change of his that ours never reached stays.
 */
PS_MUST bool txn_undo(const struct txn *txn, const struct user *owner, bool tls,
                      struct ps_err *err);

#endif

/*
 * internal.h - the inside of a CA, for ca/ alone.
 */
#ifndef PS_CA_INTERNAL_H
#define PS_CA_INTERNAL_H

#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "ca/conf.h"
#include "ca/shard.h"
#include "store/store.h"

/* What the three kinds are: names of files and subjects, and what each may do. */
struct ca_profile {
    const char *name;               /* of the first generation, and its kind in the ledger */
    const char *title;              /* the CN, before its digits */
    unsigned uses;                  /* EKU */
    int path_len;                   /* -1: no limit */
};
extern const struct ca_profile ca_profiles[CA_WHO_LEN];

struct authority {
    struct ca_conf_row *row;        /* in ca->conf */
    struct cert *cert;              /* NULL while it waits */
    struct key *key;                /* NULL until it is needed */
};

struct ca {
    char *dir;
    struct store *store;
    struct ca_conf conf;            /* its rows are those of the ledger */
    struct ca_conf here;            /* only rows: what ca.conf says of keys on this host */
    struct authority *at;           /* one for each row of conf */
    int64_t version;                /* of the ledger's authorities, as in conf; 0: none are there */
    ca_pass_fn pass;
    void *pass_arg;
};

static inline enum ca_who ca_issuer_of(enum cert_use use)
{
    return use == CERT_USE_SERVER ? CA_SERVER : CA_CLIENT;
}

/* ---- ca.c ---- */

char *ca_path(const struct ca *ca, const char *name);   /* the caller's to free */
/* The file of an authority: "server-ca-2" and ".crt"; the caller's to free. */
char *ca_file_of(const struct ca *ca, const char *name, const char *suffix);
const char *ca_ledger(const struct ca *ca, char **own); /* where; *own is the caller's to free */

struct authority *ca_active(const struct ca *ca, enum ca_who who);      /* NULL when there is none */
struct authority *ca_by_name(const struct ca *ca, const char *name);    /* likewise */
struct authority *ca_parent(const struct ca *ca, const struct authority *of);   /* a root: itself */
bool ca_in_use(const struct authority *authority);      /* in bundles and sets: not retired, not expired */
bool ca_is_offline(const struct ca *ca, const struct authority *authority);     /* no key here */
void ca_anchors(const struct ca *ca, struct cert_list *out);    /* the roots in use */

/*
 * Begin to write a file of the folder.  A new one belongs to whom the folder belongs, also when root
 * works on somebody's CA; there, a symbolic link is PS_E_UNSAFE: it could lead root anywhere.
 */
PS_MUST bool ca_file_begin(const struct ca *ca, const char *path, mode_t mode,
                           struct file_edit **out, struct ps_err *err);
PS_MUST bool ca_file_write(const struct ca *ca, const char *path, const void *bytes, size_t len,
                           mode_t mode, struct ps_err *err);

PS_MUST bool ca_record(struct ca *ca, const struct cert *cert, const char *kind,
                       const char *const *hosts, struct ps_err *err);
PS_MUST bool ca_read_chain(const struct ca *ca, const char *name, struct cert_list *out,
                           struct ps_err *err);
PS_MUST bool ca_write_chain(const struct ca *ca, const char *name, const struct cert_list *chain,
                            struct ps_err *err);
PS_MUST bool ca_save(const struct ca *ca, const struct ca_conf *rows, struct ps_err *err);

/* ---- one at a time ---- */

/*
 * Changes of authorities and CRLs, one process at a time on any host: the lock of the folder, and that
 * of a shared ledger.  PS_E_BUSY after a while; then it is seen what others have done meanwhile, and
 * the public files of the folder are those of the ledger.
 */
struct ca_turn {
    struct file_lock *lock;
    struct store *held;
};
void ca_turn_free(struct ca_turn *turn);        /* for PS_AUTO */
PS_MUST bool ca_lock(struct ca *ca, struct ca_turn *out, struct ps_err *err);

/* ---- table.c: the authorities, as the ledger has them ---- */

/* For ca_open: read them; those that ca.conf still has are moved into the ledger. */
PS_MUST bool ca_read_authorities(struct ca *ca, struct ps_err *err);
/* A CA that was just made: its rows and certificates into the ledger.  PS_E_EXISTS when it has some. */
PS_MUST bool ca_move_new(struct ca *ca, struct ps_err *err);
PS_MUST bool ca_is_free(struct store *store, struct ps_err *err);   /* likewise, to ask beforehand */
/* Read them again if anybody has changed them: `struct authority *` of before are gone then. */
PS_MUST bool ca_sync(struct ca *ca, struct ps_err *err);

/*
 * A change of rows in ca->conf, with what else belongs to it: begun under the lock, all of it in one
 * transaction of the ledger.  Not committed: undone, in ca->conf too.
 */
struct ca_change {
    struct ca *ca;
};
void ca_change_free(struct ca_change *change);  /* for PS_AUTO */
PS_MUST bool ca_change_begin(struct ca *ca, struct ca_change *out, struct ps_err *err);
PS_MUST bool ca_change_commit(struct ca_change *change, struct ps_err *err);
/* A change has failed before it began: think again what the ledger says. */
void ca_forget(struct ca *ca);

/* ---- keys.c ---- */

/* By this clock it is in force: PS_E_UNSAFE. */
PS_MUST bool ca_check_dates(const struct authority *authority, struct ps_err *err);
/* Its key, read now if it was not: fits the certificate, or PS_E_CERT. */
PS_MUST bool ca_need_key(struct ca *ca, struct authority *authority, struct ps_err *err);
/* The same after asking whether it may sign today: clock, dates of it and of its root. */
PS_MUST bool ca_may_sign(struct ca *ca, struct authority *authority, struct ps_err *err);
/* The active one for leaves of this use, with its key, ready to sign. */
PS_MUST bool ca_signer(struct ca *ca, enum ca_who who, struct authority **out,
                       struct ps_err *err);
PS_MUST bool ca_read_key(struct ca *ca, const char *name, struct key **out, struct ps_err *err);
PS_MUST bool ca_write_key(const struct ca *ca, const char *name, const struct key *key,
                          const struct secret *pass, struct ps_err *err);
/* The passphrase for `what`: of the CA's command, or of the caller. */
PS_MUST bool ca_passphrase(struct ca *ca, const char *what, struct secret *out,
                           struct ps_err *err);

/* ---- authority.c ---- */

struct ca_new {                     /* an authority that is to be made */
    enum key_type key_type;
    const struct secret *pass;
    const char *key_uri;
    const struct cert_dn *dn;
    bool waits;                     /* a request in place of a certificate: its root is elsewhere */
};
/* The row is in ca->conf already.  Its key, certificate and ledger entry, in this order. */
PS_MUST bool ca_make_authority(struct ca *ca, const char *name, const struct ca_new *what,
                               struct ps_err *err);
/* A row of the next generation, with the active root as its parent. */
PS_MUST bool ca_add_row(struct ca *ca, enum ca_who who, enum ca_state state, struct ps_err *err);

/* ---- issue.c ---- */

/* What cert_make() is to make, but for serial and partition; its strings are those of `spec` and of
 * the issuer.  PS_E_VALUE for what cannot be in a certificate. */
PS_MUST bool ca_plan_leaf(const struct ca *ca, const struct authority *issuer,
                          const struct ca_leaf_spec *spec, struct cert_spec *out,
                          struct ps_err *err);
/* Verify as the peer will, unless it is not in force today: one made for a proof may be so. */
PS_MUST bool ca_would_be_accepted(const struct ca *ca, const struct cert_list *chain,
                                  enum cert_use use, struct ps_err *err);
void ca_say_cut(time_t end);    /* warn that it ends before the time that was asked for */
PS_MUST bool ca_issue_by(struct ca *ca, struct authority *issuer, const struct ca_leaf_spec *spec,
                         struct ca_leaf *out, struct ps_err *err);

/* ---- crl.c ---- */

/* Write one CRL, whatever the old one was like; under the lock, or in a folder nobody else knows. */
PS_MUST bool ca_write_crl(struct ca *ca, struct authority *authority, struct ps_err *err);
/* Does this side need its list?  See ca_crl_pem(). */
bool ca_is_checked_by(const struct authority *authority, enum cert_use side);
/* The file of one, open in *fd (the caller's to close, -1 when it is not there), and what is in it:
 * as crl_list_from_fd() skims it, but that of a root whole. */
PS_MUST bool ca_open_crl(const struct ca *ca, const struct authority *authority, int *fd,
                         struct crl_list *out, struct ps_err *err);
PS_MUST bool ca_read_crl(const struct ca *ca, const struct authority *authority,
                         struct crl_list *out, struct ps_err *err);
unsigned ca_shards_of(const struct ca *ca, const struct authority *authority);

/* ---- create.c: a folder that is made beside, and appears whole ---- */

PS_MUST bool ca_place_of(const char *dir, char **out, struct ps_err *err);  /* absolute, no "/" behind */
PS_MUST bool ca_check_place(const char *dir, struct ps_err *err);   /* absent or empty: PS_E_EXISTS */
PS_MUST bool ca_make_beside(const char *dir, char **out, struct ps_err *err);
PS_MUST bool ca_move_in(char **beside, const char *dir, struct ps_err *err);    /* *beside: NULL then */
void ca_remove_dir(char **path);    /* for PS_AUTO: what was not moved in */

/* ---- proof.c ---- */

/* A client certificate of this authority that is revoked at once. */
PS_MUST bool ca_make_proof(struct ca *ca, struct authority *issuer, enum key_type key_type,
                           struct ps_err *err);

#define CA_LEDGER "ledger.db"
#define CA_LOCK "lock"
#define CA_CONF "ca.conf"
#define CA_PROOF_CN "pgseal-revoked-proof"
enum { CA_DAY_SECONDS = 24 * 60 * 60 };

#endif

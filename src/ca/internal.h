/*
 * internal.h - the inside of a CA, for ca/ alone.
 */
#ifndef PS_CA_INTERNAL_H
#define PS_CA_INTERNAL_H

#include "base/file.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "store/store.h"

/* What the three are: names of files and subjects, what each may do, how long it lives. */
struct ca_profile {
    const char *crt, *key, *crl;    /* files */
    const char *kind;               /* in the ledger */
    const char *title;              /* the CN, before its digits */
    unsigned uses;                  /* EKU */
    int path_len;                   /* -1: no limit */
    int days, crl_days;
};
extern const struct ca_profile ca_profiles[CA_WHO_LEN];

struct ca {
    char *dir;
    struct store *store;
    struct cert *cert[CA_WHO_LEN];
    struct key *key[CA_WHO_LEN];    /* NULL until it is needed */
    ca_pass_fn pass;
    void *pass_arg;
};

static inline enum ca_who ca_issuer_of(enum cert_use use)
{
    return use == CERT_USE_SERVER ? CA_SERVER : CA_CLIENT;
}

char *ca_path(const struct ca *ca, const char *name);   /* the caller's to free */
PS_MUST bool ca_need_key(struct ca *ca, enum ca_who who, struct ps_err *err);
PS_MUST bool ca_record(struct ca *ca, const struct cert *cert, const char *kind,
                       struct ps_err *err);
PS_MUST bool ca_write_chain(const struct ca *ca, const char *name, const struct cert_list *chain,
                            struct ps_err *err);
PS_MUST bool ca_write_key(const struct ca *ca, const char *name, const struct key *key,
                          const struct secret *pass, struct ps_err *err);
/* Write one CRL, whatever the old one was like; under the lock, or in a folder nobody else knows. */
PS_MUST bool ca_write_crl(struct ca *ca, enum ca_who who, struct ps_err *err);

#define CA_LEDGER "ledger.db"
#define CA_LOCK "lock"
#define CA_PROOF_CRT "revoked-proof.crt"
#define CA_PROOF_KEY "revoked-proof.key"
#define CA_PROOF_CN "pgseal-revoked-proof"
enum { CA_DAY_SECONDS = 24 * 60 * 60 };

#endif

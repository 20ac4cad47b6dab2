/*
 * ca.h - the private CA in a folder: a root, and two intermediates that sign leaves.
 *
 * One intermediate signs servers and one clients, kept apart by EKU: under one issuer for both, a
 * server certificate whose CN happens to be a role could log in as that role.
 *
 * The folder (0700):
 *     root.crt root.key               the root; its key may be encrypted, or taken away (offline)
 *     server-ca.crt server-ca.key     signs server certificates
 *     client-ca.crt client-ca.key     signs client certificates
 *     root.crl server-ca.crl client-ca.crl
 *     revoked-proof.crt .key          a client certificate that was revoked at birth: `prove` shows
 *                                     with it that revocation works
 *     ledger.db                       every certificate, revocation and CRL number (store/)
 *     lock                            held while CRLs are written; issuing needs none
 * Keys are 0600 from their first instant.  Everything is done as the current effective user.
 * The names of the three end in eight random digits, so that two CAs can be trusted side by side.
 */
#ifndef PS_CA_H
#define PS_CA_H

#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/key.h"
#include "tls/secret.h"

struct ca;
void ca_free(struct ca *ca);
PS_DEFINE_FREEP(struct ca, ca_free)

struct ca_spec {                    /* for a CA that is to be made */
    enum key_type key_type;
    struct cert_dn dn;              /* C, ST, L, O, OU of all its certificates; cn is not used */
    const struct secret *root_pass; /* NULL: the root key is not encrypted */
};

bool ca_exists(const char *dir);

/*
 * Make a CA in `dir`, which is absent or empty (PS_E_EXISTS otherwise).  It is built in a folder
 * beside, ".NAME.pgseal-XXXXXX", synced and renamed: a crash leaves nothing that ca_exists(), and
 * what it leaves beside may be deleted.
 */
PS_MUST bool ca_create(const char *dir, const struct ca_spec *spec, struct ca **out,
                       struct ps_err *err);

/*
 * Open one.  `pass` answers when an encrypted key is needed (called at most once for each key, may be
 * NULL: then PS_E_PASSPHRASE); the root key is not read before it is needed.  PS_E_NOT_FOUND when
 * there is no CA.
 */
typedef bool (*ca_pass_fn)(void *arg, const char *key_path, struct secret *out,
                           struct ps_err *err);
PS_MUST bool ca_open(const char *dir, ca_pass_fn pass, void *arg, struct ca **out,
                     struct ps_err *err);

const char *ca_dir(const struct ca *ca);
const struct cert *ca_root(const struct ca *ca);
const struct cert *ca_intermediate(const struct ca *ca, enum cert_use use);

enum {
    CA_DAYS_ROOT = 3650, CA_DAYS_INTERMEDIATE = 1825, CA_DAYS_SERVER = 365, CA_DAYS_CLIENT = 365,
    CA_DAYS_ROOT_CRL = 365, CA_DAYS_CRL = 180, CA_BACKDATE_SECONDS = 600
};

struct ca_leaf_spec {
    enum cert_use use;              /* CERT_USE_SERVER or CERT_USE_CLIENT */
    const char *common_name;        /* client: the role, exactly; server: NULL for the first host */
    const char *const *hosts;       /* server: SANs, NULL at the end */
    enum key_type key_type;
    long days;                      /* 0: the default of the use */
    time_t not_before, not_after;   /* both set: taken as they are (proof of an expired one) */
    bool proof;                     /* recorded as made for a proof */
};

struct ca_leaf {
    struct cert_list chain;         /* leaf, then the intermediate; not the root */
    struct key *key;
};
void ca_leaf_free(struct ca_leaf *leaf);        /* for PS_AUTO */

enum { CA_ROLE_MAX_BYTES = 63 };    /* NAMEDATALEN - 1: PostgreSQL cuts longer names */

/*
 * A new key and its certificate; verified as the peer will, and recorded in the ledger, before it is
 * given out.  A server's CN is its first host, or none when that is longer than 64.  PS_E_VALUE for a
 * role, host or number of days that cannot be.
 */
PS_MUST bool ca_issue(struct ca *ca, const struct ca_leaf_spec *spec, struct ca_leaf *out,
                      struct ps_err *err);

/* `reason` as in RFC 5280 5.3.1.  In force with the next ca_refresh_crls(), and a reload. */
PS_MUST bool ca_revoke(struct ca *ca, const struct cert *cert, int reason, struct ps_err *err);

/*
 * Write the CRLs that are stale (past half of their life, or revocations since); `force`: all three.
 * The root's needs the root key only when it is stale; without the key one that is still good stays,
 * with a warning.  Waits for another pgseal a while, then PS_E_BUSY.
 */
PS_MUST bool ca_refresh_crls(struct ca *ca, bool force, struct ps_err *err);

/*
 * What the two sides trust and check, as PEM:
 *   for the server (ssl_ca_file, ssl_crl_file): root and client CA; CRLs of both;
 *   for a client   (sslrootcert, sslcrl):       root; CRLs of root and server CA.
 * `side` is who checks: CERT_USE_SERVER gives what a server needs.  Tried with PostgreSQL's own flags
 * before they are given out: PS_E_CERT when they would refuse everybody, say by an expired CRL.
 */
PS_MUST bool ca_trust_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err);
PS_MUST bool ca_crl_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err);

/* The client certificate that was revoked at birth; its CN is "pgseal-revoked-proof". */
PS_MUST bool ca_revoked_proof(struct ca *ca, struct ca_leaf *out, struct ps_err *err);

#endif

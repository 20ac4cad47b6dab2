/*
 * ca.h - the private CA in a folder: roots, and intermediates that sign leaves.
 *
 * One intermediate signs servers and one clients, kept apart by EKU: under one issuer for both, a
 * server certificate whose CN happens to be a role could log in as that role.
 *
 * The folder (0700):
 *     ca.conf                         how the CA works (conf.h)
 *     root.crt root.key               the root; its key may be encrypted, or taken away (offline)
 *     server-ca.crt server-ca.key     signs server certificates
 *     client-ca.crt client-ca.key     signs client certificates
 *     root.crl server-ca.crl client-ca.crl
 *     root-2.crt, server-ca-2.crt ... later generations, with a key and a CRL each
 *     root-2-by-root.crt              the new root's key signed by the old root, and
 *     root-by-root-2.crt              the old root's key signed by the new one: for a rollover
 *                                     (.crt are copies for people: the ledger has the certificates)
 *     server-ca.csr                   a request that an offline root has to sign
 *     revoked-proof.crt .key          a client certificate that was revoked at birth: `prove` shows
 *                                     with it that revocation works
 *     ledger.db                       which authorities there are and which sign, every certificate,
 *                                     revocation and CRL (store/), unless ca.conf names a PostgreSQL
 *                                     database that several hosts share
 *     lock                            held while CRLs or authorities change; issuing needs none
 * A second host has a folder of its own: ca.conf, and the keys that are used on it.  It sees at once
 * what the first one did, and what needs a key that it has not fails with PS_E_NOT_FOUND.
 * Keys are 0600 from their first instant.  Everything is done as the current effective user.
 * The names of the authorities end in eight random digits, so that two CAs can be trusted side by side.
 *
 * Key types: EC and RSA are taken by every server, libpq and driver.  Ed25519 is taken by PostgreSQL
 * 12 to 18 and libpq 15 in every place but one: what signs a server's certificate.  SCRAM's channel
 * binding hashes that certificate with the digest of its signature (RFC 5929 4.1), Ed25519 has none,
 * and libpq then gives up every password login ("could not find digest for NID UNDEF"), unless
 * channel_binding=disable.  So the server CA of a CA with Ed25519 keys gets a P-256 key; a server's
 * own key may be Ed25519.
 */
#ifndef PS_CA_H
#define PS_CA_H

#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/key.h"
#include "tls/secret.h"

struct ca;
struct store;
void ca_free(struct ca *ca);
PS_DEFINE_FREEP(struct ca, ca_free)

/* ---- authorities ---- */

enum ca_who { CA_ROOT, CA_SERVER, CA_CLIENT, CA_WHO_LEN };      /* what an authority is for */

/*
 * waiting -> next -> active -> old -> retired.  A rollover makes a "next" one beside the active one;
 * once every host trusts it and has its CRL, ca_activate() lets it sign, and the active one becomes
 * "old": still trusted, still revoking, not signing.  "retired" is in no bundle and no set any more.
 */
enum ca_state { CA_WAITING, CA_NEXT, CA_ACTIVE, CA_OLD, CA_RETIRED, CA_STATE_LEN };

enum ca_key_kind {
    CA_KEY_FILE,        /* NAME.key in the folder; may be absent: offline */
    CA_KEY_URI,         /* "pkcs11:..." and whatever else OpenSSL's providers and engines open */
    CA_KEY_OFFLINE      /* never here: requests go out, certificates and CRLs come in */
};

struct ca_authority {
    const char *name;               /* "root", "server-ca-2": of its files */
    enum ca_who who;
    unsigned generation;            /* from 1 */
    enum ca_state state;
    const struct cert *cert;        /* NULL while it waits */
    const char *parent;             /* name of the root that issued it; "" for a root */
    enum ca_key_kind key_kind;
    const char *key_uri;            /* for CA_KEY_URI; otherwise NULL */
    bool key_here;                  /* it can be used on this host, as far as can be seen */
    const char *host;               /* where it was made; NULL: not known */
    bool revoked;                   /* its root's CRL lists it */
};
/* In the order they were made.  What they point at is the CA's, until the next act on it. */
size_t ca_authorities_len(const struct ca *ca);
struct ca_authority ca_authority_at(const struct ca *ca, size_t i);
PS_MUST bool ca_authority_find(const struct ca *ca, const char *name, struct ca_authority *out,
                               struct ps_err *err);     /* PS_E_NOT_FOUND lists the names */
const char *ca_state_name(enum ca_state state);         /* "active", ... as in ca.conf */

/* ---- making ---- */

struct ca_days {                    /* 0: the default below */
    long root, intermediate, server, client, root_crl, crl;
};
enum {
    CA_DAYS_ROOT = 3650, CA_DAYS_INTERMEDIATE = 1825, CA_DAYS_SERVER = 365, CA_DAYS_CLIENT = 365,
    CA_DAYS_ROOT_CRL = 365, CA_DAYS_CRL = 180, CA_BACKDATE_SECONDS = 600
};

enum ca_shape {
    CA_SHAPE_WHOLE,                 /* a root and two intermediates */
    CA_SHAPE_ROOT,                  /* a root alone: for a machine that is kept offline */
    CA_SHAPE_OFFLINE_ROOT           /* two intermediates that wait for a root elsewhere */
};

struct ca_spec {                    /* for a CA that is to be made */
    enum key_type key_type;
    struct cert_dn dn;              /* C, ST, L, O, OU of all its certificates; cn is not used */
    const struct secret *root_pass; /* NULL: the root key is not encrypted */
    const struct secret *pass;      /* the same for the keys of the intermediates */
    enum ca_shape shape;
    struct ca_days days;
    const char *key_uri[CA_WHO_LEN];    /* a key that exists behind a provider; NULL: made, in a file */
    const char *pass_command;       /* as PostgreSQL's ssl_passphrase_command; NULL: ask the caller */
    const char *store;              /* "postgresql://..."; NULL: ledger.db in the folder */
    const char *const *permit_dns;  /* name constraints of the server CA, NULL at the end */
    const char *const *permit_ip;   /* "10.0.0.0/8", "fd00::/8" */
    unsigned crl_shards;            /* 0 and 1: one CRL for each intermediate; see shard.h */
    const char *crl_url;            /* NULL: SHARD_URL */
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
 * NULL: then PS_E_PASSPHRASE); no key is read before it is needed.  PS_E_NOT_FOUND when there is no
 * CA.
 */
typedef bool (*ca_pass_fn)(void *arg, const char *key_path, struct secret *out,
                           struct ps_err *err);
PS_MUST bool ca_open(const char *dir, ca_pass_fn pass, void *arg, struct ca **out,
                     struct ps_err *err);

const char *ca_dir(const struct ca *ca);
struct store *ca_store(const struct ca *ca);            /* for questions; acts go through here */
const struct ca_days *ca_days(const struct ca *ca);     /* of this CA, none 0 */
unsigned ca_crl_shards(const struct ca *ca);            /* at least 1 */
const struct cert *ca_root(const struct ca *ca);        /* the active one; NULL when there is none */
const struct cert *ca_intermediate(const struct ca *ca, enum cert_use use);     /* likewise */

/* ---- leaves ---- */

struct ca_leaf_spec {
    enum cert_use use;              /* CERT_USE_SERVER or CERT_USE_CLIENT */
    const char *common_name;        /* client: the role, exactly; server: NULL for the first host */
    const char *const *hosts;       /* server: SANs, NULL at the end */
    const struct cert_dn *dn;       /* the other fields, for clientname=DN; NULL: the CA's */
    enum key_type key_type;
    const struct key *public_of;    /* the key of a request: none is made; NULL: one is made */
    long days;                      /* 0: the default of the use */
    time_t not_before, not_after;   /* both set: taken as they are (proof of an expired one) */
    bool proof;                     /* recorded as made for a proof */
};

struct ca_leaf {
    struct cert_list chain;         /* leaf, then the intermediate; not the root */
    struct key *key;                /* NULL with public_of */
    bool cut;                       /* it would have outlived its issuer, and ends with it: a warning */
};
void ca_leaf_free(struct ca_leaf *leaf);        /* for PS_AUTO */

enum { CA_ROLE_MAX_BYTES = 63 };    /* NAMEDATALEN - 1: PostgreSQL cuts longer names */
enum { CA_LEAF_MIN_DAYS = 7 };      /* if its issuer cuts it to less, a leaf is not issued */

/*
 * A new key and its certificate; verified as the peer will, and recorded in the ledger, before it is
 * given out.  A server's CN is its first host, or none when that is longer than 64.  PS_E_VALUE for a
 * role, host or number of days that cannot be.  PS_E_UNSAFE before anything is signed, when the clock
 * is before the issuer's notBefore, or the issuer has expired or is about to (CA_LEAF_MIN_DAYS).
 */
PS_MUST bool ca_issue(struct ca *ca, const struct ca_leaf_spec *spec, struct ca_leaf *out,
                      struct ps_err *err);

/*
 * What is sent after a leaf: its intermediate, and during a rollover of the root the new root's
 * certificate by the old one, for peers that trust the old one alone.  The leaf goes first.
 * PS_E_NOT_FOUND when no authority here has issued it.
 */
PS_MUST bool ca_chain_of(const struct ca *ca, const struct cert *leaf, struct cert_list *out,
                         struct ps_err *err);

/*
 * Record a leaf that the CA signed and the ledger does not know, as after a restore: only then can it
 * be revoked.  Nothing happens to one that is known; PS_E_NOT_FOUND when no authority here signed it.
 */
PS_MUST bool ca_record_lost(struct ca *ca, const struct cert *cert, struct ps_err *err);

/* `reason` as in RFC 5280 5.3.1.  In force with the next ca_refresh_crls(), and a reload. */
PS_MUST bool ca_revoke(struct ca *ca, const struct cert *cert, int reason, struct ps_err *err);
/* Every client certificate of a role that is good today; how many in *count. */
PS_MUST bool ca_revoke_role(struct ca *ca, const char *role, int reason, size_t *count,
                            struct ps_err *err);
/*
 * STORE_HOLD is taken back by these: good again with the next CRL, and a reload.  PS_E_UNSAFE when the
 * certificate is not on hold; of a role, all that are, and how many in *count.
 */
PS_MUST bool ca_release(struct ca *ca, const struct cert *cert, struct ps_err *err);
PS_MUST bool ca_release_role(struct ca *ca, const char *role, size_t *count, struct ps_err *err);
/* Is this certificate of ours revoked, or held, as the ledger has it? */
PS_MUST bool ca_is_revoked(struct ca *ca, const struct cert *cert, bool *out, struct ps_err *err);
/* A whole intermediate: its root's CRL lists it, and it never signs again. */
PS_MUST bool ca_revoke_authority(struct ca *ca, const char *name, int reason, struct ps_err *err);

/* ---- a root that is kept elsewhere ---- */

/* The request of an authority that waits (PKCS#10, PEM, with the extensions of a CA). */
PS_MUST bool ca_request_out(const struct ca *ca, const char *name, struct buf *out,
                            struct ps_err *err);
/*
 * On the machine of the root: sign such a request.  `who` decides its EKU and path length, whatever
 * the request asks for; PS_E_UNSAFE when it asks for that of the other side.  *out: the new certificate, then the
 * root.
 */
PS_MUST bool ca_sign_request(struct ca *ca, enum ca_who who, const char *pem, size_t len,
                             const char *name, struct cert_list *out, struct ps_err *err);
/*
 * Take the certificates that came back, the roots among them, in any order.  Checked before any is
 * kept: key, chain, path length, EKU, dates (PS_E_CERT says which is wrong).
 */
PS_MUST bool ca_certificate_in(struct ca *ca, const char *pem, size_t len, const char *name,
                               struct ps_err *err);
/* Take CRLs of roots that are kept elsewhere: issuer, signature, dates and CRL number are checked. */
PS_MUST bool ca_crl_in(struct ca *ca, const char *pem, size_t len, const char *name,
                       struct ps_err *err);

/* ---- rollover ---- */

struct ca_rollover_spec {
    enum ca_who who;
    enum key_type key_type;
    const struct secret *pass;      /* NULL: the new key is not encrypted */
    const char *key_uri;            /* NULL: a key is made */
    bool at_once;                   /* active now, without a time as "next" */
};
/*
 * A new authority beside the active one; *name is the caller's to free.  A new root comes with two
 * cross certificates, each signing the other's key.  One "next" of a kind at a time (PS_E_EXISTS).
 * Killed at any point it has happened or not.
 */
PS_MUST bool ca_rollover(struct ca *ca, const struct ca_rollover_spec *spec, char **name,
                         struct ps_err *err);
PS_MUST bool ca_activate(struct ca *ca, const char *name, struct ps_err *err);

/*
 * How many certificates that are neither expired nor revoked hang on this authority: leaves of an
 * intermediate, intermediates of a root.
 */
PS_MUST bool ca_dependents(struct ca *ca, const char *name, int64_t *count, struct ps_err *err);
/* An old one leaves bundles and CRL sets.  PS_E_UNSAFE while anything depends on it. */
PS_MUST bool ca_retire(struct ca *ca, const char *name, struct ps_err *err);

/* ---- what is handed out ---- */

/*
 * Write the CRLs that are stale (past half of their life, or revocations since); `force`: all of
 * them.  The root's needs the root key only when it is stale; without the key one that is still good
 * stays, with a warning.  Waits for another pgseal a while, then PS_E_BUSY.
 */
PS_MUST bool ca_refresh_crls(struct ca *ca, bool force, struct ps_err *err);
/* The same for those alone that ca_crl_pem() gives to this side: the list of a million clients need not
 * be looked at for the files of one of them. */
PS_MUST bool ca_refresh_side(struct ca *ca, enum cert_use side, struct ps_err *err);

/*
 * What the two sides trust and check, as PEM:
 *   for the server (ssl_ca_file, ssl_crl_file): roots and client CAs; CRLs of all of them;
 *   for a client   (sslrootcert, sslcrl):       roots; CRLs of roots and server CAs.
 * All generations that are not retired.  `side` is who checks: CERT_USE_SERVER gives what a server
 * needs.  Tried with PostgreSQL's own flags before they are given out: PS_E_CERT when they would
 * refuse everybody, say by an expired CRL.
 */
PS_MUST bool ca_trust_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err);
PS_MUST bool ca_crl_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err);

typedef bool (*ca_write_fn)(void *arg, const void *bytes, size_t len, struct ps_err *err);
/*
 * The same in pieces, for lists of any length: *out is what is given out, to be looked at (crl_info()
 * alone is sure to know all of a list); `write` may be NULL.  Nothing is written when it fails the
 * trial.
 */
PS_MUST bool ca_crls(struct ca *ca, enum cert_use side, struct crl_list *out, ca_write_fn write,
                     void *arg, struct ps_err *err);

/* The client certificate that was revoked at birth; its CN is "pgseal-revoked-proof". */
PS_MUST bool ca_revoked_proof(struct ca *ca, struct ca_leaf *out, struct ps_err *err);

#endif

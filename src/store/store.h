/*
 * store.h - the ledger of a CA: certificates, requests, revocations, CRLs, authorities, settings,
 * and an audit log that is chained by hash.
 *
 * One interface, two engines: SQLite in a file of the CA's folder (WAL, synchronous=FULL), and
 * PostgreSQL for hosts that share one CA.  Whatever returns true is committed and on disk, unless
 * a group is open; what fails has changed nothing.  Any number of processes may work at once: each
 * waits at most STORE_WAIT_MS for the others, then it is PS_E_BUSY.  Every other failure of an
 * engine is PS_E_STORE.  A connection that breaks is an error too, and whether a commit under way
 * was done is asked of the server before it is reported (store_commit).
 *
 * Every change adds one row to the audit log in the same transaction.  That row covers, by SHA-256,
 * what the change wrote; so store_verify() finds rows that were changed, removed or put in, in the
 * log and in the tables.
 *
 * A ledger that was copied must not issue: two CAs would share one identity, and one would not know
 * what the other revoked.  So each ledger knows its place, and in another one every change is
 * PS_E_UNSAFE until store_adopt().
 *
 * A store is not for two threads at once.  Callbacks may not use the store that calls them; what
 * they are given is valid until they return, and when they return false the walk ends and so does
 * the function, with the callback's error.
 */
#ifndef PS_STORE_H
#define PS_STORE_H

#include "base/buf.h"
#include "base/err.h"

struct store;
void store_free(struct store *store);       /* a group that is open is undone */
PS_DEFINE_FREEP(struct store, store_free)

enum { STORE_WAIT_MS = 30000, STORE_SERIAL_MAX = 20, STORE_HASH_HEX = 65, STORE_ID_HEX = 33 };

/* ---- the ledger itself ---- */

/*
 * Open a ledger, or make it.  `where` is a connection string ("postgresql://...", "postgres://...",
 * or "keyword=value ..." as libpq has it), or else the path of a file (made with 0600).  In
 * PostgreSQL it is the schema "pgseal".  An older ledger is brought up to date;
 * PS_E_UNSUPPORTED when a newer pgseal has written it.
 */
PS_MUST bool store_open(const char *where, struct store **out, struct ps_err *err);

/* Would store_open() take `where` for a connection string, and not for a file? */
bool store_is_remote(const char *where);

struct store_info {
    const char *engine;         /* "sqlite" or "postgresql" */
    const char *where;          /* for people: a path, or host, port and database; no password */
    const char *id;             /* random, given once; a copy has the same */
    int version;                /* of the schema */
    bool copied;                /* it is not where it was: see store_adopt() */
    const char *place, *home;   /* where it is and where it belongs, for people */
};
const struct store_info *store_info(const struct store *store);

/*
 * This ledger belongs here from now on: after a restore or a move.  Because the CRLs of the lost
 * time are unknown, each CRL number is raised to the milliseconds since 1970, which no CA has used
 * up (by a million, when the clock is behind that); every CRL of before is outdated
 * (store_look_at_crl).
 */
PS_MUST bool store_adopt(struct store *store, struct ps_err *err);

/*
 * Several changes as one: all of them, or none.  Between begin and commit the other functions write
 * nothing on their own.  After any failure the group must be cancelled.  A commit whose outcome is
 * unknown (the connection broke) is looked up over a new connection: true when it was done.
 */
PS_MUST bool store_begin(struct store *store, struct ps_err *err);
PS_MUST bool store_commit(struct store *store, struct ps_err *err);
void store_cancel(struct store *store);         /* nothing happens when no group is open */

/*
 * Be the only one, on any host, that changes authorities or CRLs: over several transactions, until
 * store_unhold() or the end of the connection.  For a file this does nothing: the lock of the CA's
 * folder is enough there.
 */
PS_MUST bool store_hold(struct store *store, struct ps_err *err);
void store_unhold(struct store *store);

/* ---- certificates ---- */

struct store_cert {
    const char *serial_hex, *issuer, *subject, *kind;   /* kind: "root", "server", "proof", ... */
    const char *fingerprint;                            /* SHA-256 of the DER, lower case hex */
    time_t not_before, not_after;
    const void *der;
    size_t der_len;
    const char *common_name;            /* NULL: none */
    const char *const *hosts;           /* names of a server, NULL at the end; or NULL */
    const char *const *addresses;       /* likewise; read back, they are among the hosts */
    int shard;                          /* of the CRLs, from 0; 0 when there is only one */
};
/* PS_E_EXISTS for the same issuer and serial; PS_E_UNSAFE when the issuer was retired meanwhile. */
PS_MUST bool store_put_cert(struct store *store, const struct store_cert *cert,
                            struct ps_err *err);
/* All of them in one commit, and one row of the audit log; about 1,024 at a time are fastest. */
PS_MUST bool store_put_certs(struct store *store, const struct store_cert *certs, size_t len,
                             struct ps_err *err);

/*
 * What is revoked is so whether it has expired or not.  STORE_HELD is only asked for: on hold, and not
 * expired; entries say STORE_REVOKED, with the reason STORE_HOLD.
 */
enum store_state { STORE_ANY, STORE_VALID, STORE_EXPIRED, STORE_REVOKED, STORE_HELD };
enum { STORE_HOLD = 6 };            /* certificateHold of RFC 5280 5.3.1 */
enum store_sort { STORE_BY_ENTRY, STORE_BY_END, STORE_BY_NAME };

/* What is asked for; a field that is 0 or NULL asks for nothing.  Text is compared exactly. */
struct store_filter {
    const char *issuer, *serial_hex, *fingerprint, *kind, *common_name;
    const char *host;               /* one of the hosts, without regard to case */
    enum store_state state;
    long within_days;               /* ends within so many days from now */
    bool newest;                    /* leave out what a later one of the same kind and name replaced */
    time_t now;                     /* 0: the clock */
    enum store_sort sort;
    bool descending;
    int64_t limit;                  /* 0: all */
    bool with_der, with_hosts;      /* read these too; else NULL */
};

struct store_entry {
    struct store_cert cert;
    enum store_state state;
    time_t recorded_at, revoked_at; /* revoked_at 0: it is not */
    int reason;
};
typedef bool (*store_entry_fn)(void *arg, const struct store_entry *entry, struct ps_err *err);
/* Each certificate that fits, in order, as a stream; none is no error. */
PS_MUST bool store_list(struct store *store, const struct store_filter *filter, store_entry_fn fn,
                        void *arg, struct ps_err *err);
/* How many fit; limit and sort are not looked at. */
PS_MUST bool store_count(struct store *store, const struct store_filter *filter, int64_t *out,
                         struct ps_err *err);

/* ---- revocation and CRLs ---- */

/*
 * PS_E_NOT_FOUND when no such certificate was issued.  Revoking twice keeps the first, unless that was
 * a hold: any other reason is then for good.
 */
PS_MUST bool store_revoke(struct store *store, const char *issuer, const char *serial_hex,
                          time_t when, int reason, struct ps_err *err);
/*
 * All that fit and are not revoked yet, or are on hold, in one commit; how many in *out, which may be
 * 0.  STORE_VALID asks here for those that have not expired.
 */
PS_MUST bool store_revoke_all(struct store *store, const struct store_filter *filter, time_t when,
                              int reason, int64_t *out, struct ps_err *err);
/* End the hold of all that fit and are on hold: they are good again; how many in *out. */
PS_MUST bool store_release_all(struct store *store, const struct store_filter *filter, time_t when,
                               int64_t *out, struct ps_err *err);

struct store_revoked {
    const unsigned char *serial;    /* big-endian, no leading zero bytes */
    size_t serial_len;
    time_t when, not_after;
    int reason;
};
typedef bool (*store_revoked_fn)(void *arg, const struct store_revoked *entry, struct ps_err *err);
/*
 * What belongs on the next CRL of an issuer and shard, sorted by serial, as a stream.  A
 * certificate that expired is left out when a CRL made after its end has listed it and got out (RFC
 * 5280 3.3).
 */
PS_MUST bool store_each_revoked(struct store *store, const char *issuer, int shard,
                                store_revoked_fn fn, void *arg, struct ps_err *err);

/*
 * The next CRL number of an issuer and shard: committed before it is given, so it only grows.  Take
 * it before store_each_revoked(): what was revoked later is not counted as listed by this CRL.
 */
PS_MUST bool store_next_crl_number(struct store *store, const char *issuer, int shard, int64_t *out,
                                   struct ps_err *err);

struct store_crl {
    const char *issuer;
    int shard;
    int64_t number, entries;
    time_t this_update, next_update;
    const char *digest;             /* SHA-256 of the DER, lower case hex */
    const void *der;                /* NULL: only its digest is kept */
    size_t der_len;
};
/*
 * A CRL that was made here, or was brought from an offline CA; before it is published.  The number
 * must be above that of every CRL of the series in the ledger: PS_E_VALUE.
 */
PS_MUST bool store_put_crl(struct store *store, const struct store_crl *crl, struct ps_err *err);
/* It stands where it is fetched from: what it listed may be left out one day. */
PS_MUST bool store_crl_is_out(struct store *store, const char *issuer, int shard, int64_t number,
                              struct ps_err *err);
typedef bool (*store_crl_fn)(void *arg, const struct store_crl *crl, struct ps_err *err);
/* The newest CRL of each issuer and shard; `issuer` NULL: of all. */
PS_MUST bool store_each_crl(struct store *store, const char *issuer, store_crl_fn fn, void *arg,
                            struct ps_err *err);

struct store_crl_look {
    bool recorded;                  /* with this digest; or its number is of before CRLs were recorded */
    bool outdated;                  /* revoked, released or restored since its number was taken */
    bool restored;                  /* it is of before the ledger was adopted: see store_adopt() */
    int64_t newer;                  /* a later one got out: its number; 0: none */
};
/* What the ledger knows of a CRL that was found somewhere. */
PS_MUST bool store_look_at_crl(struct store *store, const char *issuer, int shard, int64_t number,
                               const char *digest, struct store_crl_look *out,
                               struct ps_err *err);

/* ---- requests ---- */

struct store_request {
    int64_t id;                     /* given by the ledger */
    const char *kind, *subject;     /* kind: what it asks for, as in struct store_cert */
    const char *digest;             /* SHA-256 of the DER, lower case hex */
    const void *der;
    size_t der_len;
    time_t recorded_at;
};
PS_MUST bool store_put_request(struct store *store, const struct store_request *request,
                               struct ps_err *err);
typedef bool (*store_request_fn)(void *arg, const struct store_request *request,
                                 struct ps_err *err);
PS_MUST bool store_each_request(struct store *store, store_request_fn fn, void *arg,
                                struct ps_err *err);

/* ---- authorities ---- */

enum store_authority_state { STORE_WAITING, STORE_NEXT, STORE_ACTIVE, STORE_OLD, STORE_RETIRED };

/* One authority of the CA as it is now; what the states mean is ca/'s business, but for the last. */
struct store_authority {
    const char *name;               /* "root", "server-ca-2", ... */
    enum store_authority_state state;   /* STORE_RETIRED: store_put_cert() takes nothing of it */
    const char *parent;             /* name of its root; "" for a root, or not known yet */
    const char *key;                /* where its key is, in ca/'s words */
    bool revoked;
    const char *subject;            /* as the issuer of its certificates has it; "" while it waits */
    const void *der;                /* its certificate; NULL while it waits */
    size_t der_len;
    time_t recorded_at;             /* given by the ledger, as is */
    const char *host;               /* where it was made */
};
/* Make it, or say how it is from now on. */
PS_MUST bool store_put_authority(struct store *store, const struct store_authority *authority,
                                 struct ps_err *err);
typedef bool (*store_authority_fn)(void *arg, const struct store_authority *authority,
                                   struct ps_err *err);
/* In the order in which they were made. */
PS_MUST bool store_each_authority(struct store *store, store_authority_fn fn, void *arg,
                                  struct ps_err *err);
/* Another number after each change of any of them; 0: there is none. */
PS_MUST bool store_authorities_version(struct store *store, int64_t *out, struct ps_err *err);

/* ---- settings ---- */

PS_MUST bool store_set(struct store *store, const char *key, const char *value,
                       struct ps_err *err);
/* *out is the caller's to free(); NULL when it is not set. */
PS_MUST bool store_get(struct store *store, const char *key, char **out, struct ps_err *err);

/* ---- the audit log ---- */

struct store_act {
    int64_t id;                     /* 1, 2, 3, ... without a gap */
    time_t at;
    const char *who, *host;         /* the user of the operating system, and the host */
    int64_t pid;
    const char *act;                /* a word: "issue", "revoke", "crl", "adopt", ... */
    const char *object, *detail;    /* what it was done to, and how */
    const char *hash;               /* of this row and, through the one before, of all before it */
};
/* Add an act of the caller's own, such as "export". */
PS_MUST bool store_note(struct store *store, const char *act, const char *object,
                        const char *detail, struct ps_err *err);
typedef bool (*store_act_fn)(void *arg, const struct store_act *act, struct ps_err *err);
/* The acts after number `after`, oldest first. */
PS_MUST bool store_each_act(struct store *store, int64_t after, store_act_fn fn, void *arg,
                            struct ps_err *err);

struct store_verdict {
    int64_t acts;                   /* how many were looked at */
    char head[STORE_HASH_HEX];      /* hash of the last one: keep it elsewhere, to compare */
    bool sound;
    int64_t bad_act;                /* the first that is wrong; 0: all are right */
    char what[256];                 /* what is wrong with it, translated; "" when sound */
};
/*
 * Look at every act, and at everything they wrote.  A ledger that was tampered with is a verdict,
 * not an error.  Who can write to the ledger can also forge a whole chain: only a `head` that was
 * kept elsewhere tells that apart.
 */
PS_MUST bool store_verify(struct store *store, struct store_verdict *out, struct ps_err *err);

/* ---- backup ---- */

/* Into a new file (0600), an SQLite ledger whatever the engine; others may go on working. */
PS_MUST bool store_backup(struct store *store, const char *path, struct ps_err *err);
/* From such a file into a new ledger, which is then at home there: see store_adopt(). */
PS_MUST bool store_restore(const char *path, const char *where, struct ps_err *err);

#endif

/*
 * secure.h - the main job: from a server without TLS to one whose TLS is verified, or back.
 *
 * Phases: preflight, certificates, plan, consent, files, reload, verification, clients, proof.  Up to
 * consent nothing is changed.  From the files on, any failure undoes everything in reverse order and
 * proves the old state again (PS_E_ROLLED_BACK).  A CA that was made stays: it hurts nobody, and what
 * it issued is on record.
 *
 * As root, what belongs to the server is done as the owner of the data directory.
 */
#ifndef PS_SECURE_H
#define PS_SECURE_H

#include "ca/ca.h"
#include "doc/doc.h"
#include "prove/prove.h"
#include "secure/creds.h"
#include "secure/policy.h"
#include "secure/settings.h"

/* Show the plan and ask; PS_E_DECLINED for no. */
typedef bool (*secure_ask_fn)(void *arg, const struct doc *plan, struct ps_err *err);

/* Who looks at the wire during the proof; it is no failure of `secure` when nobody can. */
struct secure_watch {
    /* The server is known, and no key, passphrase or password was read yet; also the place to ask for one. */
    bool (*begin)(void *arg, const struct server *server, struct ps_err *err);
    void (*go)(void *arg);          /* the proof begins */
    void (*end)(void *arg, struct prove_result *result);    /* what was seen goes into it */
    void *arg;
};

struct secure_spec {
    const char *data_dir;
    const char *state_dir;          /* NULL: DATADIR.pgseal */
    const char *bin_dir;            /* NULL: found */
    const char *target;             /* administrator's connection string; NULL: over the socket */
    struct creds_spec creds;  /* its hosts NULL: the likely names */
    struct policy_set *policies;    /* memberships are filled in */
    bool enforce;                   /* false: TLS is offered, pg_hba.conf is left alone */
    enum profile profile;
    const char *min_protocol, *max_protocol;
    const char *const *clients;     /* roles that get a kit, NULL at the end; may be NULL */
    const char *client_dir;
    bool dry_run, start, prove;
    secure_ask_fn ask;              /* NULL: go on without asking */
    void *ask_arg;
    struct secure_watch watch;
};

/*
 * Do it.  `doc` is filled in as far as it came, also on failure.  *passed is false when the proof
 * found a way in that should not be.  PS_E_UNSAFE, PS_E_UNSUPPORTED and others before anything was
 * changed; PS_E_ROLLED_BACK after.
 */
PS_MUST bool secure_run(const struct secure_spec *spec, struct doc *doc, bool *passed,
                        struct ps_err *err);

struct rollback_spec {
    const char *data_dir, *state_dir, *target;
    bool force;                     /* also over files that somebody changed since */
};

/* Take back the latest transaction that is not undone; also one that a crash left half done. */
PS_MUST bool rollback_run(const struct rollback_spec *spec, struct doc *doc, struct ps_err *err);

#endif

/*
 * plan.h - what would be changed on disk: wanted minus present, each change with its way back.
 *
 * A plan is an ordered list of files to make or to replace.  The order is a promise: after any number
 * of its changes, from the first on, the server can start and the administrator gets in, because
 * files come before the settings that name them and settings before the rules that need them.  A
 * file that has the wanted bytes already is no change.
 *
 * Building a plan only reads.
 */
#ifndef PS_PLAN_H
#define PS_PLAN_H

#include "base/file.h"
#include "base/user.h"
#include "doc/doc.h"
#include "tls/digest.h"
#include "tls/secret.h"

struct change {
    char *path;
    const char *what;           /* translated: "server certificate" */
    bool existed;
    struct buf before;          /* the old bytes, when it existed */
    struct secret after;        /* the new bytes; secure memory, for some are keys */
    bool is_key;                /* never shown */
    mode_t mode;                /* of a file that is made */
    struct user actor;          /* who does it, when we are root */
    char before_sha[DIGEST_HEX], after_sha[DIGEST_HEX];
};

struct plan {
    struct change *changes;
    size_t len, cap;
};

void plan_free(struct plan *plan);      /* for PS_AUTO; wipes */

/*
 * Want `path` to hold these bytes.  Compares with what is there, as `owner` (or as root where the
 * folder is not the owner's to write), and adds a change when they differ.
 */
PS_MUST bool plan_want(struct plan *plan, const struct user *owner, const char *path,
                       const char *what, const void *bytes, size_t len, mode_t mode, bool is_key,
                       struct ps_err *err);

/*
 * The user under whom a file in this folder is to be changed: the owner when he may write there,
 * otherwise ourselves.
 */
void plan_actor(const struct user *owner, const char *dir, struct user *out);

/* A digest of the old bytes of all that is replaced: two plans with the same one start from the same. */
void plan_base(const struct plan *plan, char out[DIGEST_HEX]);

/* Do one change, atomically; PS_E_BUSY when the file is not as it was when it was planned. */
PS_MUST bool change_do(const struct change *change, struct ps_err *err);

/* A table of the changes, and the difference of each text that is replaced. */
void plan_describe(const struct plan *plan, struct doc_node *section);

#endif

/*
 * user.h - act as somebody else for a while: as root, what belongs to a server is done as its owner.
 *
 * The effective ids change, so that files are made, and sockets opened, as that user (peer
 * authentication sees the effective uid), and HOME is his: libpq looks there for passwords and
 * certificates.  One thread only; never two guards at once.
 */
#ifndef PS_USER_H
#define PS_USER_H

#include <sys/types.h>

#include "base/err.h"

struct user {
    uid_t uid;
    gid_t gid;
    char name[64];      /* "#1000" when the system knows no name */
    char home[256];     /* "" likewise */
};

void user_by_uid(uid_t uid, gid_t gid_if_unknown, struct user *out);
void user_current(struct user *out);

struct user_guard {
    bool active;
    uid_t uid;
    gid_t gid;
    int groups_len;
    gid_t groups[64];
    char *home;         /* our HOME; NULL: it was not set */
};

/*
 * Become `user` until user_return.  Nothing happens when we are that user already; PS_E_UNSUPPORTED
 * when we are neither that user nor root.
 *
 *     PS_AUTO(user_return) struct user_guard guard = { 0 };
 *     if (!user_become(&facts->owner, &guard, err)) return false;
 */
PS_MUST bool user_become(const struct user *user, struct user_guard *guard, struct ps_err *err);
void user_return(struct user_guard *guard);     /* ends the program if it cannot */

/*
 * fchown() as the user who started us: what root owns in a folder of the server's owner stays root's
 * when it is replaced.  Only on a descriptor, for the folder's owner could change a name meanwhile.
 */
PS_MUST bool user_give(int fd, uid_t uid, gid_t gid);

#endif

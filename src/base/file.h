/*
 * file.h - read whole files with a bound; change them as a transaction.
 *
 * A change is: write beside, sync, rename, sync the folder.  A crash at any point leaves the old file
 * or the new one, never half of one.  Owner, group, mode, access control list and SELinux label of the
 * old file are kept.
 * The name beside is ".NAME.pgseal-XXXXXX": PostgreSQL's include_dir skips names that begin with a
 * dot (conffiles.c), and whoever finds one after a power cut may delete it.
 *
 * Everything is done as the current effective user: see user.h for acting as a server's owner.
 */
#ifndef PS_FILE_H
#define PS_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define FILE_CONF_MAX (16u << 20)   /* bound for configuration files, certificates, journals */

/*
 * Read a regular file whole, at most max bytes (PS_E_TOO_BIG beyond).  PS_E_NOT_FOUND when it does
 * not exist, PS_E_IO otherwise.  `out` is cleared first, its max set, and it belongs to the caller.
 */
PS_MUST bool file_read(const char *path, size_t max, struct buf *out, struct ps_err *err);

bool file_exists(const char *path);     /* of any kind; a dangling link does not */
bool file_is_dir(const char *path);
/* What is written to as it is, never replaced: a device, a pipe, a socket, and what a link in /dev leads to. */
bool file_is_stream(const char *path);

struct file_attr {
    mode_t mode;        /* of the permission bits, such as 0600 */
    uid_t uid;          /* (uid_t)-1: whoever we act as */
    gid_t gid;          /* (gid_t)-1: likewise */
};

/* Attributes of a file that exists. */
PS_MUST bool file_attr_read(const char *path, struct file_attr *out, struct ps_err *err);

struct file_edit;       /* a change that has begun; freed without commit, nothing has happened */

/*
 * Begin to replace `path`, or to make it.  A symbolic link is followed first: the file it names is
 * replaced, the link stays; one that points to nothing is PS_E_NOT_FOUND.  `fresh` gives the
 * attributes of a file that does not exist yet; with NULL the file must exist.  The bytes are never
 * readable wider than the final mode.
 */
PS_MUST bool file_edit_begin(const char *path, const struct file_attr *fresh,
                             struct file_edit **out, struct ps_err *err);
PS_MUST bool file_edit_put(struct file_edit *edit, const void *bytes, size_t len,
                           struct ps_err *err);
/* Sync, rename, sync the folder.  Fails with PS_E_BUSY when somebody changed the file since begin. */
PS_MUST bool file_edit_commit(struct file_edit **edit, struct ps_err *err);
void file_edit_free(struct file_edit *edit);
PS_DEFINE_FREEP(struct file_edit, file_edit_free)

/* The three above in one: make or replace `path` with these bytes; a new file gets `mode`. */
PS_MUST bool file_write(const char *path, const void *bytes, size_t len, mode_t mode,
                        struct ps_err *err);

/*
 * Look whether file_write() has a chance, before work is done whose result it is to hold: the folder is
 * there and may be written to; of a stream, that it may be written to itself.
 */
PS_MUST bool file_check_place(const char *path, struct ps_err *err);

/* Remove a file and sync its folder; a file that is not there is fine. */
PS_MUST bool file_remove(const char *path, struct ps_err *err);

/* Sync what a folder lists, after names in it were made, moved or removed. */
PS_MUST bool dir_sync(const char *path, struct ps_err *err);

/*
 * Make a folder with exactly this mode, and its missing parents with 0755; true in *made when the
 * last one was made now.  A folder that exists is left as it is.
 */
PS_MUST bool dir_ensure(const char *path, mode_t mode, bool *made, struct ps_err *err);

/* A private folder (0700) under $TMPDIR or /tmp; the caller frees *path and removes the folder. */
PS_MUST bool dir_temp(char **path, struct ps_err *err);
void dir_remove_all(const char *path);      /* what can be removed is; never follows links */

/*
 * An exclusive lock on `path`, made with 0600 when absent, held until lock_free.  Fails at once with
 * PS_E_BUSY, naming the process that holds it.
 */
struct file_lock;
PS_MUST bool lock_take(const char *path, struct file_lock **out, struct ps_err *err);
void lock_free(struct file_lock *lock);
PS_DEFINE_FREEP(struct file_lock, lock_free)

/* Path arithmetic; all results are the caller's to free. */
char *path_join(const char *dir, const char *name);     /* `name` alone when it is absolute */
char *path_dir(const char *path);
const char *path_base(const char *path);                /* points into `path` */
PS_MUST bool path_absolute(const char *path, char **out, struct ps_err *err);   /* need not exist */

#endif

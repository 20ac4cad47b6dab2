/*
 * view.h - the files of a server as one of three sources shows them: disk, copies, SQL.
 *
 * Reads are bounded, never block, and are kept: a file is read once, and its lines are at hand for the
 * places of findings.  Private keys never go through here (see view_key).
 */
#ifndef INSPECT_VIEW_H
#define INSPECT_VIEW_H

#include <sys/stat.h>

#include "base/mem.h"
#include "base/user.h"
#include "facts/finding.h"
#include "inspect/remote.h"
#include "pg/source.h"
#include "tls/secret.h"

enum view_end {
    VIEW_READ,
    VIEW_MISSING,               /* the server would not find it either */
    VIEW_BROKEN,                /* it is there, and the server could not read it */
    VIEW_UNSEEN                 /* we cannot tell */
};

struct view_file {
    const char *path;           /* absolute where that is known; of a copy where the copy is */
    enum view_end end;
    const char *why;            /* translated; NULL for VIEW_READ */
    bool stat_known;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    time_t modified;            /* 0: not known */
    const char *text;           /* of VIEW_READ, with a NUL behind */
    size_t len;
};

struct view;
void view_free(struct view *view);
PS_DEFINE_FREEP(struct view, view_free)

/* Texts in `arena`.  `base` is the data directory, where relative names begin. */
struct view *view_of_disk(struct arena *arena, const char *base, const struct user *server);
struct view *view_of_copies(struct arena *arena, const char *dir);
struct view *view_of_remote(struct arena *arena, const struct remote *remote);

/* Where `path` is; for copies the copy, or NULL when there is none. */
const char *view_path(struct view *view, const char *path);

/* Never NULL; the same answer for the same path. */
const struct view_file *view_read(struct view *view, const char *path);
/* What is known of it but its text. */
struct view_file view_look(struct view *view, const char *path);
/* A private key, into secure memory; not by SQL (VIEW_UNSEEN). */
struct view_file view_key(struct view *view, const char *path, struct secret *out);

/* Names in a folder, sorted; at most VIEW_NAMES_MAX.  `out` has the end and why. */
#define VIEW_NAMES_MAX 10000
struct view_file view_list(struct view *view, const char *path, const char ***names, size_t *len);

/*
 * For the parsers; valid as long as the view.  A file that is not among copies reads as empty;
 * view_absent() then has the first of them, in words, once; NULL: there was none.
 */
struct pg_source view_source(struct view *view);
const char *view_absent(struct view *view);

/* The place of a line of a file that was read, with its text.  Columns from 1, 0 as in finding.h. */
struct place view_place(struct view *view, const char *path, unsigned line, unsigned column,
                        unsigned end_column);

#endif

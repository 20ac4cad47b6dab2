/*
 * remote.h - read the files of a server that we have only a connection to.
 *
 * By SQL where the role may (pg_read_file, pg_ls_dir: superusers, and who was granted them), else from
 * this machine's disk when the connection does not leave it.  Private keys are never read.
 */
#ifndef INSPECT_REMOTE_H
#define INSPECT_REMOTE_H

#include "base/buf.h"
#include "base/mem.h"
#include "inspect/sql.h"

enum remote_origin { REMOTE_NONE, REMOTE_SQL, REMOTE_DISK };

struct remote {
    struct sql *sql;
    const char *data_dir;       /* relative names begin there; NULL: not known */
    bool on_this_machine;
};

/* *origin says which way it was read.  The error of the first way when no way leads there. */
PS_MUST bool remote_read(const struct remote *remote, const char *path, struct buf *out,
                         enum remote_origin *origin, struct ps_err *err);

/* Names in a folder, sorted, in `arena`; at most REMOTE_NAMES_MAX (PS_E_TOO_BIG). */
#define REMOTE_NAMES_MAX 1000
PS_MUST bool remote_list(const struct remote *remote, const char *path, struct arena *arena,
                         const char ***names, size_t *len, struct ps_err *err);

#endif

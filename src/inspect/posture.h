/*
 * posture.h - everything that the rules want to know of one server: made here, from one of three sources.
 *
 * Made postures are whole: what could not be seen says why.  Nothing is changed anywhere, and nothing
 * is waited for but the server itself: files are read without blocking and with bounds.
 * `trust`, `crls` and `critical` are the caller's to set; `now` is the clock of this machine.
 */
#ifndef INSPECT_POSTURE_H
#define INSPECT_POSTURE_H

#include "facts/posture.h"

struct posture_options {
    const char *bin_dir;        /* NULL: found as inspect_server() does */
    int wire_ms;                /* limit for a look at the running server's own port; 0: it is not knocked at */
};
#define POSTURE_WIRE_MS 1500

/*
 * A data directory of this machine, the server running or not.  Broken files are facts, not errors; so are
 * programs that are not found.  False only when it is no data directory, or we may not look into it.
 */
PS_MUST bool posture_of_data_dir(const char *data_dir, const struct posture_options *options,
                                 struct posture **out, struct ps_err *err);

/*
 * A folder of copies: postgresql.conf, postgresql.auto.conf, pg_hba.conf, pg_ident.conf, pg_hosts.conf,
 * certificates.  A file that they name is looked for in `dir` as in a root, then by its base name; one that
 * is in neither place is not examined.  False when there is no such folder, or none of these files in it
 * (PS_E_NOT_FOUND).  `major` from 9 (for 9.6) to PG_MAJOR_MAX.
 */
PS_MUST bool posture_of_files(const char *dir, unsigned major, struct posture **out, struct ps_err *err);

/* What one role may see through one connection.  Errors as of sql_connect(). */
PS_MUST bool posture_by_sql(const char *conninfo, struct posture **out, struct ps_err *err);

#endif

/*
 * inforce.h - the settings in force that matter to TLS, and where each comes from: pg_settings.
 *
 * A role without pg_read_all_settings gets no row for the settings that only superusers see (such as
 * hba_file), and NULL for the file and line of the others.
 */
#ifndef INSPECT_INFORCE_H
#define INSPECT_INFORCE_H

#include "base/mem.h"
#include "inspect/sql.h"

struct inforce_setting {
    const char *name, *value;
    const char *source;         /* "default", "configuration file", "command line", ... */
    const char *file;           /* NULL: from no file, or not shown to us */
    long line;                  /* in that file; 0: likewise */
    bool pending_restart;       /* changed in a file, and only a restart would take it */
};

struct inforce {
    struct inforce_setting *at;     /* by name */
    size_t len;
    bool all_shown;                 /* we may see files and hidden settings */
};

/* All in `arena`. */
PS_MUST bool inforce_read(struct sql *sql, struct arena *arena, struct inforce *out,
                          struct ps_err *err);

/* The value, or NULL when the server does not know that setting or does not show it. */
const char *inforce_value(const struct inforce *settings, const char *name);

#endif

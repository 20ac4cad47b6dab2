/*
 * inspect.h - source 1: a server's own files and processes, and SQL.
 */
#ifndef PS_INSPECT_H
#define PS_INSPECT_H

#include "base/err.h"
#include "facts/server.h"
#include "pg/source.h"

struct inspect_options {
    const char *bin_dir;        /* NULL: found from the process, the usual folders, PATH */
    bool bare;                  /* only folder, owner and process: works on a server whose files are
                                   broken or gone, as `rollback` must */
    bool tolerant;              /* files and programs that are not there, or cannot be read, are absent:
                                   config_file, conf, bin_dir, version may be NULL, and hba, which may be
                                   huge, is left to the caller */
};

/* Look at the server of this data directory; reads only, changes nothing, needs no connection. */
PS_MUST bool inspect_server(const char *data_dir, const struct inspect_options *options,
                            struct server **out, struct ps_err *err);

/* The real files of this machine, for the parsers. */
extern const struct pg_source inspect_files;

#endif

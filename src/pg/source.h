/*
 * source.h - where a parser that follows includes gets the other files from.
 *
 * The parsers do no I/O: a live server's files, a folder of copies, a test and a fuzzer give them the
 * same way.
 */
#ifndef PS_SOURCE_H
#define PS_SOURCE_H

#include "base/buf.h"
#include "base/err.h"

struct pg_source {
    void *arg;
    /* The bytes of the file; PS_E_NOT_FOUND when it does not exist. */
    bool (*read)(void *arg, const char *path, struct buf *out, struct ps_err *err);
    /*
     * The entries of a folder that PostgreSQL's include_dir takes: names ending in ".conf", not
     * beginning with ".", in C order (conffiles.c); full paths.  *names and each of them are malloc'd
     * and become the caller's.
     */
    bool (*list)(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err);
};

/*
 * The file or folder that an include in the file `from` names: relative to the folder of `from`, and
 * tidied as the server tidies it (conffiles.c, AbsoluteConfigLocation; ".." is kept).  The caller's to
 * free.  A name of blanks alone is refused by the server.
 */
char *pg_include_path(const char *named, const char *from);
bool pg_include_name_blank(const char *named);

#define PG_INCLUDE_DEPTH_MAX 10     /* CONF_FILE_MAX_DEPTH of conffiles.h */
#define PG_FILES_MAX 1000           /* bound of ours for one tree of includes */

#endif

/*
 * conf.h - postgresql.conf: read without losing a byte, question, edit.
 *
 * Writing what was not edited gives the bytes that were read (CRLF, tabs, a missing newline at the
 * end, bytes that are not UTF-8).  Nothing here opens a file.
 * Source: PostgreSQL 17, src/backend/utils/misc/guc-file.l; manual, "Setting Parameters".
 */
#ifndef PS_CONF_H
#define PS_CONF_H

#include "base/buf.h"
#include "base/err.h"
#include "pg/source.h"

#define CONF_MAX_BYTES (16u << 20)  /* bounds of ours for one file ... */
#define CONF_MAX_LINES 1000000u
#define CONF_TREE_MAX_BYTES (64u << 20)     /* ... and for all that are read for one tree */
#define CONF_MAX_PROBLEMS 100       /* of one tree; the server gives up after as many, too */

/* ---- one file ---- */

enum conf_kind { CONF_BLANK, CONF_SETTING, CONF_INCLUDE, CONF_INCLUDE_IF_EXISTS, CONF_INCLUDE_DIR,
                 CONF_BAD };

struct conf_line {
    enum conf_kind kind;
    const char *name;       /* as written; compare with strcasecmp */
    const char *value;      /* decoded: quotes and escapes resolved; of an include the path */
    unsigned line;          /* from 1 */
    unsigned value_column;  /* from 1, in bytes */
    size_t begin, end;      /* of the line in the text, its line end included */
    const char *why;        /* of a bad line: what is wrong, translated */
};

struct conf_file;
void conf_file_free(struct conf_file *file);
PS_DEFINE_FREEP(struct conf_file, conf_file_free)

/*
 * Parse `len` bytes (no NUL needed); `name` is for messages only.  A line that the server would refuse
 * is not an error here: it is a CONF_BAD line.  So is one with a zero byte in a quoted value: the server
 * takes it, but cuts the value.  Fails with PS_E_TOO_BIG only.
 */
PS_MUST bool conf_file_parse(const char *text, size_t len, const char *name,
                             struct conf_file **out, struct ps_err *err);
size_t conf_file_lines(const struct conf_file *file);
const struct conf_line *conf_file_line(const struct conf_file *file, size_t i);
void conf_file_write(const struct conf_file *file, struct buf *out);

/*
 * Edits.  They keep the file's own line end (CRLF when its last complete line has one), and add one to
 * a last line that has none.  Lines that were looked at before (their strings too) are gone.
 */
void conf_file_append(struct conf_file *file, const char *line);    /* without line end */
void conf_file_remove(struct conf_file *file, size_t i);

/* `text` quoted for a value: 'it''s'. */
void conf_quote(const char *text, struct buf *out);

/* ---- the whole tree, as the server reads it ---- */

struct conf_origin {
    const char *file;
    unsigned line;
};

struct conf_setting {       /* one assignment, in the order in which the server meets them */
    const char *name, *value;
    struct conf_origin at;
    bool automatic;         /* from postgresql.auto.conf */
};

struct conf_problem {
    struct conf_origin at;
    const char *what;       /* translated */
};

struct conf;                /* the tree; read only */
void conf_free(struct conf *conf);
PS_DEFINE_FREEP(struct conf, conf_free)

/*
 * Read `path` with its includes (relative ones from the file that has them), then `auto_path`
 * (may be NULL, may be missing).  Syntax errors, missing includes, cycles and what passes a bound are
 * problems of the tree, for the server would refuse it as a whole; false only when `path` itself
 * cannot be read.  The settings are all assignments, also those that a later one overrides; that a
 * setting exists, and takes its value, is not looked at (see settings.h; the server knows).
 */
PS_MUST bool conf_load(const struct pg_source *source, const char *path, const char *auto_path,
                       struct conf **out, struct ps_err *err);
size_t conf_settings(const struct conf *conf);
const struct conf_setting *conf_setting(const struct conf *conf, size_t i);
size_t conf_problems(const struct conf *conf);
const struct conf_problem *conf_problem(const struct conf *conf, size_t i);
size_t conf_files(const struct conf *conf);
const char *conf_file_name(const struct conf *conf, size_t i);

/* The assignment that wins (the last one), or NULL: the default holds. */
const struct conf_setting *conf_winner(const struct conf *conf, const char *name);

/* Booleans as parse_bool() takes them: on, off, true, yes, 1, unique prefixes, any case. */
bool conf_bool(const char *value, bool *out);

#endif

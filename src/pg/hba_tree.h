/*
 * hba_tree.h - pg_hba.conf or pg_ident.conf with everything it pulls in, as lines of fields.
 *
 * Follows include directives (16 and later) and @file words as the server does; knows nothing of what
 * the fields mean.
 * Source: PostgreSQL 17, src/backend/libpq/hba.c (tokenize_auth_file, next_field_expand,
 * tokenize_expand_file, open_auth_file).
 */
#ifndef PS_HBA_TREE_H
#define PS_HBA_TREE_H

#include "base/mem.h"
#include "pg/hba.h"
#include "pg/hba_lex.h"

#define TREE_MAX_BYTES (512u << 20)     /* bound of ours: all readings of all files together */
#define TREE_PROBLEMS_MAX 10000         /* bound of ours: later ones are not noted */
#define TREE_DEPTH_BEFORE_16 100        /* bound of ours: these servers go on until out of files */

struct tree_field {
    struct lex_word *at;        /* words of an @file have the place of the @file */
    size_t len;                 /* never 0 */
    size_t begin, end;
};

struct tree_line {
    size_t file;
    unsigned line;              /* its first physical line */
    size_t begin, end;          /* line end included */
    struct tree_field *fields;
    size_t len;                 /* never 0 */
};

struct tree_file {
    const char *name;
    struct buf text;
    bool lines;                 /* has lines or includes; false: only words for @file */
    size_t line_at;             /* begin of the line of its last problem, */
    unsigned line;              /* and its number: the next problem is behind it, as a rule */
};

struct tree {
    struct arena *arena;        /* holds everything below but the lists themselves */
    unsigned major;
    struct tree_file *files;
    size_t files_len, files_cap;
    struct tree_line *lines;
    size_t lines_len, lines_cap;
    struct hba_problem *problems;
    size_t problems_len, problems_cap;
    size_t words;               /* of all lines */
};

void tree_free(struct tree *tree);
PS_DEFINE_FREEP(struct tree, tree_free)

/* As hba_load(): what is wrong inside is a problem, false only when `path` cannot be read. */
PS_MUST bool tree_load(const struct pg_source *source, const char *path, unsigned major,
                       struct tree **out, struct ps_err *err);

/*
 * Note a problem at an offset of a file; always false.  `what` and `hint` must live as long as the
 * tree: made in its arena, or a translation.
 */
bool tree_problem(struct tree *tree, size_t file, size_t at, const char *what, const char *hint);

#endif

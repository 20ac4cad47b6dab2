/*
 * ident.h - pg_ident.conf: read without losing a byte, question.
 *
 * Source: PostgreSQL 17, src/backend/libpq/hba.c (parse_ident_line, check_ident_usermap); manual,
 * "User Name Maps".  Same tokens as pg_hba.conf (hba_lex.h).
 */
#ifndef PS_IDENT_H
#define PS_IDENT_H

#include "base/buf.h"
#include "base/err.h"
#include "pg/hba.h"
#include "pg/source.h"

struct ident_line {
    const char *file;
    unsigned line;              /* first physical line, from 1 */
    const char *map, *system_user, *role;
    bool system_regex;          /* system_user begins with '/' */
    bool role_quoted;           /* from 16: no "all", no +role; "/" is a regular expression all the
                                   same */
};

struct ident;
void ident_free(struct ident *ident);
PS_DEFINE_FREEP(struct ident, ident_free)

/*
 * Read `path` with its includes.  A missing file is no error: a server without maps.  False when it is
 * there and cannot be read (PS_E_IO, PS_E_TOO_BIG).
 */
PS_MUST bool ident_load(const struct pg_source *source, const char *path, unsigned major,
                        struct ident **out, struct ps_err *err);
size_t ident_lines(const struct ident *ident);
const struct ident_line *ident_line(const struct ident *ident, size_t i);
size_t ident_problems(const struct ident *ident);
const struct hba_problem *ident_problem(const struct ident *ident, size_t i);
/* The bytes of the main file, for the promise that nothing is lost. */
void ident_write(const struct ident *ident, struct buf *out);

/*
 * May `system_user`, through this map, be `role`?  Case counts, as for cert.  Without a map (NULL or
 * empty) the two must be equal.  HBA_MAYBE: expressions that POSIX cannot judge, memberships.
 */
enum hba_match ident_allows(const struct ident *ident, const char *map, const char *system_user,
                            const char *role);

#endif

/*
 * hosts.h - pg_hosts.conf of PostgreSQL 19: which certificate is shown under which host name.
 *
 * Same words, includes and @files as pg_hba.conf (hba_lex.h, hba_tree.h).  Fields: host[,host...]
 * certificate key [CA [command [reload]]].  A host is a name, "*" for all that have no line of their
 * own, or "/no_sni/" for clients that ask for none.  Read only when ssl_sni is on; missing or
 * empty: what postgresql.conf has.
 * Source: PostgreSQL 19, src/backend/libpq/be-secure-common.c (parse_hosts_line); manual, "SSL".
 */
#ifndef PS_HOSTS_H
#define PS_HOSTS_H

#include "pg/hba.h"

struct hosts_line {
    const char *file;
    unsigned line;              /* first physical line, from 1 */
    size_t begin, end;          /* the whole line in that file, its line end included */
    struct hba_field names;     /* spans are of what is written */
    const char *cert, *key;
    const char *ca, *command;   /* NULL: not there */
    bool reload;                /* may the command be run at a reload? */
};

struct hosts;
void hosts_free(struct hosts *hosts);
PS_DEFINE_FREEP(struct hosts, hosts_free)

/*
 * Read `path`; a missing file is no error.  False when it is there and cannot be read (PS_E_IO,
 * PS_E_TOO_BIG).  What the server would refuse is a problem, in its words.
 */
PS_MUST bool hosts_load(const struct pg_source *source, const char *path, unsigned major,
                        struct hosts **out, struct ps_err *err);
size_t hosts_lines(const struct hosts *hosts);
const struct hosts_line *hosts_line(const struct hosts *hosts, size_t i);
size_t hosts_problems(const struct hosts *hosts);
const struct hba_problem *hosts_problem(const struct hosts *hosts, size_t i);

/*
 * The line for the name that a client asks for, in any case; NULL: it asks for none, which is
 * "/no_sni/".  When there is no such line, "*"; NULL: none of them, and the handshake fails.
 */
const struct hosts_line *hosts_find(const struct hosts *hosts, const char *name);

/* The bytes of the main file, for the promise that nothing is lost. */
void hosts_write(const struct hosts *hosts, struct buf *out);

#endif

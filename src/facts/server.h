/*
 * server.h - what is known of one server on this machine, and where each thing is known from.
 *
 * Filled in by inspect/.  What could not be seen is absent (NULL, 0, or FACT_UNKNOWN), never guessed.
 * All strings live in the server's arena.
 */
#ifndef PS_SERVER_H
#define PS_SERVER_H

#include <sys/types.h>

#include "base/mem.h"
#include "base/user.h"
#include "doc/doc.h"
#include "pg/conf.h"
#include "pg/hba.h"

enum fact_bool { FACT_UNKNOWN, FACT_NO, FACT_YES };

struct server_arg {                 /* a setting on the command line of the server */
    const char *name, *value;
};

struct server {
    struct arena *arena;
    const char *data_dir;           /* absolute, links resolved */
    struct user owner;              /* of the data directory */
    unsigned major;                 /* 15 */
    const char *version;            /* "15.18", from the binary; NULL: not found */
    const char *bin_dir;            /* where its postgres and pg_ctl are */

    bool running;
    pid_t pid;                      /* of the postmaster */
    int port;                       /* of the running server, or the configured one */
    const char *socket_dir;         /* NULL: it has none */
    const char *listen;             /* listen_addresses in force or configured */
    const char *listen_first;       /* the first of them that it could bind, "" for none; NULL: not
                                       running */

    const char *config_file, *hba_file, *ident_file, *auto_file;
    const struct server_arg *args;  /* -c and friends, which beat every file */
    size_t args_len;

    const char *ssl_library;        /* "OpenSSL"; "" when built without */
    const char *openssl_version;    /* "OpenSSL 3.0.19 27 Jan 2026", of the library it runs with */
    const char *openssl_dir;        /* OPENSSLDIR */
    enum fact_bool sslinfo;         /* the extension can be created */
    enum fact_bool standby;         /* standby.signal or pg_is_in_recovery() */
    const char *patroni;            /* the mark by which Patroni was recognised, or NULL */

    struct conf *conf;              /* as the files are now */
    struct hba *hba;
};

void server_free(struct server *server);
PS_DEFINE_FREEP(struct server, server_free)

/* The value in force by the files and the command line: what a restart would use. */
const char *server_setting(const struct server *server, const char *name);

/* The value that the command line gives, which beats every file; NULL: it gives none. */
const char *server_arg(const struct server *server, const char *name);

/* Is `ssl` on, by the files and the command line? */
bool server_tls_on(const struct server *server);

/* What the server and its OpenSSL support, as fields and a table of a section. */
void server_describe(const struct server *server, struct doc_node *section);

#endif

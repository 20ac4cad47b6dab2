/*
 * maker.h - the parts of a posture while it is made, for posture*.c alone.
 */
#ifndef INSPECT_MAKER_H
#define INSPECT_MAKER_H

#include "inspect/posture.h"
#include "inspect/view.h"
#include "pg/conf.h"
#include "pg/hosts.h"

struct maker {
    struct posture *posture;
    struct arena *arena;        /* the posture's */
    struct view *view;
    struct conf_texts *texts;   /* files of settings, parsed for their lines and columns */
    const struct server_arg *args, *env;        /* of the server's command line and environment */
    size_t args_len, env_len;
    const char *openssl_conf;   /* OPENSSL_CONF of the server's environment, or NULL */
    struct conf *conf;          /* owned, as the next three */
    struct hba *hba;
    struct ident *ident;
    struct hosts *hosts;
    struct sql *sql;            /* NULL: not by SQL */
    struct remote remote;       /* of the view, by SQL */
    struct tls_file *files;
    size_t files_len, files_cap;
    struct upstream_fact *upstreams;
    size_t upstreams_len, upstreams_cap;
    struct wire_fact wire;      /* its certificates are owned */
};

/* Begin a posture; its release() frees the maker. */
struct maker *maker_new(enum posture_source source);

/* postgresql.conf with all it includes, pg_hba.conf, pg_ident.conf, or why not. */
void maker_conf(struct maker *maker, const char *path, const char *auto_path);
void maker_hba(struct maker *maker, const char *path);
void maker_ident(struct maker *maker, const char *path);

/* posture_settings.c: what counts by the files, the environment and the command line. */
void maker_settings(struct maker *maker);
/* The place of the value in a line of a file of settings; `name` is what must stand there. */
struct place maker_conf_place(struct maker *maker, const char *file, unsigned line,
                              const char *name);
struct conf_texts *conf_texts_new(struct arena *arena);
void conf_texts_free(struct conf_texts *texts);

/* posture_files.c: the files that the settings name. */
void maker_files(struct maker *maker);

/*
 * posture_strays.c: private keys in the data directory and beside the server's own key, as many as a
 * few hundred files hold; folders of PostgreSQL's own data are left out.
 */
void maker_strays(struct maker *maker, const char *data_dir);

/*
 * posture_openssl.c: OpenSSL's configuration, of OPENSSL_CONF in the server's environment or of OPENSSLDIR.
 */
void maker_openssl(struct maker *maker, const char *path);

/* posture_upstreams.c: connections that the server itself makes; passwords are left out. */
void maker_upstreams(struct maker *maker);

#endif

/* server.c - everything about one server of this machine, from its files (see inspect.h). */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "inspect/binaries.h"
#include "inspect/inspect.h"
#include "inspect/process.h"
#include "pg/settings.h"

/* The text of a small file of the data directory into `out`; false when it is not there. */
static bool read_small(const struct server *server, const char *name, struct buf *out)
{
    PS_AUTO(ps_freep) char *path = path_join(server->data_dir, name);
    struct ps_err ignored = { 0 };

    return file_read(path, 64 * 1024, out, &ignored);
}

static bool has_file(const struct server *server, const char *name)
{
    PS_AUTO(ps_freep) char *path = path_join(server->data_dir, name);

    return file_exists(path);
}

/* ---- which folder ---- */

/* -D may name the configuration's folder, as for pg_ctl: data_directory then says the rest. */
static bool follow_data_directory(char **dir)
{
    PS_AUTO(ps_freep) char *conf_path = path_join(*dir, "postgresql.conf");
    PS_AUTO(conf_freep) struct conf *conf = NULL;
    struct ps_err ignored = { 0 };

    if (!conf_load(&inspect_files, conf_path, NULL, &conf, &ignored))
        return false;
    const struct conf_setting *set = conf_winner(conf, "data_directory");
    char *real = set ? realpath(set->value, NULL) : NULL;
    if (!real)
        return false;
    free(*dir);
    *dir = real;
    return true;
}

static bool find_data_dir(struct server *server, const char *given, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = realpath(given, NULL);
    PS_AUTO(buf_free) struct buf text = BUF(64);
    struct stat st;

    if (!dir) {
        ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                _("could not open data directory \"%s\": %m"), given);
        return ps_hint(err, _("-D is the folder that PostgreSQL's SHOW data_directory prints."));
    }

    PS_AUTO(ps_freep) char *version = path_join(dir, "PG_VERSION");
    if (!file_exists(version) && follow_data_directory(&dir)) {
        free(version);
        version = path_join(dir, "PG_VERSION");
    }
    server->data_dir = arena_strdup(server->arena, dir);
    if (access(dir, X_OK) != 0) {
        ps_fail(err, PS_E_IO, _("could not look into data directory \"%s\": %m"), dir);
        return ps_hint(err, _("Run pgseal as root or as the owner of the data directory."));
    }
    if (!read_small(server, "PG_VERSION", &text)
        || sscanf(buf_text(&text), "%u", &server->major) != 1) {
        ps_fail(err, PS_E_NOT_FOUND, _("\"%s\" is not a PostgreSQL data directory"), dir);
        ps_detail(err, _("Its file PG_VERSION is missing or cannot be read."));
        return ps_hint(err, _("-D is the folder that PostgreSQL's SHOW data_directory prints; "
                              "run pgseal as root or as its owner."));
    }
    if (stat(dir, &st) != 0)
        return ps_fail(err, PS_E_IO, _("could not stat \"%s\": %m"), dir);
    user_by_uid(st.st_uid, st.st_gid, &server->owner);
    return true;
}

/* ---- its configuration ---- */

/* Debian keeps it in /etc/postgresql/MAJOR/CLUSTER for /var/lib/postgresql/MAJOR/CLUSTER. */
static const char *debian_config(struct server *server)
{
    PS_AUTO(ps_freep) char *parent = path_dir(server->data_dir);
    const char *path = arena_printf(server->arena, "/etc/postgresql/%s/%s/postgresql.conf",
                                    path_base(parent), path_base(server->data_dir));
    PS_AUTO(conf_freep) struct conf *conf = NULL;
    struct ps_err ignored = { 0 };

    if (!conf_load(&inspect_files, path, NULL, &conf, &ignored))
        return NULL;
    const struct conf_setting *set = conf_winner(conf, "data_directory");
    PS_AUTO(ps_freep) char *real = set ? realpath(set->value, NULL) : NULL;
    return real && strcmp(real, server->data_dir) == 0 ? path : NULL;
}

static const char *in_data_dir(struct server *server, const char *name)
{
    PS_AUTO(ps_freep) char *path = path_join(server->data_dir, name);

    return arena_strdup(server->arena, path);
}

static bool find_config(struct server *server, struct ps_err *err)
{
    const char *given = server_arg(server, "config_file");

    server->auto_file = in_data_dir(server, "postgresql.auto.conf");
    if (given)
        server->config_file = in_data_dir(server, given);
    else if (has_file(server, "postgresql.conf"))
        server->config_file = in_data_dir(server, "postgresql.conf");
    else
        server->config_file = debian_config(server);

    if (server->config_file)
        return conf_load(&inspect_files, server->config_file, server->auto_file, &server->conf, err);
    ps_fail(err, PS_E_NOT_FOUND, _("could not find postgresql.conf of \"%s\""), server->data_dir);
    ps_detail(err, _("It is not in the data directory, postmaster.opts names none, and there is no "
                     "folder of it under /etc/postgresql."));
    return ps_hint(err, _("Start the server once, so that postmaster.opts tells where it is."));
}

/* hba_file and ident_file: as set, or beside the data. */
static const char *config_path(struct server *server, const char *setting, const char *name)
{
    const char *arg = server_arg(server, setting);
    const struct conf_setting *set = server->conf ? conf_winner(server->conf, setting) : NULL;

    return in_data_dir(server, arg ? arg : set ? set->value : name);
}

static bool is_listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; *p; p += strcspn(p, ", ")) {
        p += strspn(p, ", ");
        if (len && strncmp(p, word, len) == 0 && strchr(", ", p[len]))
            return true;
    }
    return false;
}

static void find_address(struct server *server)
{
    const char *port = server_setting(server, "port");
    const char *sockets = server_setting(server, "unix_socket_directories");
    long number;

    if (!server->running) {
        server->port = port && num_parse(port, 1, 65535, &number) ? (int)number : 5432;
        server->socket_dir = NULL;
        if (sockets && *sockets)
            server->socket_dir = arena_strndup(server->arena, sockets, strcspn(sockets, ", "));
    }
    /* another list than the one the server started with waits for a restart */
    const char *listen = server_setting(server, "listen_addresses");
    if (!server->running || is_listed(listen ? listen : "localhost", server->listen_first))
        server->listen = listen ? listen : "localhost";
}

static const char *patroni_mark(struct server *server)
{
    PS_AUTO(buf_free) struct buf head = BUF(FILE_CONF_MAX);
    struct ps_err ignored = { 0 };

    if (has_file(server, "patroni.dynamic.json"))
        return "patroni.dynamic.json";
    if (server->config_file && file_read(server->config_file, FILE_CONF_MAX, &head, &ignored)
        && strstr(buf_text(&head), "overwritten by Patroni"))
        return server->config_file;
    return NULL;
}

bool inspect_server(const char *data_dir, const struct inspect_options *options,
                    struct server **out, struct ps_err *err)
{
    PS_AUTO(server_freep) struct server *server = ps_calloc(1, sizeof(*server));
    PS_AUTO(buf_free) struct buf text = BUF(64 * 1024);
    const char *program = NULL;

    server->arena = arena_new();
    if (!find_data_dir(server, data_dir, err))
        return false;
    server->running = read_small(server, "postmaster.pid", &text)
        && pidfile_parse(server, buf_text(&text)) && process_is_server(server);
    if (!server->running)
        server->listen_first = NULL;
    if (options && options->bare) {
        *out = PS_TAKE(server);
        return true;
    }
    if (read_small(server, "postmaster.opts", &text))
        optsfile_parse(server, buf_text(&text), &program);

    bool tolerant = options && options->tolerant;
    struct ps_err absent;
    struct ps_err *trouble = tolerant ? &absent : err;
    if (!find_config(server, trouble) && !tolerant)
        return false;
    if (binaries_find(server, options ? options->bin_dir : NULL, program, trouble))
        binaries_look(server);
    else if (!tolerant)
        return false;
    find_address(server);
    server->hba_file = config_path(server, "hba_file", "pg_hba.conf");
    server->ident_file = config_path(server, "ident_file", "pg_ident.conf");
    server->standby = has_file(server, "standby.signal") || has_file(server, "recovery.conf")
        ? FACT_YES : FACT_NO;
    server->patroni = patroni_mark(server);
    if (!tolerant
        && !hba_load(&inspect_files, server->hba_file, server->major, &server->hba, err))
        return ps_while(err, _("could not read the access rules of \"%s\""), server->data_dir);

    *out = PS_TAKE(server);
    return true;
}

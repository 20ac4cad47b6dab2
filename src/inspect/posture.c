/* posture.c - postures of a data directory and of a folder of copies (see posture.h). */
#include "inspect/posture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "inspect/inspect.h"
#include "inspect/maker.h"
#include "inspect/wire.h"
#include "pg/settings.h"

/* ---- the maker ---- */

static void release(struct posture *posture)
{
    struct maker *maker = posture->owned;

    for (size_t i = 0; i < maker->files_len; i++) {
        cert_list_free(&maker->files[i].certs);
        crl_list_free(&maker->files[i].crls);
    }
    free(maker->files);
    free(maker->upstreams);
    cert_list_free(&maker->wire.served);
    conf_texts_free(maker->texts);
    view_freep(&maker->view);
    conf_freep(&maker->conf);
    hba_freep(&maker->hba);
    ident_freep(&maker->ident);
    hosts_freep(&maker->hosts);
    sql_freep(&maker->sql);
    free(maker);
}

struct maker *maker_new(enum posture_source source)
{
    struct posture *posture = ps_calloc(1, sizeof(*posture));
    struct maker *maker = ps_calloc(1, sizeof(*maker));

    posture->arena = arena_new();
    posture->source = source;
    posture->now = clock_now();
    posture->owned = maker;
    posture->release = release;
    maker->posture = posture;
    maker->arena = posture->arena;
    maker->texts = conf_texts_new(maker->arena);
    return maker;
}

/* ---- the three files ---- */

static const char *why(struct maker *maker, const struct ps_err *err)
{
    return arena_strdup(maker->arena, err->message);
}

/* A copy that nobody made is not missed; one that is there and tells nothing is. */
static const char *refuse(struct maker *maker, const char *path, const char *reason)
{
    struct posture *posture = maker->posture;

    if (posture->source == POSTURE_FILES && view_path(maker->view, path) && !posture->refused)
        posture->refused = reason;
    return reason;
}

/* The file that a parser is to begin with; NULL: it cannot, and *why_not says so. */
static const char *begin_at(struct maker *maker, const char *path, const char **why_not)
{
    struct view_file file = view_look(maker->view, path);

    if (file.end == VIEW_READ || file.end == VIEW_BROKEN || file.end == VIEW_MISSING)
        return file.path;       /* the parser has the better words */
    *why_not = refuse(maker, path, file.why);
    return NULL;
}

void maker_conf(struct maker *maker, const char *path, const char *auto_path)
{
    struct posture *posture = maker->posture;
    const struct pg_source source = view_source(maker->view);
    const char *main_file = begin_at(maker, path, &posture->conf_why);
    const char *automatic = view_path(maker->view, auto_path);
    struct ps_err err;

    if (!main_file)
        return;
    if (!conf_load(&source, main_file, automatic, &maker->conf, &err)) {
        posture->conf_why = refuse(maker, path, why(maker, &err));
        return;
    }
    posture->conf = maker->conf;
    posture->conf_why = view_absent(maker->view);
}

void maker_hba(struct maker *maker, const char *path)
{
    struct posture *posture = maker->posture;
    const struct pg_source source = view_source(maker->view);
    const char *main_file = begin_at(maker, path, &posture->hba_why);
    struct ps_err err;

    if (!main_file)
        return;
    if (!hba_load(&source, main_file, posture->major, &maker->hba, &err)) {
        posture->hba_why = refuse(maker, path, why(maker, &err));
        return;
    }
    posture->hba = maker->hba;
    posture->hba_why = view_absent(maker->view);
}

void maker_ident(struct maker *maker, const char *path)
{
    struct posture *posture = maker->posture;
    const struct pg_source source = view_source(maker->view);
    const char *main_file = begin_at(maker, path, &posture->ident_why);
    struct ps_err err;

    if (!main_file)
        return;
    if (!ident_load(&source, main_file, posture->major, &maker->ident, &err)) {
        posture->ident_why = refuse(maker, path, why(maker, &err));
        return;
    }
    posture->ident = maker->ident;
    posture->ident_why = view_absent(maker->view);
}

/* ---- this machine ---- */

static bool fill_interface(const struct ifaddrs *from, struct interface_fact *out)
{
    if (!from->ifa_addr || !from->ifa_netmask || !(from->ifa_flags & IFF_UP))
        return false;
    if (from->ifa_addr->sa_family == AF_INET) {
        memcpy(out->addr, &((const struct sockaddr_in *)(const void *)from->ifa_addr)->sin_addr, 4);
        memcpy(out->mask, &((const struct sockaddr_in *)(const void *)from->ifa_netmask)->sin_addr, 4);
    } else if (from->ifa_addr->sa_family == AF_INET6) {
        memcpy(out->addr, &((const struct sockaddr_in6 *)(const void *)from->ifa_addr)->sin6_addr, 16);
        memcpy(out->mask, &((const struct sockaddr_in6 *)(const void *)from->ifa_netmask)->sin6_addr, 16);
    } else {
        return false;
    }
    out->family = from->ifa_addr->sa_family;
    return true;
}

static void put_interfaces(struct maker *maker)
{
    struct interface_fact *facts;
    struct ifaddrs *first;
    size_t most = 0, len = 0;

    if (getifaddrs(&first) != 0)
        return;
    for (const struct ifaddrs *at = first; at; at = at->ifa_next)
        most++;
    facts = arena_alloc(maker->arena, (most + 1) * sizeof(*facts));
    for (const struct ifaddrs *at = first; at; at = at->ifa_next)
        if (fill_interface(at, &facts[len]))
            facts[len++].name = arena_strdup(maker->arena, at->ifa_name);
    freeifaddrs(first);
    maker->posture->interfaces = facts;
    maker->posture->interfaces_len = len;
}

/* Of the server's environment only PGPORT is a setting of ours (InitializeGUCOptionsFromEnvironment). */
static void read_environment(struct maker *maker, const struct server *server)
{
    PS_AUTO(buf_free) struct buf text = BUF(0);
    PS_AUTO(ps_freep) char *path = ps_asprintf("/proc/%ld/environ", (long)server->pid);
    struct ps_err ignored;

    if (!server->running || !file_read(path, 1u << 20, &text, &ignored))
        return;
    for (size_t at = 0; at < text.len; at += strlen(text.p + at) + 1) {
        const char *word = text.p + at;

        if (strncmp(word, "OPENSSL_CONF=", 13) == 0)
            maker->openssl_conf = arena_strdup(maker->arena, word + 13);
        if (strncmp(word, "PGPORT=", 7) == 0) {
            struct server_arg *env = arena_alloc(maker->arena, sizeof(*env));
            *env = (struct server_arg){ "port", arena_strdup(maker->arena, word + 7) };
            maker->env = env;
            maker->env_len = 1;
        }
    }
}

/* ---- what changed since the start ---- */

static void note_change(struct maker *maker, const char *path)
{
    struct posture *posture = maker->posture;
    time_t modified = path ? view_look(maker->view, path).modified : 0;

    if (modified > posture->changed)
        posture->changed = modified;
}

/* The third line of postmaster.pid (pidfile.h). */
static time_t start_of(struct maker *maker)
{
    const struct view_file *file = view_read(maker->view, "postmaster.pid");
    const char *line = file->end == VIEW_READ ? file->text : "";
    long start;

    for (int i = 0; i < 2; i++)
        line = (line = strchr(line, '\n')) ? line + 1 : "";
    return num_parse_n(line, strcspn(line, "\n"), 1, LONG_MAX, &start) ? (time_t)start : 0;
}

static void put_changes(struct maker *maker, const struct server *server)
{
    struct posture *posture = maker->posture;

    if (!server->running)
        return;
    posture->started = start_of(maker);
    for (size_t i = 0; posture->conf && i < conf_files(posture->conf); i++)
        note_change(maker, conf_file_name(posture->conf, i));
    for (size_t i = 0; posture->hba && i < hba_files(posture->hba); i++)
        note_change(maker, hba_file_name(posture->hba, i));
    note_change(maker, server->ident_file);
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role != FILE_CRL_DIR && posture->files[i].modified > posture->changed)
            posture->changed = posture->files[i].modified;
}

static void put_openssl_conf(struct maker *maker, const struct server *server)
{
    if (maker->openssl_conf)
        maker_openssl(maker, maker->openssl_conf);
    else if (server->openssl_dir)
        maker_openssl(maker, arena_printf(maker->arena, "%s/openssl.cnf", server->openssl_dir));
    else
        maker->posture->openssl_conf_why = _("it is not known where the server's OpenSSL has its "
                                             "configuration");
}

static void put_wire(struct maker *maker, const struct server *server, int timeout_ms)
{
    struct posture *posture = maker->posture;
    struct ps_err err;

    if (!server->running)
        posture->wire_why = _("the server is not running");
    else if (timeout_ms <= 0)
        return;
    else if (wire_look(server, timeout_ms, maker->arena, &maker->wire, &err))
        posture->wire = &maker->wire;
    else
        posture->wire_why = why(maker, &err);
}

bool posture_of_data_dir(const char *data_dir, const struct posture_options *options,
                         struct posture **out, struct ps_err *err)
{
    const struct inspect_options how = { .bin_dir = options->bin_dir, .tolerant = true };
    PS_AUTO(server_freep) struct server *server = NULL;

    if (!inspect_server(data_dir, &how, &server, err))
        return false;

    struct maker *maker = maker_new(POSTURE_DATA_DIR);
    PS_AUTO(posture_freep) struct posture *posture = maker->posture;
    const char *config = server->config_file ? server->config_file : "postgresql.conf";
    maker->view = view_of_disk(maker->arena, server->data_dir, &server->owner);
    maker->args = server->args;
    maker->args_len = server->args_len;
    posture->name = server->data_dir;
    posture->major = server->major;
    posture->version = server->version;
    posture->openssl = server->openssl_version;
    read_environment(maker, server);
    maker_conf(maker, config, server->auto_file);
    maker_hba(maker, server->hba_file);
    maker_ident(maker, server->ident_file);
    maker_settings(maker);
    maker_files(maker);
    maker_upstreams(maker);
    maker_strays(maker, server->data_dir);
    put_openssl_conf(maker, server);
    put_changes(maker, server);
    put_wire(maker, server, options->wire_ms);
    put_interfaces(maker);
    posture->roles_why = _("roles are seen by SQL only: give --target");
    posture->upstreams_why = _("subscriptions and foreign servers are seen by SQL only: give --target");
    posture->server = PS_TAKE(server);
    *out = PS_TAKE(posture);
    return true;
}

/* ---- copies ---- */

static bool any_of_them(struct view *view)
{
    static const char *const names[] = { "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf",
                                         "pg_ident.conf", "pg_hosts.conf" };

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (view_path(view, names[i]))
            return true;
    return false;
}

/* What hba_file and ident_file name, if it is among the copies, else the usual name. */
static const char *named(struct maker *maker, const char *setting, const char *usual)
{
    const struct conf_setting *set = maker->conf ? conf_winner(maker->conf, setting) : NULL;

    return set && *set->value && view_path(maker->view, set->value) ? set->value : usual;
}

bool posture_of_files(const char *dir, unsigned major, struct posture **out, struct ps_err *err)
{
    struct maker *maker = maker_new(POSTURE_FILES);
    PS_AUTO(posture_freep) struct posture *posture = maker->posture;

    if (!file_is_dir(dir)) {
        errno = file_exists(dir) ? ENOTDIR : errno;
        return ps_fail(err, PS_E_NOT_FOUND, _("could not open folder \"%s\": %m"), dir);
    }
    maker->view = view_of_copies(maker->arena, dir);
    if (!any_of_them(maker->view)) {
        ps_fail(err, PS_E_NOT_FOUND, _("there are no files of a server in \"%s\""), dir);
        return ps_hint(err, _("--files is a folder with copies of postgresql.conf, "
                              "postgresql.auto.conf, pg_hba.conf, pg_ident.conf, and of certificates."));
    }
    posture->name = arena_strdup(maker->arena, dir);
    posture->major = major;
    maker_conf(maker, "postgresql.conf", "postgresql.auto.conf");
    maker_hba(maker, named(maker, "hba_file", "pg_hba.conf"));
    maker_ident(maker, named(maker, "ident_file", "pg_ident.conf"));
    maker_settings(maker);
    maker_files(maker);
    maker_upstreams(maker);
    posture->openssl_conf_why = _("copies of files do not tell OpenSSL's configuration");
    posture->strays_why = _("copies of files do not tell what else lies in the data directory");
    posture->wire_why = _("copies of files are no server that runs");
    posture->roles_why = _("copies of files do not tell the roles of the server");
    posture->upstreams_why = _("copies of files do not tell subscriptions and foreign servers");
    *out = PS_TAKE(posture);
    return true;
}

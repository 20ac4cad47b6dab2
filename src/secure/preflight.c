/* preflight.c - see preflight.h. */
#include "secure/preflight.h"

#include <sys/stat.h>

#include "base/file.h"
#include "pg/settings.h"

static bool check_version(const struct server *server, struct ps_err *err)
{
    if (server->major >= PG_MAJOR_MIN)
        return true;
    ps_fail(err, PS_E_UNSUPPORTED, _("PostgreSQL %s is too old for pgseal"), server->version);
    ps_detail(err, _("Before PostgreSQL 10 TLS cannot be switched on, nor taken back, by a reload."));
    return ps_hint(err, _("Upgrade: versions before 14 get no security fixes any more."));
}

static bool check_openssl(const struct server *server, struct ps_err *err)
{
    if (!server->ssl_library || *server->ssl_library)
        return true;
    ps_fail(err, PS_E_UNSUPPORTED, _("this PostgreSQL was built without OpenSSL"));
    ps_detail(err, _("\"%s/postgres\" is not linked with libssl."), server->bin_dir);
    return ps_hint(err, _("Install a package that was built --with-ssl=openssl."));
}

static const char patroni_how[] =
    "patronictl edit-config --apply - <<'EOF'\n"
    "postgresql:\n"
    "  parameters:\n"
    "    ssl: 'on'\n"
    "    ssl_cert_file: /etc/patroni/tls/server.crt\n"
    "    ssl_key_file: /etc/patroni/tls/server.key\n"
    "    ssl_ca_file: /etc/patroni/tls/root.crt\n"
    "    ssl_crl_file: /etc/patroni/tls/root.crl\n"
    "    ssl_min_protocol_version: TLSv1.2\n"
    "  pg_hba:\n"
    "    - local all all peer\n"
    "    - hostssl replication replicator all scram-sha-256\n"
    "    - hostssl all all all scram-sha-256\n"
    "EOF\n";

static bool check_patroni(const struct server *server, struct doc_node *section,
                          struct ps_err *err)
{
    if (!server->patroni)
        return true;
    doc_block(section, "patroni", _("With Patroni"), patroni_how);
    ps_fail(err, PS_E_UNSUPPORTED, _("Patroni manages this server"));
    ps_detail(err, _("It was recognised by %s. Patroni writes postgresql.conf and pg_hba.conf itself and "
                     "would undo what pgseal does."), server->patroni);
    return ps_hint(err, _("Make the certificates with pgseal, put them on every node, and give the "
                          "settings to Patroni (patronictl edit-config) as shown."));
}

/* With an error in its files the server keeps its old state at any reload: ours would do nothing. */
static bool check_files(const struct server *server, struct ps_err *err)
{
    if (conf_problems(server->conf)) {
        const struct conf_problem *problem = conf_problem(server->conf, 0);

        ps_fail(err, PS_E_SYNTAX, _("the server's configuration has an error already: %s"),
                problem->what);
        ps_at(err, problem->at.file, problem->at.line, 0);
        return ps_hint(err, _("Mend it first: until then the server ignores every reload."));
    }
    if (hba_problems(server->hba)) {
        const struct hba_problem *problem = hba_problem(server->hba, 0);

        ps_fail(err, PS_E_SYNTAX, _("the server's access rules have an error already: %s"),
                problem->what);
        ps_at(err, problem->file, problem->line, problem->column);
        return ps_hint(err, _("Mend it first: until then the server ignores changes of its rules."));
    }
    return true;
}

bool preflight_check(const struct server *server, struct doc_node *section, struct ps_err *err)
{
    return check_version(server, err) && check_openssl(server, err)
        && check_patroni(server, section, err) && check_files(server, err);
}

bool preflight_outside(const struct server *server, const char *dir, const char *option,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *full = NULL;
    size_t len = strlen(server->data_dir);

    if (!path_absolute(dir, &full, err))
        return false;
    if (strncmp(full, server->data_dir, len) != 0 || (full[len] != '/' && full[len] != '\0'))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("folder \"%s\" is inside the data directory"), full);
    ps_detail(err, _("Base backups copy everything that is in there, and with it the keys."));
    return ps_hint(err, _("Give another folder with %s."), option);
}

void preflight_warn_mount(const struct server *server, const char *state_dir,
                          struct doc_node *section)
{
    PS_AUTO(ps_freep) char *parent = path_dir(state_dir);
    struct stat data, beside;

    if (stat(server->data_dir, &data) != 0 || stat(parent, &beside) != 0
        || data.st_dev == beside.st_dev)
        return;
    doc_para(section, DOC_WARN,
             _("The data directory is a file system of its own, and \"%s\" is not on it. In a container "
               "that folder goes with the container, and the server's key and the way back with it: give "
               "one that stays with --state-dir DIR."), state_dir);
}

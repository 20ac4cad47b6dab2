/* posture_sql.c - the posture that one role may see through one connection (see posture.h). */
#include <strings.h>

#include "base/num.h"
#include "inspect/maker.h"
#include "pg/settings.h"
#include "tls/peer.h"

enum { OLDEST = 90600 };

/* ---- settings ---- */

static const char settings_query[] =
    "SELECT name, setting, source, sourcefile, sourceline, pending_restart FROM pg_settings ORDER BY name";

/* The assignments in the files that this one beats: the same name before it. */
static const struct setting_fact *losers_of(struct maker *maker, const struct setting_fact *winner)
{
    const struct setting_fact *beaten = NULL;

    for (size_t i = 0; maker->conf && i < conf_settings(maker->conf); i++) {
        const struct conf_setting *set = conf_setting(maker->conf, i);
        struct setting_fact *fact;

        if (strcasecmp(pg_setting_name(set->name, maker->posture->major), winner->name) != 0
            || (winner->place.line == set->at.line && winner->place.file
                && strcmp(winner->place.file, set->at.file) == 0))
            continue;
        fact = arena_alloc(maker->arena, sizeof(*fact));
        *fact = (struct setting_fact){
            .name = winner->name, .value = arena_strdup(maker->arena, set->value),
            .origin = "configuration file", .loser = beaten,
            .place = maker_conf_place(maker, set->at.file, set->at.line, set->name) };
        beaten = fact;
    }
    return beaten;
}

static const char *row_text(struct maker *maker, const struct rows *rows, size_t i, const char *column)
{
    const char *text = rows_text(rows, i, column);

    return text ? arena_strdup(maker->arena, text) : NULL;
}

static void put_settings(struct maker *maker, const struct rows *rows)
{
    struct setting_fact *facts = arena_alloc(maker->arena, (rows_len(rows) + 1) * sizeof(*facts));

    for (size_t i = 0; i < rows_len(rows); i++) {
        const char *value = rows_text(rows, i, "setting");

        facts[i] = (struct setting_fact){
            .name = row_text(maker, rows, i, "name"),
            .value = arena_strdup(maker->arena, value ? value : ""),
            .origin = row_text(maker, rows, i, "source"),
            .pending_restart = rows_bool(rows, i, "pending_restart"),
            .place = { .file = row_text(maker, rows, i, "sourcefile"),
                       .line = (unsigned)rows_int(rows, i, "sourceline") } };
    }
    maker->posture->settings = facts;
    maker->posture->settings_len = rows_len(rows);
}

/* Lines and columns, when the files themselves can be read; only for what concerns us. */
static void put_places(struct maker *maker)
{
    struct setting_fact *facts = (struct setting_fact *)(void *)maker->posture->settings;

    for (size_t i = 0; i < maker->posture->settings_len; i++) {
        if (!pg_setting_known(facts[i].name, maker->posture->major))
            continue;
        facts[i].loser = losers_of(maker, &facts[i]);
        if (facts[i].place.file && facts[i].place.line)
            facts[i].place = maker_conf_place(maker, facts[i].place.file, facts[i].place.line,
                                              facts[i].name);
    }
}

/* ---- pg_hba.conf without its file ---- */

/* The view shows words without their quotes: a name that needs them gets them. */
static const char rules_query[] =
    "SELECT line_number, type, array_to_string(database, ',') AS databases,"
    "       array_to_string(user_name, ',') AS users, address, netmask, auth_method,"
    "       array_to_string(options, ' ') AS options, error "
    "FROM pg_hba_file_rules ORDER BY line_number LIMIT 100000";

static void put_rule(const struct rows *rows, size_t i, struct buf *out)
{
    static const char *const columns[] = { "type", "databases", "users", "address", "netmask",
                                           "auth_method", "options" };

    for (size_t c = 0; c < PS_COUNT(columns); c++) {
        const char *text = rows_text(rows, i, columns[c]);

        if (text)
            buf_printf(out, "%s%s", c ? " " : "", text);
    }
}

static bool read_rules(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    struct maker *maker = arg;
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    long line = 1;

    (void)path;
    if (!sql_query(maker->sql, rules_query, NULL, &rows, err))
        return false;
    for (size_t i = 0; i < rows_len(rows); i++) {
        long at = rows_int(rows, i, "line_number");

        if (rows_text(rows, i, "error"))
            return ps_fail(err, PS_E_SYNTAX, "%s", rows_text(rows, i, "error"));
        for (; line < at && line < 1000000; line++)
            buf_putc(out, '\n');
        put_rule(rows, i, out);
    }
    return true;
}

static bool list_nothing(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    (void)arg;
    (void)names;
    (void)len;
    return ps_fail(err, PS_E_NOT_FOUND, _("folder \"%s\" is not read"), dir);
}

static void put_hba(struct maker *maker)
{
    struct posture *posture = maker->posture;
    const char *path = posture_value(posture, "hba_file");
    const struct pg_source rules = { maker, read_rules, list_nothing };
    struct ps_err err;

    if (path)
        maker_hba(maker, path);
    if (posture->hba || posture->major < 10)
        return;
    if (hba_load(&rules, path ? path : "pg_hba.conf", posture->major, &maker->hba, &err)) {
        posture->hba = maker->hba;
        posture->hba_why = _("the rules come from pg_hba_file_rules, which shows no quotes");
    } else if (!posture->hba_why) {
        posture->hba_why = arena_strdup(maker->arena, err.message);
    }
}

/* ---- roles and databases ---- */

/* Never the secret itself: only what kind it is. */
static const char secrets_query[] =
    "SELECT rolname AS name, CASE WHEN rolpassword IS NULL THEN 'none'"
    "  WHEN rolpassword LIKE 'SCRAM-SHA-256$%' THEN 'scram-sha-256'"
    "  WHEN rolpassword ~ '^md5[0-9a-f]{32}$' THEN 'md5' ELSE 'plaintext' END AS secret,"
    "  rolsuper, rolreplication, rolcanlogin FROM pg_authid ORDER BY rolname COLLATE \"C\" LIMIT 100000";
static const char roles_query[] =
    "SELECT rolname AS name, NULL AS secret, rolsuper, rolreplication, rolcanlogin"
    "  FROM pg_roles ORDER BY rolname COLLATE \"C\" LIMIT 100000";
static const char members_query[] =
    "WITH RECURSIVE m (member, role) AS (SELECT oid, oid FROM pg_roles"
    "  UNION SELECT m.member, a.roleid FROM m JOIN pg_auth_members a ON a.member = m.role) "
    "SELECT r.rolname AS name, g.rolname AS of FROM m JOIN pg_roles r ON r.oid = m.member "
    "  JOIN pg_roles g ON g.oid = m.role"
    "  ORDER BY r.rolname COLLATE \"C\", g.rolname COLLATE \"C\" LIMIT 1000000";

static void put_members(struct maker *maker, const struct rows *members, struct role_fact *roles,
                        size_t len)
{
    size_t row = 0;

    for (size_t i = 0; i < len; i++) {
        size_t begin, count = 0;

        while (row < rows_len(members) && strcmp(rows_text(members, row, "name"), roles[i].name) < 0)
            row++;
        for (begin = row; row < rows_len(members)
             && strcmp(rows_text(members, row, "name"), roles[i].name) == 0; row++)
            count++;
        const char **of = arena_alloc(maker->arena, (count + 1) * sizeof(*of));
        for (size_t k = 0; k < count; k++)
            of[k] = row_text(maker, members, begin + k, "of");
        roles[i].member_of = of;
    }
}

static bool put_roles(struct maker *maker, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    PS_AUTO(rows_freep) struct rows *members = NULL;
    struct role_fact *roles;
    struct ps_err refused;      /* few may see pg_authid */

    if (!sql_query(maker->sql, secrets_query, NULL, &rows, &refused)
        && !sql_query(maker->sql, roles_query, NULL, &rows, err))
        return false;
    if (!sql_query(maker->sql, members_query, NULL, &members, err))
        return false;
    roles = arena_alloc(maker->arena, (rows_len(rows) + 1) * sizeof(*roles));
    for (size_t i = 0; i < rows_len(rows); i++)
        roles[i] = (struct role_fact){
            .name = row_text(maker, rows, i, "name"), .secret = row_text(maker, rows, i, "secret"),
            .superuser = rows_bool(rows, i, "rolsuper"),
            .replication = rows_bool(rows, i, "rolreplication"),
            .login = rows_bool(rows, i, "rolcanlogin") };
    put_members(maker, members, roles, rows_len(rows));
    maker->posture->roles = roles;
    maker->posture->roles_len = rows_len(rows);
    return true;
}

static void put_databases(struct maker *maker)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct ps_err ignored;

    if (!sql_query(maker->sql, "SELECT datname AS name FROM pg_database WHERE datallowconn"
                               " ORDER BY 1 LIMIT 100000", NULL, &rows, &ignored))
        return;
    const char **names = arena_alloc(maker->arena, (rows_len(rows) + 1) * sizeof(*names));
    for (size_t i = 0; i < rows_len(rows); i++)
        names[i] = row_text(maker, rows, i, "name");
    maker->posture->databases = names;
}

/* ---- this connection ---- */

static void put_wire(struct maker *maker, const struct sql_link *link)
{
    struct wire_fact *wire = &maker->wire;
    long port = 0;

    if (link->host && link->host[0] == '/') {
        maker->posture->wire_why = _("the connection is over a Unix-domain socket, which has no TLS");
        return;
    }
    *wire = (struct wire_fact){
        .host = link->host ? arena_strdup(maker->arena, link->host) : NULL,
        .tls = link->tls ? FACT_YES : FACT_UNKNOWN,     /* our sslmode may have been disable */
        .version = link->version ? arena_strdup(maker->arena, link->version) : NULL,
        .cipher = link->cipher ? arena_strdup(maker->arena, link->cipher) : NULL,
    };
    if (link->port && num_parse(link->port, 1, 65535, &port))
        wire->port = (int)port;
    if (link->tls)
        peer_chain(sql_openssl(maker->sql), &wire->served);
    maker->posture->wire = wire;
}

static void put_library(struct maker *maker)
{
    const char *library = posture_value(maker->posture, "ssl_library");

    /* its version is not shown through SQL */
    maker->posture->openssl = library && *library ? library : NULL;
}

static bool put_load_time(struct maker *maker, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(maker->sql, "SELECT extract(epoch FROM pg_conf_load_time())::bigint AS loaded", NULL,
                   &rows, err))
        return false;
    maker->posture->loaded = (time_t)rows_int(rows, 0, "loaded");
    return true;
}

static void put_files(struct maker *maker, const struct sql_link *link)
{
    struct posture *posture = maker->posture;
    const char *config = posture_value(posture, "config_file");

    maker->remote = (struct remote){ .sql = maker->sql, .on_this_machine = link->on_this_machine,
                                     .data_dir = posture_value(posture, "data_directory") };
    maker->view = view_of_remote(maker->arena, &maker->remote);
    if (config)
        maker_conf(maker, config, "postgresql.auto.conf");
    else
        posture->conf_why = _("this role may not see where the configuration files are");
    put_places(maker);
    if (!posture_value(posture, "hba_file"))
        posture->hba_why = _("this role may not see where pg_hba.conf is");
    put_hba(maker);
    if (posture_value(posture, "ident_file"))
        maker_ident(maker, posture_value(posture, "ident_file"));
    else
        posture->ident_why = _("this role may not see where pg_ident.conf is");
    maker_files(maker);
}

static bool fill(struct maker *maker, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct posture *posture = maker->posture;
    struct sql_link link;
    int version = sql_server_version(maker->sql);

    if (version < OLDEST) {
        ps_fail(err, PS_E_UNSUPPORTED, _("servers before 9.6 are not examined"));
        return ps_detail(err, _("This one is %s."), sql_parameter(maker->sql, "server_version"));
    }
    sql_link(maker->sql, &link);
    posture->major = (unsigned)version / 10000;
    posture->version = arena_strdup(maker->arena, sql_parameter(maker->sql, "server_version"));
    posture->name = arena_printf(maker->arena, "%s:%s", link.host ? link.host : "",
                                 link.port ? link.port : "");
    if (!sql_query(maker->sql, settings_query, NULL, &rows, err))
        return false;
    put_settings(maker, rows);
    put_library(maker);
    put_files(maker, &link);
    posture->openssl_conf_why = _("OpenSSL's configuration is not seen through SQL");
    posture->strays_why = _("other files of the data directory are not looked at through SQL");
    if (!put_load_time(maker, err))
        return false;
    struct ps_err refused;
    if (!put_roles(maker, &refused))
        posture->roles_why = arena_strdup(maker->arena, refused.message);
    put_databases(maker);
    maker_upstreams(maker);
    put_wire(maker, &link);
    return true;
}

bool posture_by_sql(const char *conninfo, struct posture **out, struct ps_err *err)
{
    PS_AUTO(sql_freep) struct sql *sql = NULL;

    if (!sql_connect(conninfo, &sql, err))
        return false;

    struct maker *maker = maker_new(POSTURE_SQL);
    PS_AUTO(posture_freep) struct posture *posture = maker->posture;
    maker->sql = PS_TAKE(sql);
    if (!fill(maker, err))
        return false;
    *out = PS_TAKE(posture);
    return true;
}

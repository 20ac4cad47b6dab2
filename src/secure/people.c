/* people.c - see people.h. */
#include "secure/people.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/num.h"
#include "pg/conninfo.h"

/* ---- the administrator ---- */

void admin_free(struct admin *admin)
{
    sql_freep(&admin->sql);
    free(admin->conninfo);
    free(admin->role);
    *admin = (struct admin){ 0 };
}

static bool open_as(const struct admin *admin, struct sql **out, struct ps_err *err)
{
    PS_AUTO(user_return) struct user_guard guard = { 0 };

    return user_become(admin->as, &guard, err) && sql_connect(admin->conninfo, out, err);
}

static char *socket_conninfo(const struct server *server, const char *role)
{
    struct buf text = BUF(4096);
    char port[16];

    snprintf(port, sizeof(port), "%d", server->port);
    conninfo_add(&text, "host", server->socket_dir);
    conninfo_add(&text, "port", port);
    conninfo_add(&text, "user", role);
    conninfo_add(&text, "dbname", "postgres");
    return buf_take(&text);
}

static bool connect_by_socket(const struct server *server, struct admin *admin, struct ps_err *err)
{
    const char *const roles[] = { server->owner.name, "postgres" };
    struct ps_err first = { 0 };

    if (!sql_ready(err))        /* no other way would do better */
        return false;
    if (!server->socket_dir) {
        ps_fail(err, PS_E_NET, _("the server has no Unix-domain socket"));
        return ps_hint(err, _("Give a superuser's connection string with --target."));
    }
    admin->local = true;
    for (size_t i = 0; i < PS_COUNT(roles); i++) {
        free(admin->conninfo);
        admin->conninfo = socket_conninfo(server, roles[i]);
        if (open_as(admin, &admin->sql, err))
            return true;
        if (i == 0)
            first = *err;
    }
    *err = first;
    ps_while(err, _("could not connect as the administrator"));
    return ps_hint(err, _("pgseal connects over the socket in \"%s\" as role \"%s\"; give another way "
                          "with --target 'CONNECTION STRING'."), server->socket_dir,
                   server->owner.name);
}

static bool check_superuser(struct admin *admin, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(admin->sql, "SELECT current_user AS role, "
                               "current_setting('is_superuser')::bool AS super, "
                               "inet_client_addr() IS NULL AS local", NULL, &rows, err))
        return false;
    admin->role = ps_strdup(rows_text(rows, 0, "role"));
    admin->local = rows_bool(rows, 0, "local");
    if (rows_bool(rows, 0, "super"))
        return true;
    ps_fail(err, PS_E_UNSUPPORTED, _("role \"%s\" is not a superuser"), admin->role);
    ps_detail(err, _("Only a superuser may read pg_hba_file_rules and the files' settings, with which "
                     "the change is verified."));
    return ps_hint(err, _("Give a superuser's connection string with --target."));
}

bool admin_connect(const struct server *server, const char *target, struct admin *out,
                   struct ps_err *err)
{
    PS_AUTO(admin_free) struct admin admin = { .as = &server->owner };

    if (target) {
        admin.conninfo = ps_strdup(target);
        if (!open_as(&admin, &admin.sql, err))
            return false;
    } else if (!connect_by_socket(server, &admin, err)) {
        return false;
    }
    if (!check_superuser(&admin, err))
        return false;
    *out = admin;
    admin = (struct admin){ 0 };
    return true;
}

bool admin_reconnect(struct admin *admin, struct ps_err *err)
{
    struct sql *fresh = NULL;

    if (!open_as(admin, &fresh, err))
        return false;
    sql_freep(&admin->sql);
    admin->sql = fresh;
    return true;
}

/* ---- roles ---- */

/* Membership as is_member_of_role_nosuper() sees it: being superuser makes nobody a member. */
static const char membership_query[] =
    "WITH RECURSIVE up(oid) AS ("
    "  SELECT oid FROM pg_roles WHERE rolname = $1"
    "  UNION SELECT m.roleid FROM pg_auth_members m JOIN up ON m.member = up.oid)"
    " SELECT rolname FROM pg_roles JOIN up USING (oid)";

bool role_look(struct sql *sql, const char *role, struct arena *arena, bool *exists,
               const char *const **member_of, struct ps_err *err)
{
    const char *const params[] = { role, NULL };
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(sql, membership_query, params, &rows, err))
        return false;
    size_t len = rows_len(rows);
    const char **list = arena_alloc(arena, (len + 2) * sizeof(*list));
    for (size_t i = 0; i < len; i++)
        list[i] = arena_strdup(arena, rows_text(rows, i, "rolname"));
    if (len == 0)
        list[0] = arena_strdup(arena, role);    /* "+role" means the role of that name itself too */
    *exists = len > 0;
    *member_of = list;
    return true;
}

/* ---- sessions ---- */

/* %s: how a session under GSS encryption is told; pg_stat_gssapi came with 12. */
static const char sessions_query[] =
    "SELECT a.usename, coalesce(a.datname, '') AS datname, a.application_name,"
    "       host(a.client_addr) AS address, s.ssl,"
    "       coalesce(to_jsonb(s)->>'client_dn', to_jsonb(s)->>'clientdn') AS client_dn,"
    "       a.backend_type = 'walsender' AS walsender, %s AS gss"
    "  FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)"
    " WHERE a.client_addr IS NOT NULL AND a.usename IS NOT NULL"
    " ORDER BY s.ssl, a.usename, address, a.application_name";

bool address_parse(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        out->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        out->ss_family = AF_INET6;
    return out->ss_family != 0;
}

enum fate { FATE_SAME, FATE_REFUSED, FATE_NEEDS_CERT, FATE_NEW_CA, FATE_UNKNOWN };
static const struct {
    const char *word, *text;
    enum doc_mark mark;
} fates[] = {
    [FATE_SAME]       = { "admitted",          N_("gets in as before"),                DOC_GOOD },
    [FATE_REFUSED]    = { "refused",           N_("refused at the next connection"),   DOC_BAD },
    [FATE_NEEDS_CERT] = { "needs_certificate", N_("needs a client certificate"),       DOC_WARN },
    [FATE_NEW_CA]     = { "needs_new_certificate",
                          N_("needs a client certificate of the new CA"),              DOC_WARN },
    [FATE_UNKNOWN]    = { "unknown",           N_("not known"),                        DOC_UNKNOWN },
};

/* What the new rules say to a session that comes again exactly as it is now. */
static enum fate foresee(const struct hba *then, const struct hba_question *question,
                         bool has_cert, bool new_ca)
{
    bool sure;
    const struct hba_rule *rule = hba_ask(then, question, &sure);

    if (!sure)
        return FATE_UNKNOWN;
    if (!rule || strcmp(rule->method, "reject") == 0)
        return FATE_REFUSED;
    if (!has_cert && (strcmp(rule->method, "cert") == 0
                      || hba_clientcert(then, rule) != HBA_CERT_NONE))
        return FATE_NEEDS_CERT;
    /* one that does not verify ends the handshake, whatever the rule asks for */
    return has_cert && new_ca ? FATE_NEW_CA : FATE_SAME;
}

static const struct {
    const char *column, *word, *text;
    enum doc_mark mark;
} protections[] = {     /* the first whose column is true; the last has none */
    { "ssl", "tls",       "TLS",                 DOC_GOOD },
    { "gss", "gss",       N_("GSS encryption"),  DOC_GOOD },
    { NULL,  "plaintext", N_("plaintext"),       DOC_BAD },
};

static void describe_protection(const struct rows *rows, size_t i, struct doc_node *row)
{
    size_t p = 0;

    while (protections[p].column && !rows_bool(rows, i, protections[p].column))
        p++;
    doc_verdict(row, "now", _("Now"), protections[p].mark, protections[p].word,
                _(protections[p].text));
}

static void describe_session(const struct rows *rows, size_t i, enum fate fate,
                             struct doc_node *table)
{
    struct doc_node *row = doc_row(table);

    doc_str(row, "role", _("Role"), rows_text(rows, i, "usename"));
    doc_str(row, "database", _("Database"), rows_bool(rows, i, "walsender")
            ? "replication" : rows_text(rows, i, "datname"));
    doc_str(row, "address", _("Address"), rows_text(rows, i, "address"));
    doc_str(row, "application", _("Application"), rows_text(rows, i, "application_name"));
    describe_protection(rows, i, row);
    doc_verdict(row, "then", _("Under the new rules"), fates[fate].mark, fates[fate].word,
                _(fates[fate].text));
}

static bool is_our_application(const char *name)
{
    return name && strcmp(name, "pgseal") == 0;
}

bool sessions_describe(struct sql *sql, const struct hba *then, bool new_ca,
                       struct arena *arena, struct doc_node *section, size_t *cut_off,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *query = ps_asprintf(
        sessions_query, sql_server_version(sql) >= 120000
        ? "coalesce((SELECT g.encrypted FROM pg_stat_gssapi g WHERE g.pid = a.pid), false)" : "false");
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct doc_node *table = doc_table(section, "sessions", _("Sessions over the network now"),
                                       _("no session comes over the network now"));

    *cut_off = 0;
    if (!sql_query(sql, query, NULL, &rows, err))
        return false;
    for (size_t i = 0; i < rows_len(rows); i++) {
        struct hba_question question = {
            .tls = rows_bool(rows, i, "ssl"), .gss = rows_bool(rows, i, "gss"), .user = rows_text(rows, i, "usename"),
            .database = rows_text(rows, i, "datname"),
            .replication = rows_bool(rows, i, "walsender"),
        };
        bool exists;

        if (is_our_application(rows_text(rows, i, "application_name")))
            continue;
        if (!address_parse(rows_text(rows, i, "address"), &question.addr)
            || !role_look(sql, question.user, arena, &exists, &question.roles, err))
            return false;
        enum fate fate = foresee(then, &question, rows_text(rows, i, "client_dn") != NULL, new_ca);
        if (fate != FATE_SAME)
            (*cut_off)++;
        describe_session(rows, i, fate, table);
    }
    return true;
}

bool admin_survives(const struct admin *admin, const struct hba *then, struct ps_err *err)
{
    const struct hba_question question = {
        .local = true, .database = "postgres", .user = admin->role,
    };
    bool sure;

    if (!admin->local)
        return true;    /* tried for real after the reload, and undone if it fails */
    const struct hba_rule *rule = hba_ask(then, &question, &sure);
    if (!sure || (rule && strcmp(rule->method, "reject") != 0))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the administrator would be locked out"));
    ps_detail(err, _("No rule would admit role \"%s\" over the Unix-domain socket."), admin->role);
    return ps_hint(err, _("Put \"local all %s peer\" into \"%s\" first."), admin->role,
                   hba_file_name(then, 0));
}

/* ---- standbys ---- */

static bool is_replication(const struct hba_rule *rule)
{
    for (size_t i = 0; i < rule->databases.len; i++)
        if (!rule->databases.at[i].quoted
            && strcmp(rule->databases.at[i].text, "replication") == 0)
            return true;
    return false;
}

static void describe_standby(const struct hba *then, const struct hba_rule *rule,
                             const struct server *server, const char *host, struct doc_node *table)
{
    PS_AUTO(buf_free) struct buf conninfo = BUF(4096), users = BUF(4096), value = BUF(8192);
    struct doc_node *row = doc_row(table);
    bool cert = strcmp(rule->method, "cert") == 0 || hba_clientcert(then, rule) != HBA_CERT_NONE;
    char port[16];

    hba_span(then, rule, rule->users.begin, rule->users.end, &users);
    snprintf(port, sizeof(port), "%d", server->port);
    conninfo_add(&conninfo, "host", host);
    conninfo_add(&conninfo, "port", port);
    conninfo_add(&conninfo, "user", rule->users.len == 1 && !rule->users.at[0].regex
                 && strcmp(rule->users.at[0].text, "all") != 0 ? rule->users.at[0].text : "ROLE");
    conninfo_add(&conninfo, "sslmode", "verify-full");
    conninfo_add(&conninfo, "sslrootcert", "/PATH/root.crt");
    if (cert) {
        conninfo_add(&conninfo, "sslcert", "/PATH/postgresql.crt");
        conninfo_add(&conninfo, "sslkey", "/PATH/postgresql.key");
    }
    doc_fmt(row, "place", _("Rule"), "%s:%u", rule->file, rule->line);
    doc_str(row, "role", _("Role"), buf_text(&users));
    conf_quote(buf_text(&conninfo), &value);
    doc_str(row, "primary_conninfo", "primary_conninfo", buf_text(&value));
}

/* Another address of a role that was said already, usually IPv6 behind IPv4. */
static bool is_same_standby(const struct hba *then, size_t i)
{
    const struct hba_rule *rule = hba_rule(then, i);

    for (size_t e = 0; e < i; e++) {
        const struct hba_rule *earlier = hba_rule(then, e);

        if (is_replication(earlier) && earlier->users.len == 1 && rule->users.len == 1
            && strcmp(earlier->users.at[0].text, rule->users.at[0].text) == 0
            && strcmp(earlier->method, rule->method) == 0)
            return true;
    }
    return false;
}

/* A rule of one role alone that may not replicate is no standby's. */
static bool is_standby_role(struct sql *sql, const struct hba_rule *rule, bool *out,
                            struct ps_err *err)
{
    const struct hba_token *token = rule->users.at;
    const char *const params[] = { token->text, NULL };
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    *out = true;
    if (!sql || rule->users.len != 1 || token->regex)
        return true;
    if (!sql_query(sql, "SELECT rolreplication OR rolsuper AS may FROM pg_roles WHERE rolname = $1",
                   params, &rows, err))
        return false;
    *out = rows_len(rows) == 0 || rows_bool(rows, 0, "may");
    return true;
}

bool replication_describe(struct sql *sql, const struct hba *then, const struct server *server,
                          const char *host, struct doc_node *section, struct ps_err *err)
{
    struct doc_node *table = doc_table(section, "standbys", _("What standbys must write"), NULL);

    for (size_t i = 0; i < hba_rules(then); i++) {
        const struct hba_rule *rule = hba_rule(then, i);
        bool may;

        if (rule->type != HBA_HOSTSSL || !is_replication(rule)
            || strcmp(rule->method, "reject") == 0 || is_same_standby(then, i))
            continue;
        if (!is_standby_role(sql, rule, &may, err))
            return false;
        if (may)
            describe_standby(then, rule, server, host, table);
    }
    return true;
}

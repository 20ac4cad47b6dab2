/* role.c - see role.h. */
#include "prove/role.h"

#include "inspect/sql.h"
#include "pg/conninfo.h"

/* pg_hba.conf's +role counts every membership, inherited or not (is_member_of_role_nosuper). */
static const char memberships_query[] =
    "with recursive m(oid, login) as ("
    " select oid, rolcanlogin from pg_catalog.pg_roles where rolname = $1"
    " union select a.roleid, m.login from pg_catalog.pg_auth_members a join m on a.member = m.oid)"
    " select r.rolname, m.login from m join pg_catalog.pg_roles r using (oid)";

static const char database_query[] =
    "select datallowconn and pg_catalog.has_database_privilege($1::name, oid, 'connect') as open"
    " from pg_catalog.pg_database where datname = $2";

static bool connect_as_owner(const struct server *server, struct sql **out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf conninfo = BUF(BUF_TEXT_MAX);
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    char port[8];

    if (!server->socket_dir)
        return ps_fail(err, PS_E_NOT_FOUND, _("the server has no Unix-domain socket"));
    snprintf(port, sizeof(port), "%d", server->port);
    conninfo_add(&conninfo, "host", server->socket_dir);
    conninfo_add(&conninfo, "port", port);
    conninfo_add(&conninfo, "user", server->owner.name);
    conninfo_add(&conninfo, "dbname", "postgres");
    conninfo_add(&conninfo, "connect_timeout", "3");
    return user_become(&server->owner, &guard, err)
           && sql_connect(buf_text(&conninfo), out, err);
}

static void take_roles(const struct rows *rows, struct arena *arena, struct expect_role *out)
{
    size_t len = rows_len(rows);
    const char **roles = arena_alloc(arena, (len + 1) * sizeof(*roles));

    for (size_t i = 0; i < len; i++)
        roles[i] = arena_strdup(arena, rows_text(rows, i, "rolname"));
    out->roles = roles;
    out->can_login = len > 0 && rows_bool(rows, 0, "login") ? FACT_YES : FACT_NO;
}

void role_look_up(const struct server *server, const char *role, const char *database,
                  struct arena *arena, struct expect_role *out)
{
    const char *const of_role[] = { role, NULL }, *const of_database[] = { role, database, NULL };
    PS_AUTO(sql_freep) struct sql *sql = NULL;
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct ps_err err;

    *out = (struct expect_role){ 0 };
    if (!connect_as_owner(server, &sql, &err)
        || !sql_query(sql, memberships_query, of_role, &rows, &err))
        return;
    take_roles(rows, arena, out);
    rows_freep(&rows);
    if (out->can_login == FACT_YES && sql_query(sql, database_query, of_database, &rows, &err))
        out->database_open = rows_len(rows) == 1 && rows_bool(rows, 0, "open") ? FACT_YES
                                                                              : FACT_NO;
}

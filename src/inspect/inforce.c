/* inforce.c - see inforce.h. */
#include "inspect/inforce.h"

static const char settings_query[] =
    "SELECT name, setting, source, sourcefile, sourceline, pending_restart FROM pg_settings "
    "WHERE name ~ '^ssl' OR name IN ('password_encryption', 'hba_file', 'ident_file', 'config_file', "
    "'hosts_file', 'data_directory', 'listen_addresses', 'port', 'authentication_timeout', "
    "'log_connections', 'scram_iterations', 'md5_password_warnings') "
    "ORDER BY name";

/* 9.5 and 9.6 have no such role; there only superusers see all. */
static bool read_privilege(struct sql *sql, bool *out, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    const char *query = sql_server_version(sql) >= 100000
        ? "SELECT pg_has_role('pg_read_all_settings', 'USAGE') AS may"
        : "SELECT usesuper AS may FROM pg_user WHERE usename = current_user";

    if (!sql_query(sql, query, NULL, &rows, err))
        return false;
    *out = rows_bool(rows, 0, "may");
    return true;
}

static const char *keep(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

bool inforce_read(struct sql *sql, struct arena *arena, struct inforce *out, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct inforce found = { 0 };

    if (!read_privilege(sql, &found.all_shown, err)
        || !sql_query(sql, settings_query, NULL, &rows, err))
        return false;

    found.len = rows_len(rows);
    found.at = arena_alloc(arena, (found.len + 1) * sizeof(*found.at));
    for (size_t i = 0; i < found.len; i++)
        found.at[i] = (struct inforce_setting){
            .name = keep(arena, rows_text(rows, i, "name")),
            .value = keep(arena, rows_text(rows, i, "setting")),
            .source = keep(arena, rows_text(rows, i, "source")),
            .file = keep(arena, rows_text(rows, i, "sourcefile")),
            .line = rows_int(rows, i, "sourceline"),
            .pending_restart = rows_bool(rows, i, "pending_restart"),
        };
    *out = found;
    return true;
}

const char *inforce_value(const struct inforce *settings, const char *name)
{
    for (size_t i = 0; i < settings->len; i++)
        if (strcmp(settings->at[i].name, name) == 0)
            return settings->at[i].value;
    return NULL;
}

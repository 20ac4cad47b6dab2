/* sslinfo.c - see sslinfo.h. */
#include "inspect/sslinfo.h"

#include "base/buf.h"

static const char state_query[] =
    "SELECT (SELECT quote_ident(n.nspname) FROM pg_extension e "
    "JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'sslinfo') AS schema, "
    "EXISTS (SELECT FROM pg_available_extensions WHERE name = 'sslinfo') AS available";

static bool ask_functions(struct sql *sql, const char *schema, struct rows **out,
                          struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf query = BUF(4096);

    buf_printf(&query,
               "SELECT %s.ssl_version() AS version, %s.ssl_cipher() AS cipher, "
               "%s.ssl_client_serial() AS client_serial, %s.ssl_client_dn() AS client_dn, "
               "%s.ssl_issuer_dn() AS issuer_dn",
               schema, schema, schema, schema, schema);
    return sql_query(sql, buf_text(&query), NULL, out, err);
}

static const char *keep(struct arena *arena, const struct rows *rows, const char *column)
{
    const char *text = rows_text(rows, 0, column);

    return text && *text ? arena_strdup(arena, text) : NULL;
}

/* A server that refuses to answer (a revoked right on a function) is no reason to stop. */
static bool unknown_unless_lost(struct sslinfo *out, struct ps_err *err)
{
    out->state = SSLINFO_UNKNOWN;
    if (err->code != PS_E_SQL)
        return false;
    ps_err_clear(err);
    return true;
}

bool sslinfo_read(struct sql *sql, struct arena *arena, struct sslinfo *out, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *state = NULL;
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    *out = (struct sslinfo){ .state = SSLINFO_MISSING };
    if (!sql_query(sql, state_query, NULL, &state, err))
        return unknown_unless_lost(out, err);

    const char *schema = rows_text(state, 0, "schema");
    if (!schema) {
        if (rows_bool(state, 0, "available"))
            out->state = SSLINFO_AVAILABLE;
        return true;
    }
    if (!ask_functions(sql, schema, &rows, err))
        return unknown_unless_lost(out, err);
    *out = (struct sslinfo){
        .state = SSLINFO_INSTALLED,
        .version = keep(arena, rows, "version"),
        .cipher = keep(arena, rows, "cipher"),
        .client_serial = keep(arena, rows, "client_serial"),
        .client_dn = keep(arena, rows, "client_dn"),
        .issuer_dn = keep(arena, rows, "issuer_dn"),
    };
    return true;
}

/* sessions.c - see sessions.h. */
#include "inspect/sessions.h"

#include "base/buf.h"

/* What the views call a thing, from which version on; the last row that fits counts. */
static const struct {
    int from;
    const char *dn, *serial, *issuer;   /* columns of pg_stat_ssl */
    const char *gss, *gss_join;         /* pg_stat_gssapi */
    const char *kind;                   /* of the process; NULL where we may not see it */
} dialects[] = {
    { 90500, "s.clientdn", "NULL", "NULL", "NULL", "", "NULL" },
    { 100000, "s.clientdn", "NULL", "NULL", "NULL", "", "a.backend_type" },
    { 120000, "s.client_dn", "s.client_serial", "s.issuer_dn", "g.encrypted",
      "LEFT JOIN pg_stat_gssapi g ON g.pid = a.pid ", "a.backend_type" },
};

/*
 * Of another role's process we may see the name of the role and of the database only.  The launcher of
 * logical replication has a role and no database; so has a walsender, which the other view shows.
 */
static const char guessed_kind[] =
    "CASE WHEN a.pid IN (SELECT pid FROM pg_stat_replication) THEN 'walsender' "
    "WHEN a.usename IS NOT NULL AND a.datname IS NOT NULL THEN 'client backend' END";

static bool build_query(int version, struct buf *query, struct ps_err *err)
{
    size_t i = PS_COUNT(dialects);

    while (i > 0 && version < dialects[i - 1].from)
        i--;
    if (i == 0)
        return ps_fail(err, PS_E_UNSUPPORTED, _("PostgreSQL before 9.5 cannot tell who uses TLS"));
    i--;
    buf_printf(query,
               "SELECT a.pid, a.usename AS role, a.datname AS database, "
               "a.application_name AS application, host(a.client_addr) AS address, "
               "a.client_port AS port, a.pid = pg_backend_pid() AS own, kind, "
               "a.client_addr <<= '127.0.0.0/8'::inet OR a.client_addr = '::1'::inet AS loops, "
               "s.ssl, s.version, s.cipher, s.bits, %s AS client_dn, %s AS client_serial, "
               "%s AS issuer_dn, %s AS gss "
               "FROM pg_stat_activity a LEFT JOIN pg_stat_ssl s ON s.pid = a.pid %s"
               "CROSS JOIN LATERAL (SELECT coalesce(%s, %s) AS kind) k "
               "WHERE kind IN ('client backend', 'walsender') "
               "ORDER BY a.usename, a.datname, a.client_addr, a.application_name, a.pid",
               dialects[i].dn, dialects[i].serial, dialects[i].issuer, dialects[i].gss,
               dialects[i].gss_join, dialects[i].kind, guessed_kind);
    return true;
}

static enum session_link link_of(const struct rows *rows, size_t i)
{
    const char *port = rows_text(rows, i, "port");

    if (rows_bool(rows, i, "ssl"))
        return LINK_TLS;
    if (rows_bool(rows, i, "gss"))
        return LINK_GSS;
    if (!port)
        return LINK_UNKNOWN;
    if (strcmp(port, "-1") == 0)
        return LINK_LOCAL;
    return rows_bool(rows, i, "loops") ? LINK_LOOPBACK : LINK_PLAIN;
}

/* An empty text says no more than NULL, and older versions use both. */
static const char *keep(struct arena *arena, const struct rows *rows, size_t i, const char *column)
{
    const char *text = rows_text(rows, i, column);

    return text && *text ? arena_strdup(arena, text) : NULL;
}

static void read_one(struct arena *arena, const struct rows *rows, size_t i, struct session *out)
{
    const char *kind = rows_text(rows, i, "kind");

    *out = (struct session){
        .pid = rows_int(rows, i, "pid"),
        .link = link_of(rows, i),
        .replication = kind && strcmp(kind, "walsender") == 0,
        .own = rows_bool(rows, i, "own"),
        .role = keep(arena, rows, i, "role"),
        .database = keep(arena, rows, i, "database"),
        .application = keep(arena, rows, i, "application"),
        .address = keep(arena, rows, i, "address"),
        .bits = rows_int(rows, i, "bits"),
        .client_dn = keep(arena, rows, i, "client_dn"),
        .client_serial = keep(arena, rows, i, "client_serial"),
        .issuer_dn = keep(arena, rows, i, "issuer_dn"),
    };
    if (out->link == LINK_TLS) {
        out->version = keep(arena, rows, i, "version");
        out->cipher = keep(arena, rows, i, "cipher");
    }
}

bool sessions_read(struct sql *sql, struct arena *arena, struct sessions *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf query = BUF(4096);
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    struct sessions found = { 0 };

    if (!build_query(sql_server_version(sql), &query, err)
        || !sql_query(sql, buf_text(&query), NULL, &rows, err))
        return false;

    found.len = rows_len(rows);
    found.at = arena_alloc(arena, (found.len + 1) * sizeof(*found.at));
    for (size_t i = 0; i < found.len; i++) {
        read_one(arena, rows, i, &found.at[i]);
        found.count[found.at[i].link]++;
    }
    *out = found;
    return true;
}

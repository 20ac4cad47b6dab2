/* posture_upstreams.c - connections that the server itself makes (see maker.h). */
#include "base/file.h"
#include "inspect/maker.h"
#include "pg/conninfo.h"

/* Keywords whose values are secrets, in any version of libpq. */
static bool is_secret(const char *keyword)
{
    static const char *const secrets[] = { "password", "sslpassword", "scram_client_key",
                                           "scram_server_key", "oauth_client_secret" };

    for (size_t i = 0; i < PS_COUNT(secrets); i++)
        if (strcmp(keyword, secrets[i]) == 0)
            return true;
    return false;
}

/* A URI has its password between ':' and '@'; the rest may be shown. */
static void put_uri(const char *uri, struct buf *out)
{
    const char *begin = strstr(uri, "://") + 3;
    size_t authority = strcspn(begin, "/?");
    const char *at = memrchr(begin, '@', authority);
    const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
    const char *query = strchr(begin, '?');

    buf_put(out, uri, (size_t)((colon ? colon : begin) - uri));
    if (colon)
        begin = at;
    buf_put(out, begin, query ? (size_t)(query - begin) : strlen(begin));
    for (char mark = '?'; query && *query; query += strcspn(query, "&")) {
        const char *word = ++query;
        PS_AUTO(ps_freep) char *keyword = ps_strndup(word, strcspn(word, "=&"));

        if (is_secret(keyword))
            continue;
        buf_putc(out, mark);
        buf_put(out, word, strcspn(word, "&"));
        mark = '&';
    }
}

/* What cannot be read to its end may hide a password there: the rest is left out. */
static void put_public(const char *conninfo, struct buf *out)
{
    PS_AUTO(buf_free) struct buf keyword = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf value = BUF(BUF_TEXT_MAX);

    if (strncmp(conninfo, "postgresql://", 13) == 0 || strncmp(conninfo, "postgres://", 11) == 0) {
        put_uri(conninfo, out);
        return;
    }
    while (conninfo_next(&conninfo, &keyword, &value))
        if (!is_secret(buf_text(&keyword)))
            conninfo_add(out, buf_text(&keyword), buf_text(&value));
}

static void add(struct maker *maker, const char *kind, const char *name, const char *conninfo,
                struct place place)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    put_public(conninfo, &text);
    /* the line as it stands in the file has the password */
    place.text = NULL;
    PS_PUSH(maker->upstreams, maker->upstreams_len, maker->upstreams_cap) = (struct upstream_fact){
        .kind = kind, .name = arena_strdup(maker->arena, name ? name : ""),
        .conninfo = arena_strdup(maker->arena, buf_text(&text)), .place = place,
    };
}

static void add_primary(struct maker *maker)
{
    const struct setting_fact *set = posture_setting(maker->posture, "primary_conninfo");

    if (set && *set->value)
        add(maker, "primary_conninfo", "", set->value, set->place);
    else if (!set && maker->sql && maker->posture->major >= 12)
        maker->posture->upstreams_why = _("primary_conninfo is not shown to this role");
}

/* Until 11 recovery.conf had it, in the grammar of postgresql.conf. */
static void add_recovery_conf(struct maker *maker)
{
    const struct pg_source source = view_source(maker->view);
    const char *path = view_path(maker->view, "recovery.conf");
    PS_AUTO(conf_freep) struct conf *conf = NULL;
    struct ps_err ignored;

    if (maker->posture->major > 11 || !path || !conf_load(&source, path, NULL, &conf, &ignored))
        return;
    const struct conf_setting *set = conf_winner(conf, "primary_conninfo");
    if (set)
        add(maker, "primary_conninfo", "", set->value,
            maker_conf_place(maker, set->at.file, set->at.line, set->name));
}

/* ---- SQL ---- */

static bool add_rows(struct maker *maker, const char *kind, const char *query, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(maker->sql, query, NULL, &rows, err))
        return false;
    for (size_t i = 0; i < rows_len(rows); i++) {
        const char *conninfo = rows_text(rows, i, "conninfo");

        add(maker, kind, rows_text(rows, i, "name"), conninfo ? conninfo : "", (struct place){ 0 });
    }
    return true;
}

/* Options of postgres_fdw and dblink_fdw are libpq's; others we do not know. */
static const char servers_query[] =
    "SELECT s.srvname AS name, (SELECT string_agg(o.option_name || '=''' "
    "  || replace(replace(o.option_value, E'\\\\', E'\\\\\\\\'), '''', E'\\\\''') || '''', ' ')"
    "  FROM pg_options_to_table(s.srvoptions) AS o) AS conninfo "
    "FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw "
    "WHERE w.fdwname IN ('postgres_fdw', 'dblink_fdw') ORDER BY 1 LIMIT 10000";
static const char subscriptions_query[] =
    "SELECT subname AS name, subconninfo AS conninfo FROM pg_subscription ORDER BY 1 LIMIT 10000";

static void add_by_sql(struct maker *maker)
{
    struct ps_err err;

    if (!add_rows(maker, "foreign server", servers_query, &err)
        || (maker->posture->major >= 10 && !add_rows(maker, "subscription", subscriptions_query, &err)))
        maker->posture->upstreams_why = arena_strdup(maker->arena, err.message);
}

void maker_upstreams(struct maker *maker)
{
    add_primary(maker);
    if (maker->view)
        add_recovery_conf(maker);
    if (maker->sql)
        add_by_sql(maker);
    maker->posture->upstreams = maker->upstreams;
    maker->posture->upstreams_len = maker->upstreams_len;
}

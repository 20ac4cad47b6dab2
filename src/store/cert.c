/* cert.c - certificates put into the ledger and found again; see store.h. */
#include "store/internal.h"

#include <ctype.h>

#include "base/clock.h"

enum { CERT_LEN = 13, DAY_SECONDS = 24 * 60 * 60 };

static void put_hosts(struct buf *text, const char *const *hosts)
{
    for (size_t i = 0; hosts && hosts[i]; i++)
        buf_printf(text, text->len ? "%s " : " %s ", hosts[i]);
}

char *hosts_text(const char *const *hosts, const char *const *addresses)
{
    struct buf text = BUF(BUF_TEXT_MAX);

    put_hosts(&text, hosts);
    put_hosts(&text, addresses);
    for (size_t i = 0; i < text.len; i++)
        text.p[i] = (char)tolower((unsigned char)text.p[i]);
    return text.len ? buf_take(&text) : NULL;
}

/* ---- put ---- */

static void cert_row(const struct store_cert *cert, const char *hosts, time_t now,
                     struct value row[CERT_LEN])
{
    const struct value values[CERT_LEN] = {
        value_int(0), value_text(cert->issuer), value_text(cert->serial_hex),
        value_text(cert->subject), value_text(cert->kind), value_text(cert->fingerprint),
        value_int(cert->not_before), value_int(cert->not_after), value_int(now),
        value_text(cert->common_name), value_text(hosts), value_int(cert->shard),
        value_blob(cert->der, cert->der_len),
    };
    memcpy(row, values, sizeof(values));
}

static bool say_twice(const struct store_cert *certs, size_t len, struct ps_err *err)
{
    if (err->code != PS_E_EXISTS || len != 1)
        return false;
    ps_fail(err, PS_E_EXISTS, _("certificate %s is in the ledger already"), certs->serial_hex);
    return ps_detail(err, _("Its issuer is \"%s\"."), certs->issuer);
}

static char *what_was_issued(const struct store_cert *certs, size_t len)
{
    return len == 1 ? ps_asprintf("%s %s, serial %s", certs->kind, certs->subject,
                                  certs->serial_hex)
                    : ps_asprintf("%zu certificates, serial %s to %s", len, certs->serial_hex,
                                  certs[len - 1].serial_hex);
}

static void free_texts(char ***texts)
{
    for (size_t i = 0; *texts && (*texts)[i]; i++)
        free((*texts)[i]);
    free(*texts);
}

bool store_put_certs(struct store *store, const struct store_cert *certs, size_t len,
                     struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) struct value *rows = ps_calloc(len + 1, CERT_LEN * sizeof(*rows));
    PS_AUTO(free_texts) char **hosts = ps_calloc(len + 1, sizeof(*hosts));
    size_t texts = 0;
    time_t now = clock_now();

    if (len == 0)
        return true;
    for (size_t i = 0; i < len; i++) {
        char *text = hosts_text(certs[i].hosts, certs[i].addresses);

        if (text)
            hosts[texts++] = text;
        cert_row(&certs[i], text, now, rows + i * CERT_LEN);
    }

    PS_AUTO(ps_freep) char *detail = what_was_issued(certs, len);
    if (!act_begin(store, &act, err) || !store_may_issue(store, certs->issuer, err))
        return false;
    return (act_rows(&act, PART_CERT, rows, len, err) || say_twice(certs, len, err))
        && act_end(&act, "issue", certs->issuer, detail, err);
}

bool store_put_cert(struct store *store, const struct store_cert *cert, struct ps_err *err)
{
    return store_put_certs(store, cert, 1, err);
}

/* ---- a question in SQL ---- */

struct query {
    struct buf sql;
    struct value values[16];
    int len;
    char host[280];         /* the pattern for LIKE */
};

static void query_free(struct query *query)
{
    buf_free(&query->sql);
}

/* `text` has one %d for the number of the parameter. */
static void ask(struct query *query, const char *text, struct value value)
{
    query->values[query->len++] = value;
    buf_printf(&query->sql, text, query->len);
}

static void ask_text(struct query *query, const char *text, const char *wanted)
{
    if (wanted)
        ask(query, text, value_text(wanted));
}

/* "% host %" with the wildcards of LIKE made harmless: a question may have them, a name has not. */
static void ask_host(struct query *query, const char *host)
{
    struct buf pattern = BUF(sizeof(query->host) - 3);

    if (!host)
        return;
    buf_puts(&pattern, "% ");
    for (const char *p = host; *p; p++) {
        if (strchr("%_\\", *p))
            buf_putc(&pattern, '\\');
        buf_putc(&pattern, (char)tolower((unsigned char)*p));
    }
    buf_puts(&pattern, " %");
    /* what does not fit is longer than any host name (RFC 1035: 253), and matches nothing */
    snprintf(query->host, sizeof(query->host), "%s", pattern.over ? "" : buf_text(&pattern));
    buf_free(&pattern);
    ask(query, " AND c.hosts IS NOT NULL AND c.hosts LIKE $%d ESCAPE '\\'",
        value_text(query->host));
}

static void ask_state(struct query *query, enum store_state state, time_t now)
{
    if (state == STORE_REVOKED)
        buf_puts(&query->sql, " AND r.id IS NOT NULL");
    else if (state == STORE_HELD) {
        ask(query, " AND r.reason = $%d", value_int(STORE_HOLD));
        ask(query, " AND c.not_after > $%d", value_int(now));
    } else if (state != STORE_ANY) {
        buf_puts(&query->sql, " AND r.id IS NULL");
        ask(query, state == STORE_VALID ? " AND c.not_after > $%d" : " AND c.not_after <= $%d",
            value_int(now));
    }
}

static void ask_where(struct query *query, const struct store_filter *filter)
{
    time_t now = filter->now ? filter->now : clock_now();

    /* at most one revocation of a certificate is in force */
    buf_puts(&query->sql, " FROM cert c LEFT JOIN revocation r ON r.cert = c.id"
                          " AND NOT EXISTS (SELECT 1 FROM hold_end h WHERE h.revocation = r.id)"
                          " WHERE 1 = 1");
    ask_text(query, " AND c.serial = $%d", filter->serial_hex);
    ask_text(query, " AND c.issuer = $%d", filter->issuer);
    ask_text(query, " AND c.kind = $%d", filter->kind);
    ask_text(query, " AND c.common_name = $%d", filter->common_name);
    if (filter->fingerprint) {
        ask(query, " AND substr(c.fingerprint, 1, 8) = substr($%d, 1, 8)",
            value_text(filter->fingerprint));
        /* SQLite puts what equals a constant in its place, and would not see its index any more */
        buf_printf(&query->sql, " AND c.fingerprint BETWEEN $%d AND $%d", query->len, query->len);
    }
    ask_host(query, filter->host);
    ask_state(query, filter->state, now);
    if (filter->within_days) {
        ask(query, " AND c.not_after > $%d", value_int(now));
        ask(query, " AND c.not_after <= $%d",
            value_int(now + (time_t)filter->within_days * DAY_SECONDS));
    }
    if (filter->newest)
        buf_puts(&query->sql,
                 " AND NOT EXISTS (SELECT 1 FROM cert n WHERE n.common_name = c.common_name"
                 " AND n.kind = c.kind AND n.not_after > c.not_after"
                 " AND NOT EXISTS (SELECT 1 FROM revocation g WHERE g.cert = n.id"
                 " AND NOT EXISTS (SELECT 1 FROM hold_end e WHERE e.revocation = g.id)))");
}

static void ask_order(struct query *query, const struct store_filter *filter)
{
    static const char *const orders[][2] = {
        [STORE_BY_ENTRY] = { "c.id", "c.id DESC" },
        [STORE_BY_END] = { "c.not_after, c.id", "c.not_after DESC, c.id DESC" },
        [STORE_BY_NAME] = { "c.common_name, c.id", "c.common_name DESC, c.id DESC" },
    };

    buf_printf(&query->sql, " ORDER BY %s", orders[filter->sort][filter->descending]);
    if (filter->limit)
        ask(query, " LIMIT $%d", value_int(filter->limit));
}

/* ---- the answer ---- */

enum {
    C_SERIAL, C_ISSUER, C_SUBJECT, C_KIND, C_FINGERPRINT, C_NOT_BEFORE, C_NOT_AFTER, C_RECORDED_AT,
    C_COMMON_NAME, C_SHARD, C_REVOKED_AT, C_REASON, C_HOSTS, C_DER
};

struct walk {
    const struct store_filter *filter;
    time_t now;
    store_entry_fn fn;
    void *arg;
};

struct hosts {
    char *text;
    const char **list;
    size_t len, cap;
};

static void hosts_free(struct hosts *hosts)
{
    free(hosts->text);
    free(hosts->list);
}

static const char *const *split_hosts(const char *text, struct hosts *out)
{
    char *rest;

    out->text = rest = ps_strdup(text);
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            PS_PUSH(out->list, out->len, out->cap) = word;
    PS_PUSH(out->list, out->len, out->cap) = NULL;
    return out->list;
}

static enum store_state state_of(const struct value *columns, time_t now)
{
    if (columns[C_REVOKED_AT].type == VALUE_INT)
        return STORE_REVOKED;
    return columns[C_NOT_AFTER].number > now ? STORE_VALID : STORE_EXPIRED;
}

static bool give_entry(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct walk *walk = arg;
    PS_AUTO(hosts_free) struct hosts hosts = { 0 };
    const bool named = columns[C_COMMON_NAME].type == VALUE_TEXT;
    struct store_entry entry = {
        .cert = {
            .serial_hex = value_str(&columns[C_SERIAL]), .issuer = value_str(&columns[C_ISSUER]),
            .subject = value_str(&columns[C_SUBJECT]), .kind = value_str(&columns[C_KIND]),
            .fingerprint = value_str(&columns[C_FINGERPRINT]),
            .not_before = columns[C_NOT_BEFORE].number, .not_after = columns[C_NOT_AFTER].number,
            .common_name = named ? value_str(&columns[C_COMMON_NAME]) : NULL,
            .shard = (int)columns[C_SHARD].number,
        },
        .state = state_of(columns, walk->now),
        .recorded_at = columns[C_RECORDED_AT].number,
        .revoked_at = columns[C_REVOKED_AT].number,
        .reason = (int)columns[C_REASON].number,
    };

    if (walk->filter->with_hosts)
        entry.cert.hosts = split_hosts(value_str(&columns[C_HOSTS]), &hosts);
    if (walk->filter->with_der) {
        entry.cert.der = columns[C_DER].bytes;
        entry.cert.der_len = columns[C_DER].len;
    }
    return walk->fn(walk->arg, &entry, err);
}

bool store_list(struct store *store, const struct store_filter *filter, store_entry_fn fn,
                void *arg, struct ps_err *err)
{
    PS_AUTO(query_free) struct query query = { .sql = BUF(BUF_TEXT_MAX) };
    struct walk walk = { filter, filter->now ? filter->now : clock_now(), fn, arg };

    buf_puts(&query.sql, "SELECT c.serial, c.issuer, c.subject, c.kind, c.fingerprint, c.not_before,"
                         " c.not_after, c.recorded_at, c.common_name, c.shard, r.revoked_at,"
                         " r.reason");
    buf_puts(&query.sql, filter->with_hosts ? ", c.hosts" : ", NULL");
    buf_puts(&query.sql, filter->with_der ? ", c.der" : ", NULL");
    ask_where(&query, filter);
    ask_order(&query, filter);
    return store_run(store, query.sql.p, query.values, query.len, give_entry, &walk, err);
}

bool store_count(struct store *store, const struct store_filter *filter, int64_t *out,
                 struct ps_err *err)
{
    PS_AUTO(query_free) struct query query = { .sql = BUF(BUF_TEXT_MAX) };

    buf_puts(&query.sql, "SELECT count(*)");
    ask_where(&query, filter);
    return store_run(store, query.sql.p, query.values, query.len, take_int, out, err);
}

static bool find(struct store *store, struct query *query, row_fn fn, void *arg, struct ps_err *err)
{
    buf_puts(&query->sql, " ORDER BY c.id");
    return store_run(store, query->sql.p, query->values, query->len, fn, arg, err);
}

#define VICTIM "SELECT c.id, c.shard, c.not_after, c.issuer, c.serial, r.id"

bool store_find_revocable(struct store *store, const struct store_filter *filter, int reason,
                          row_fn fn, void *arg, struct ps_err *err)
{
    PS_AUTO(query_free) struct query query = { .sql = BUF(BUF_TEXT_MAX) };
    struct store_filter wanted = *filter;

    wanted.state = STORE_ANY;
    buf_puts(&query.sql, VICTIM);
    ask_where(&query, &wanted);
    if (filter->state == STORE_VALID)
        ask(&query, " AND c.not_after > $%d", value_int(filter->now ? filter->now : clock_now()));
    /* a hold gives way to what is for good */
    ask(&query, " AND (r.id IS NULL OR (r.reason = $%d", value_int(STORE_HOLD));
    ask(&query, " AND r.reason <> $%d))", value_int(reason));
    return find(store, &query, fn, arg, err);
}

bool store_find_held(struct store *store, const struct store_filter *filter, row_fn fn, void *arg,
                     struct ps_err *err)
{
    PS_AUTO(query_free) struct query query = { .sql = BUF(BUF_TEXT_MAX) };
    struct store_filter wanted = *filter;

    wanted.state = STORE_HELD;
    buf_puts(&query.sql, VICTIM);
    ask_where(&query, &wanted);
    return find(store, &query, fn, arg, err);
}

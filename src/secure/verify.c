/* verify.c - does the running server do what its files say now (see reload.h)? */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "inspect/wire.h"
#include "net/dial.h"
#include "pg/wire.h"
#include "secure/knock.h"
#include "secure/reload.h"

enum { LIMIT_MS = 5000 };

enum outcome { FINE, WRONG, NOT_EXAMINED };

struct checking {
    const struct server *server;
    struct admin *admin;
    const struct wanted *wanted;
    char *address;              /* for TCP; NULL: none */
    struct buf evidence;        /* of the check at work */
};

/* ---- settings ---- */

static bool same_value(const char *a, const char *b)
{
    bool x, y;

    return strcmp(a, b) == 0 || (conf_bool(a, &x) && conf_bool(b, &y) && x == y);
}

/*
 * What somebody changed and a restart will bring is no error of the files, though the view says so;
 * for a line that was taken out it has no name, and quotes it in the text.
 */
static const char file_errors[] =
    "SELECT sourcefile, sourceline, name, error FROM pg_file_settings f"
    " WHERE error IS NOT NULL AND NOT EXISTS (SELECT FROM pg_settings s WHERE s.pending_restart"
    "       AND (s.name = lower(f.name)"
    "            OR f.name IS NULL AND position('\"' || s.name || '\"' IN f.error) > 0))";

static enum outcome check_files(struct checking *c, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(c->admin->sql, file_errors, NULL, &rows, err))
        return NOT_EXAMINED;
    for (size_t i = 0; i < rows_len(rows); i++)
        buf_printf(&c->evidence, "%s:%s: %s: %s\n", rows_text(rows, i, "sourcefile"),
                   rows_text(rows, i, "sourceline"), rows_text(rows, i, "name"),
                   rows_text(rows, i, "error"));
    return rows_len(rows) ? WRONG : FINE;
}

static bool check_setting(struct checking *c, const struct setting_pair *pair, const char *file,
                          struct ps_err *err)
{
    const char *const params[] = { pair->name, NULL };
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!sql_query(c->admin->sql, "SELECT setting, sourcefile, sourceline, source, pending_restart "
                                  "FROM pg_settings WHERE name = $1", params, &rows, err)
        || rows_len(rows) != 1)
        return false;
    const char *value = rows_text(rows, 0, "setting");
    const char *from = rows_text(rows, 0, "sourcefile");

    if (!same_value(value, pair->value) || rows_bool(rows, 0, "pending_restart")) {
        buf_printf(&c->evidence, _("%s is \"%s\" (from %s), not \"%s\"\n"), pair->name, value,
                   from ? from : rows_text(rows, 0, "source"), pair->value);
        return false;
    }
    if (from && strcmp(from, file) != 0)
        buf_printf(&c->evidence, _("%s comes from %s\n"), pair->name, from);
    return true;
}

static enum outcome check_settings(struct checking *c, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *file = settings_file(c->server);
    bool good = true;

    for (size_t i = 0; i < c->wanted->pairs_len; i++)
        good = check_setting(c, &c->wanted->pairs[i], file, err) && good;
    return good ? FINE : WRONG;
}

/* ---- rules ---- */

/* A bad clientcert gives a row of NULLs with a NULL error: the count and the types tell. */
static enum outcome check_rules(struct checking *c, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    size_t good = 0;

    if (!sql_query(c->admin->sql, "SELECT line_number, type, error FROM pg_hba_file_rules", NULL,
                   &rows, err))
        return NOT_EXAMINED;
    for (size_t i = 0; i < rows_len(rows); i++) {
        const char *error = rows_text(rows, i, "error");

        if (!error && rows_text(rows, i, "type"))
            good++;
        else
            buf_printf(&c->evidence, _("line %s: %s\n"), rows_text(rows, i, "line_number"),
                       error ? error : _("not taken, without a reason"));
    }
    if (good != hba_rules(c->wanted->hba))
        buf_printf(&c->evidence, _("the server reads %zu rules, pgseal %zu\n"), good,
                   hba_rules(c->wanted->hba));
    return good == hba_rules(c->wanted->hba) && good == rows_len(rows) ? FINE : WRONG;
}

/* ---- from outside ---- */

static bool read_message(struct io *io, struct buf *in, struct wire_message *message,
                         int64_t deadline, struct ps_err *err)
{
    char block[4096];
    size_t got;

    for (;;) {
        enum wire_parse parsed = wire_message_parse(buf_text(in), in->len, message);

        if (parsed == WIRE_DONE)
            return true;
        if (parsed == WIRE_BAD || in->over)
            return ps_fail(err, PS_E_PROTOCOL, _("the server's answer is not PostgreSQL's"));
        if (!io_read(io, block, sizeof(block), &got, deadline, err))
            return false;
        if (got == 0)
            return ps_fail(err, PS_E_NET, _("the server closed the connection"));
        buf_put(in, block, got);
    }
}

/* The role that knocks exists nowhere: hba rules are asked before the role is looked up. */
static const char probe_role[] = "pgseal_probe";

/* From this machine: a connection to one of its own addresses comes from that address. */
static struct hba_question probe_question(const char *address)
{
    static const char *const roles[] = { probe_role, NULL };
    struct hba_question question = { .database = "postgres", .user = probe_role, .roles = roles };

    if (address)
        address_parse(address, &question.addr);
    return question;
}

/* Knock without TLS: proves that the rules in force are those of the file. */
static enum outcome check_plaintext(struct checking *c, struct ps_err *err)
{
    static const char *const pairs[] = { "user", probe_role, "database", "postgres", NULL };
    const struct hba_question question = probe_question(c->address);
    PS_AUTO(io_freep) struct io *io = NULL;
    PS_AUTO(buf_free) struct buf out = BUF(4096), in = BUF(WIRE_MESSAGE_MAX);
    int64_t deadline = clock_mono_ms() + LIMIT_MS;
    struct wire_message message;
    bool sure;
    const struct hba_rule *rule = hba_ask(c->wanted->hba, &question, &sure);

    if (!c->address || !question.addr.ss_family || !sure)
        return NOT_EXAMINED;
    wire_put_startup(&out, WIRE_PROTOCOL_3_0, pairs);
    if (!dial(c->address, c->server->port, deadline, &io, err)
        || !io_write(io, out.p, out.len, deadline, err)
        || !read_message(io, &in, &message, deadline, err)) {
        buf_printf(&c->evidence, "%s", err->message);
        return WRONG;
    }
    bool should = rule && strcmp(rule->method, "reject") != 0;
    /* an ident server that is missing has the same SQLSTATE; the file's name is in every language */
    bool refused = message.type == 'E' && strcmp(message.error.sqlstate, "28000") == 0
        && strstr(message.error.message, "pg_hba.conf");
    if (message.type == 'E')
        buf_puts(&c->evidence, message.error.message);
    else
        buf_puts(&c->evidence, _("the server goes on to authentication"));
    return refused != should ? FINE : WRONG;
}

static enum outcome check_served(struct checking *c, struct ps_err *err)
{
    const struct tls_client_spec spec = { 0 };
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = NULL;
    PS_AUTO(io_freep) struct io *io = NULL;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

    if (!c->address)
        return NOT_EXAMINED;
    if (!tls_ctx_client(&spec, &ctx, err)
        || !knock_tls(c->address, c->server->port, ctx, clock_mono_ms() + LIMIT_MS, &io, err)) {
        buf_puts(&c->evidence, err->message);
        return WRONG;
    }
    io_tls_peer_chain(io, &chain);
    io_tls_close_notify(io);
    if (!chain.len)
        return WRONG;
    buf_printf(&c->evidence, "SHA-256 %s", cert_info(chain.at[0])->fingerprint);
    return cert_same(chain.at[0], c->wanted->cert) ? FINE : WRONG;
}

static enum outcome check_admin(struct checking *c, struct ps_err *err)
{
    if (admin_reconnect(c->admin, err)) {
        buf_printf(&c->evidence, _("as role \"%s\"%s"), c->admin->role,
                   c->admin->local ? _(", over the Unix-domain socket") : "");
        return FINE;
    }
    buf_puts(&c->evidence, err->detail);
    return WRONG;
}

static enum outcome check_log(struct checking *c, struct ps_err *err)
{
    const struct reload *reload = c->wanted->reload;

    (void)err;
    if (!reload->log_path)
        return NOT_EXAMINED;
    buf_puts(&c->evidence, reload->log_complains ? buf_text(&reload->log) : reload->log_path);
    return reload->log_complains ? WRONG : FINE;
}

/* ---- all of them ---- */

static const struct {
    const char *key, *label;
    enum outcome (*check)(struct checking *c, struct ps_err *err);
} checks[] = {
    { "files",     N_("the files have no error (pg_file_settings)"),          check_files },
    { "settings",  N_("our settings are in force (pg_settings)"),             check_settings },
    { "rules",     N_("every access rule was understood (pg_hba_file_rules)"), check_rules },
    { "log",       N_("the server's log has no complaint"),                   check_log },
    { "served",    N_("the new certificate is served"),                       check_served },
    { "plaintext", N_("the answer to plaintext is what the rules say"),       check_plaintext },
    { "admin",     N_("the administrator gets in"),                           check_admin },
};

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} outcomes[] = {
    [FINE]         = { "pass",         N_("yes"),          DOC_GOOD },
    [WRONG]        = { "fail",         N_("no"),           DOC_BAD },
    [NOT_EXAMINED] = { "not_examined", N_("not examined"), DOC_UNKNOWN },
};

static void describe_check(size_t i, enum outcome outcome, const char *evidence,
                           struct doc_node *table)
{
    struct doc_node *row = doc_row(table);

    doc_str(row, "check", _("Check"), checks[i].key);
    doc_str(row, "what", _("What"), _(checks[i].label));
    doc_verdict(row, "verdict", _("Holds"), outcomes[outcome].mark, outcomes[outcome].word,
                _(outcomes[outcome].text));
    doc_aside(doc_str(row, "evidence", _("Evidence"), *evidence ? evidence : NULL));
}

bool verify_server(const struct server *server, struct admin *admin, const struct wanted *wanted,
                   struct doc_node *section, struct ps_err *err)
{
    struct doc_node *table = doc_table(section, "checks", _("After the reload"), NULL);
    PS_AUTO(ps_freep) char *address = server_tcp_address(server);
    struct ps_err first = { 0 };

    for (size_t i = 0; i < PS_COUNT(checks); i++) {
        struct checking c = { server, admin, wanted, address, BUF(1u << 20) };
        struct ps_err why = { 0 };
        enum outcome outcome = checks[i].check(&c, &why);

        describe_check(i, outcome, buf_text(&c.evidence), table);
        if (outcome == WRONG && first.code == PS_E_NONE) {
            ps_fail(&first, PS_E_UNSAFE, _("this does not hold after the reload: %s"),
                    _(checks[i].label));
            ps_detail(&first, "%s", c.evidence.len ? c.evidence.p : why.message);
        }
        buf_free(&c.evidence);
    }
    if (first.code == PS_E_NONE)
        return true;
    *err = first;
    return false;
}

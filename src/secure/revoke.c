/* revoke.c - see revoke.h. */
#include "secure/revoke.h"

#include "base/clock.h"
#include "base/mem.h"
#include "inspect/sessions.h"
#include "inspect/wire.h"
#include "secure/knock.h"
#include "secure/rotation.h"

enum { END_WAIT_MS = 5000, END_LOOK_MS = 50, SHOWN_MAX_BYTES = 63 };

struct proving {
    const struct revoke_spec *spec;
    struct job *job;
    char *address;                  /* for TCP; NULL: none */
    struct buf evidence;            /* of the check at work */
};

enum outcome { HOLDS, FAILS, NOT_EXAMINED };

/* ---- what the server has ---- */

static bool lists_it(const struct crl_list *crls, const struct cert *cert, bool *of_issuer)
{
    const struct cert_info *info = cert_info(cert);
    bool listed = false;

    *of_issuer = false;
    for (size_t i = 0; i < crls->len; i++) {
        if (strcmp(crl_info(crls->at[i])->issuer, info->issuer) != 0)
            continue;
        *of_issuer = true;
        listed = listed || crl_has_serial(crls->at[i], info->serial_hex);
    }
    return listed;
}

static bool installed_file(const struct job *job, char **out)
{
    for (size_t i = 0; i < job->pairs_len; i++)
        if (strcmp(job->pairs[i].name, "ssl_crl_file") == 0) {
            *out = path_join(job->server->data_dir, job->pairs[i].value);
            return true;
        }
    return false;
}

/* The bytes that the server reads, not those that we meant to write. */
static enum outcome check_listed(struct proving *p, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    enum outcome outcome = HOLDS;

    if (!installed_file(p->job, &path) || !user_become(&p->job->server->owner, &guard, err)
        || !file_read(path, FILE_CONF_MAX, &pem, err)
        || !crl_list_from_pem(buf_text(&pem), pem.len, path, &crls, err))
        return FAILS;
    buf_puts(&p->evidence, path);
    for (size_t i = 0; i < p->spec->revoked->len; i++) {
        const struct cert *cert = p->spec->revoked->at[i];
        bool of_issuer;

        if (lists_it(&crls, cert, &of_issuer))
            continue;
        buf_putc(&p->evidence, '\n');
        buf_printf(&p->evidence, of_issuer ? _("serial %s is not in it")
                                           : _("serial %s is of an issuer that a server does not check"),
                   cert_info(cert)->serial_hex);
        outcome = of_issuer ? FAILS : outcome == HOLDS ? NOT_EXAMINED : outcome;
    }
    return outcome;
}

static enum outcome check_loaded(struct proving *p, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = NULL;
    PS_AUTO(rows_freep) struct rows *rows = NULL;

    if (!installed_file(p->job, &path))
        return FAILS;
    const char *const params[] = { path, NULL };
    if (!sql_query(p->job->admin.sql, "SELECT pg_conf_load_time()::text AS loaded, "
                   "pg_conf_load_time() >= (pg_stat_file($1)).modification AS after", params, &rows,
                   err)) {
        buf_puts(&p->evidence, err->message);
        return NOT_EXAMINED;
    }
    buf_puts(&p->evidence, rows_text(rows, 0, "loaded"));
    return rows_bool(rows, 0, "after") ? HOLDS : FAILS;
}

/* ---- what it does ---- */

static enum outcome knock(struct proving *p, const struct cert_list *chain, const struct key *key)
{
    static const enum outcome outcomes[] = {
        [KNOCK_REVOKED] = HOLDS, [KNOCK_ACCEPTED] = FAILS, [KNOCK_FAILED] = NOT_EXAMINED,
    };

    return outcomes[knock_revoked(p->address, p->job->server->port, chain, key, &p->evidence)];
}

static enum outcome check_proof(struct proving *p, struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf proof = { 0 };

    if (p->address && ca_revoked_proof(p->spec->ca, &proof, err))
        return knock(p, &proof.chain, proof.key);
    buf_puts(&p->evidence, p->address ? err->message : _("the server does not listen on TCP"));
    return NOT_EXAMINED;
}

static bool read_own(const struct revoke_spec *spec, struct cert_list *chain, struct key **key,
                     struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret secret = { 0 };

    if (!file_read(spec->cert_path, FILE_CONF_MAX, &pem, err)
        || !cert_list_from_pem(buf_text(&pem), pem.len, spec->cert_path, chain, err)
        || !secret_read_file(spec->key_path, &secret, err)
        || !key_from_pem(secret.p, secret.len, spec->key_path, NULL, key, err))
        return false;
    for (size_t i = 0; i < spec->revoked->len; i++)
        if (cert_same(chain->at[0], spec->revoked->at[i]))
            return true;
    return ps_fail(err, PS_E_VALUE, _("certificate \"%s\" is not one of those that were revoked"),
                   spec->cert_path);
}

static enum outcome check_own(struct proving *p, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;

    if (!p->spec->cert_path || !p->address) {
        buf_puts(&p->evidence, _("its key was not given"));
        return NOT_EXAMINED;
    }
    if (read_own(p->spec, &chain, &key, err))
        return knock(p, &chain, key);
    buf_puts(&p->evidence, err->message);
    return NOT_EXAMINED;
}

static const struct {
    const char *key, *label;
    enum outcome (*check)(struct proving *p, struct ps_err *err);
} checks[] = {
    { "listed", N_("the server's revocation lists name every serial"),           check_listed },
    { "loaded", N_("the server has loaded them since"),                          check_loaded },
    { "proof",  N_("the CA's revoked certificate is refused"),                   check_proof },
    { "own",    N_("the revoked certificate itself is refused"),                 check_own },
};

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} outcomes[] = {
    [HOLDS]        = { "pass",         N_("yes"),          DOC_GOOD },
    [FAILS]        = { "fail",         N_("no"),           DOC_BAD },
    [NOT_EXAMINED] = { "not_examined", N_("not examined"), DOC_UNKNOWN },
};

static bool prove(struct proving *p, struct doc_node *section, struct ps_err *err)
{
    struct doc_node *table = doc_table(section, "revocation", _("Is it refused now?"), NULL);
    struct ps_err first = { 0 };

    for (size_t i = 0; i < PS_COUNT(checks); i++) {
        struct ps_err why = { 0 };

        p->evidence = BUF(1u << 16);
        enum outcome outcome = checks[i].check(p, &why);
        struct doc_node *row = doc_row(table);
        doc_str(row, "check", _("Check"), checks[i].key);
        doc_str(row, "what", _("What"), _(checks[i].label));
        doc_verdict(row, "verdict", _("Holds"), outcomes[outcome].mark, outcomes[outcome].word,
                    _(outcomes[outcome].text));
        doc_str(row, "evidence", _("Evidence"), p->evidence.len ? buf_text(&p->evidence) : NULL);
        if (outcome == FAILS && first.code == PS_E_NONE) {
            ps_fail(&first, PS_E_UNSAFE, _("the revocation is not in force: this does not hold: %s"),
                    _(checks[i].label));
            ps_detail(&first, "%s", p->evidence.len ? buf_text(&p->evidence) : why.message);
        }
        buf_free(&p->evidence);
    }
    if (first.code == PS_E_NONE)
        return true;
    *err = first;
    return false;
}

/* ---- sessions that are open with it ---- */

/* Serials are random; the issuer's name only settles what a foreign CA may have chosen too. */
static bool is_with(const struct session *session, const struct cert *cert)
{
    const struct cert_info *info = cert_info(cert);
    const char *cn = strstr(info->issuer, "CN=");
    PS_AUTO(ps_freep) char *name = cn ? ps_strndup(cn, strcspn(cn, ",")) : NULL;

    return session->client_serial && strcmp(session->client_serial, info->serial_dec) == 0
        && (!name || !session->issuer_dn || strlen(session->issuer_dn) >= SHOWN_MAX_BYTES
            || strstr(session->issuer_dn, name));
}

static bool is_revoked(const struct revoke_spec *spec, const struct session *session)
{
    for (size_t i = 0; i < spec->revoked->len; i++)
        if (is_with(session, spec->revoked->at[i]))
            return true;
    return false;
}

static size_t count_open(const struct revoke_spec *spec, const struct sessions *sessions)
{
    size_t open = 0;

    for (size_t i = 0; i < sessions->len; i++)
        open += is_revoked(spec, &sessions->at[i]);
    return open;
}

static bool end_session(struct sql *sql, const struct session *session, struct ps_err *err)
{
    PS_AUTO(rows_freep) struct rows *rows = NULL;
    char pid[24];
    const char *const params[] = { pid, NULL };

    snprintf(pid, sizeof(pid), "%ld", session->pid);
    return sql_query(sql, "SELECT pg_terminate_backend($1::int) AS told", params, &rows, err);
}

static bool wait_for_end(struct proving *p, size_t *left, struct ps_err *err)
{
    int64_t deadline = clock_mono_ms() + END_WAIT_MS;
    struct sessions now;

    do {
        if (!sessions_read(p->job->admin.sql, p->job->server->arena, &now, err))
            return false;
        *left = count_open(p->spec, &now);
        if (*left)
            clock_sleep_ms(END_LOOK_MS);
    } while (*left && clock_mono_ms() < deadline);
    return true;
}

static void describe_session(const struct session *session, struct doc_node *table)
{
    struct doc_node *row = doc_row(table);

    doc_int(row, "pid", _("Process"), session->pid);
    doc_str(row, "role", _("Role"), session->role);
    doc_str(row, "database", _("Database"), session->database);
    doc_str(row, "application", _("Application"), session->application);
    doc_str(row, "address", _("Address"), session->address);
    doc_str(row, "serial", _("Serial"), session->client_serial);
}

static bool look_at_sessions(struct proving *p, struct doc_node *section, struct ps_err *err)
{
    struct sql *sql = p->job->admin.sql;
    struct sessions open;
    size_t left = 0;

    if (p->job->server->major < 12) {
        doc_para(section, DOC_UNKNOWN, _("Sessions that are open with it are not known: PostgreSQL %u "
                                         "does not show their serials."), p->job->server->major);
        return true;
    }
    struct doc_node *table = doc_table(section, "sessions", _("Sessions that were opened with it"),
                                       _("no session is open with it"));
    if (!sessions_read(sql, p->job->server->arena, &open, err))
        return false;
    size_t len = count_open(p->spec, &open);
    for (size_t i = 0; i < open.len; i++)
        if (is_revoked(p->spec, &open.at[i])) {
            describe_session(&open.at[i], table);
            if (p->spec->terminate && !end_session(sql, &open.at[i], err))
                return false;
        }
    left = len;
    if (len && p->spec->terminate && !wait_for_end(p, &left, err))
        return false;
    doc_int(section, "open_sessions", _("Still open"), (int64_t)left);
    doc_int(section, "ended_sessions", _("Ended"), (int64_t)(len - left));
    if (left)
        doc_para(section, DOC_WARN, _("Revocation does not end them: PostgreSQL looks at a certificate "
                                      "only when a session begins.  --terminate ends them."));
    return true;
}

/* ---- all of it ---- */

bool secure_revoke_install(const struct revoke_spec *spec, struct doc_node *section,
                           struct ps_err *err)
{
    const struct rotate_spec rotate = {
        .data_dir = spec->data_dir, .state_dir = spec->state_dir, .bin_dir = spec->bin_dir,
        .target = spec->target, .ca = spec->ca, .what = ROTATE_CRL,
    };
    PS_AUTO(rotation_free) struct rotation r = { 0 };

    if (!rotation_begin(&r, &rotate, section, err) || !rotation_finish(&r, err))
        return false;
    if (!r.job.admin.sql) {
        doc_para(section, DOC_UNKNOWN, _("Not examined: the server is stopped."));
        return true;
    }
    PS_AUTO(ps_freep) char *address = server_tcp_address(r.job.server);
    struct proving p = { .spec = spec, .job = &r.job, .address = address };
    bool proven = prove(&p, section, err);
    struct ps_err ignored = { 0 };
    return look_at_sessions(&p, section, proven ? err : &ignored) && proven;
}

/* rotate.c - see rotate.h. */
#include "secure/rotate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "secure/preflight.h"
#include "secure/rotation.h"

void rotation_free(struct rotation *r)
{
    if (r->spec && r->spec->ca)
        r->job.creds.ca = NULL;         /* the caller's */
    job_free(&r->job);
    cert_list_free(&r->present);
}

/* ---- what is there ---- */

static bool check_secured(const struct server *server, struct ps_err *err)
{
    if (settings_ours(server, "ssl_cert_file") && settings_ours(server, "ssl_key_file")
        && server_tls_on(server))
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the server in \"%s\" was not secured by pgseal"), server->data_dir);
    ps_detail(err, _("Its certificate and key do not come from a pgseal.conf that is in force."));
    return ps_hint(err, _("Run pgseal secure -D \"%s\" first."), server->data_dir);
}

/* The names of the present certificate: the one that is its CN first. */
static const char *const *present_hosts(struct arena *arena, const struct cert *cert)
{
    const struct cert_info *info = cert_info(cert);
    const char *const *const lists[] = { info->dns, info->ip };
    size_t len = 0, room = 2;

    for (size_t k = 0; k < PS_COUNT(lists); k++)
        for (size_t i = 0; lists[k] && lists[k][i]; i++)
            room++;
    const char **hosts = arena_alloc(arena, room * sizeof(*hosts));
    if (*info->common_name)
        hosts[len++] = info->common_name;
    for (size_t k = 0; k < PS_COUNT(lists); k++)
        for (size_t i = 0; lists[k] && lists[k][i]; i++)
            if (strcmp(lists[k][i], info->common_name) != 0)
                hosts[len++] = lists[k][i];
    return hosts;
}

static enum key_type same_key_type(const struct cert *cert)
{
    static const struct {
        const char *text;
        enum key_type type;
    } types[] = {
        { "EC P-384", KEY_EC_P384 }, { "RSA 2048", KEY_RSA_2048 }, { "RSA 3072", KEY_RSA_3072 },
        { "RSA 4096", KEY_RSA_4096 },
    };

    for (size_t i = 0; i < PS_COUNT(types); i++)
        if (strcmp(cert_info(cert)->key_text, types[i].text) == 0)
            return types[i].type;
    return KEY_EC_P256;
}

static bool lock(struct job *job, struct ps_err *err)
{
    return state_dir_ensure(job->state_dir, &job->server->owner, err) && job_lock(job, err);
}

bool rotation_begin(struct rotation *r, const struct rotate_spec *spec, struct doc_node *section,
                    struct ps_err *err)
{
    const struct inspect_options options = { .bin_dir = spec->bin_dir };
    struct job *job = &r->job;

    r->spec = spec;
    *job = (struct job){
        .target = spec->target, .root = section, .creds = CREDS_INIT, .reload = RELOAD_INIT,
        .failed = _("the rotation failed, and the old certificates are in force again"),
        .creds_spec = spec->creds,
    };
    if (!job_open(job, spec->data_dir, spec->state_dir, &options, err)
        || !check_secured(job->server, err) || !preflight_check(job->server, section, err)
        || (spec->creds.ca_dir
            && !preflight_outside(job->server, spec->creds.ca_dir, "--ca", err))
        || (!spec->dry_run && !lock(job, err))
        || !job_check_finished(job, err) || !job_connect(job, err)
        || !job_read_certs(job->server, "ssl_cert_file", &r->present, err))
        return false;
    job->creds_spec.hosts = spec->creds.hosts ? spec->creds.hosts
                          : present_hosts(job->server->arena, r->present.at[0]);
    if (!spec->key_type_given)
        job->creds_spec.key_type = same_key_type(r->present.at[0]);
    return true;
}

/* ---- what is new ---- */

static bool trusts_any(const struct cert_list *a, const struct cert_list *b)
{
    for (size_t i = 0; i < a->len; i++)
        for (size_t k = 0; k < b->len; k++)
            if (cert_same(a->at[i], b->at[k]))
                return true;
    return false;
}

/* With the CA of another site all clients would be locked out. */
static bool check_same_ca(const struct rotation *r, struct ps_err *err)
{
    const struct server *server = r->job.server;
    struct ca *ca = r->job.creds.ca;
    PS_AUTO(cert_list_free) struct cert_list now = { 0 };
    PS_AUTO(cert_list_free) struct cert_list ours = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    if (!ca_trust_pem(ca, CERT_USE_SERVER, &pem, err)
        || !cert_list_from_pem(buf_text(&pem), pem.len, ca_dir(ca), &ours, err))
        return false;
    if (settings_ours(server, "ssl_ca_file")) {
        if (!job_read_certs(server, "ssl_ca_file", &now, err))
            return false;
        if (trusts_any(&now, &ours))
            return true;
    }
    ps_fail(err, PS_E_UNSAFE, _("the server in \"%s\" was not secured with this CA"),
            server->data_dir);
    ps_detail(err, _("Its ssl_ca_file has no certificate of the CA in \"%s\": clients that have theirs "
                     "from elsewhere would be locked out."), ca_dir(ca));
    return ps_hint(err, _("Name the CA that it was secured with, or change its CA with pgseal secure."));
}

static const char *why_due(const struct rotation *r, bool revoked)
{
    const struct cert_list *present = &r->present;

    if (r->spec->what == ROTATE_PAIR)
        return _("asked for");
    if (r->spec->what == ROTATE_CRL)
        return NULL;
    if (revoked)
        return _("the present certificate is revoked");
    if (creds_cert_due(present->at[0]))
        return _("less than a third of its life is left to the present certificate");
    const struct cert *active = ca_intermediate(r->job.creds.ca, CERT_USE_SERVER);
    if (active && (present->len < 2 || !cert_same(present->at[1], active)))
        return _("the authority that signed the present certificate was replaced");
    return NULL;
}

/* A dry run makes nothing: what the CA would renew is not known yet. */
static bool look_at_ca(struct creds *creds, struct ps_err *err)
{
    return ca_trust_pem(creds->ca, CERT_USE_SERVER, &creds->client_ca_pem, err)
        && ca_crl_pem(creds->ca, CERT_USE_SERVER, &creds->client_crl_pem, err);
}

static bool take_from_ca(struct rotation *r, struct ps_err *err)
{
    const struct rotate_spec *spec = r->spec;
    struct job *job = &r->job;
    struct creds *creds = &job->creds;
    bool revoked;

    creds->ca = spec->ca;
    if ((!creds->ca && !ca_open(spec->creds.ca_dir, spec->creds.pass, spec->creds.pass_arg,
                                &creds->ca, err))
        || !check_same_ca(r, err) || !ca_is_revoked(creds->ca, r->present.at[0], &revoked, err))
        return false;
    r->why = why_due(r, revoked);
    if (revoked && !r->why)
        doc_para(job->root, DOC_WARN, _("The server goes on with a certificate that is revoked; a new "
                                        "one: pgseal rotate -D \"%s\""), job->server->data_dir);
    if (spec->dry_run)
        return look_at_ca(creds, err);
    return creds_refresh(creds, err) && (!r->why || creds_issue(&job->creds_spec, creds, err));
}

static bool take_given(struct rotation *r, struct ps_err *err)
{
    r->why = _("given");
    return creds_take_pair(&r->job.creds_spec, &r->job.creds, err)
        && job_check_passphrase(&r->job, err);
}

/* ---- the plan ---- */

static void want_setting(struct job *job, const char *name, const char *fresh)
{
    const char *value = fresh ? fresh : settings_ours(job->server, name);

    if (value)
        job->pairs[job->pairs_len++] = (struct setting_pair){ name, value, NULL };
}

static bool plan(struct rotation *r, struct ps_err *err)
{
    struct job *job = &r->job;
    const struct tls_settings *files = &job->settings;

    if ((r->why && !job_plan_pair(job, err))
        || (r->spec->what != ROTATE_CRL && !job_plan_client_ca(job, err)) || !job_plan_crl(job, err))
        return false;
    want_setting(job, "ssl", "on");
    want_setting(job, "ssl_cert_file", files->cert_file);
    want_setting(job, "ssl_key_file", files->key_file);
    want_setting(job, "ssl_ca_file", files->ca_file);
    want_setting(job, "ssl_crl_file", files->crl_file);
    return settings_check_overrides(job->pairs, job->pairs_len, job->server, err)
        && settings_switch_plan(job->pairs, job->pairs_len, job->server, &job->plan, err);
}

/* ---- doing it ---- */

/* The server must serve again what it served before, with the settings that it had. */
static bool old_is_back(const struct rotation *r, struct ps_err *err)
{
    static const char *const names[] = { "ssl_cert_file", "ssl_key_file", "ssl_ca_file",
                                         "ssl_crl_file" };
    const struct reload none = RELOAD_INIT;
    struct setting_pair pairs[PS_COUNT(names)];
    struct wanted wanted = { .pairs = pairs, .hba = r->job.server->hba,
                             .cert = r->present.at[0], .reload = &none };
    struct admin *admin = (struct admin *)&r->job.admin;

    for (size_t i = 0; i < PS_COUNT(names); i++)
        if (settings_ours(r->job.server, names[i]))
            pairs[wanted.pairs_len++] = (struct setting_pair){
                names[i], settings_ours(r->job.server, names[i]), NULL };
    return !admin->sql
        || verify_server(r->job.server, admin, &wanted,
                         doc_section(r->job.root, "after_rollback", _("After it was taken back")),
                         err);
}

static bool apply(struct rotation *r, struct ps_err *err)
{
    struct ps_err back = { 0 };

    if (job_apply(&r->job, err))
        return true;
    if (err->code != PS_E_ROLLED_BACK || old_is_back(r, &back))
        return false;
    ps_fail(err, PS_E_UNSAFE, _("the rotation was taken back, but the server is not as before"));
    ps_detail(err, "%s: %s", back.message, back.detail);
    return ps_hint(err, _("Look into the server's log, then reload it: pg_ctl reload -D \"%s\"."),
                   r->job.server->data_dir);
}

static void describe_cert(const char *word, const char *text, const struct cert *cert,
                          struct doc_node *table)
{
    const struct cert_info *info = cert_info(cert);
    struct doc_node *row = doc_row(table);

    doc_verdict(row, "which", _("Certificate"), DOC_PLAIN, word, text);
    doc_str(row, "serial", _("Serial"), info->serial_hex);
    doc_time(row, "not_after", _("Valid until"), info->not_after);
    doc_str(row, "issuer", _("Issuer"), info->issuer);
    doc_aside(doc_str(row, "fingerprint_sha256", "SHA-256", info->fingerprint));
}

static void describe(const struct rotation *r, const struct cert *fresh)
{
    struct doc_node *table = doc_table(r->job.root, "certificates", _("Server certificate"), NULL);

    describe_cert("present", _("until now"), r->present.at[0], table);
    if (fresh)
        describe_cert("new", _("new"), fresh, table);
    if (fresh && cert_info(fresh)->not_after < cert_info(r->present.at[0])->not_after)
        doc_para(r->job.root, DOC_WARN, _("The new certificate expires before the one that it "
                                          "replaces."));
    doc_str(r->job.root, "why_new", _("New certificate"), r->why);
    plan_describe(&r->job.plan, r->job.root);
}

bool rotation_finish(struct rotation *r, struct ps_err *err)
{
    struct job *job = &r->job;

    if (!(r->spec->creds.cert_path ? take_given(r, err) : take_from_ca(r, err)) || !plan(r, err))
        return false;
    describe(r, job->creds.chain.len ? job->creds.chain.at[0] : NULL);
    if (r->spec->dry_run || !job->plan.len)
        return true;
    if (!job->creds.chain.len)
        cert_list_add(&job->creds.chain, r->present.at[0]);
    r->changed = true;
    return apply(r, err);
}

bool rotate_run(const struct rotate_spec *spec, struct doc_node *section,
                enum rotate_result *result, struct ps_err *err)
{
    PS_AUTO(rotation_free) struct rotation r = { 0 };
    int64_t begin = clock_mono_us();

    if (!rotation_begin(&r, spec, section, err) || !rotation_finish(&r, err))
        return false;
    doc_ms(section, "ms", _("Time"), (double)(clock_mono_us() - begin) / 1000.0);
    *result = !r.changed ? ROTATE_NOTHING : r.job.admin.sql ? ROTATE_SEEN : ROTATE_UNSEEN;
    return true;
}

/* secure.c - the phases of pgseal secure, in order (see secure.h). */
#include "secure/secure.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "inspect/wire.h"
#include "kit/kit.h"
#include "prove/prove.h"
#include "secure/job.h"
#include "secure/preflight.h"
#include "secure/rules.h"

/* ---- preflight ---- */

static bool check_folders(struct job *job, struct ps_err *err)
{
    const struct secure_spec *spec = job->spec;
    const struct {
        const char *dir, *option;
    } folders[] = {
        { job->state_dir, "--state-dir" }, { spec->creds.ca_dir, "--ca" },
        { spec->client_dir, "--client-dir" },
    };

    for (size_t i = 0; i < PS_COUNT(folders); i++)
        if (folders[i].dir
            && !preflight_outside(job->server, folders[i].dir, folders[i].option, err))
            return false;
    return true;
}

static bool phase_preflight(struct job *job, struct ps_err *err)
{
    const struct secure_spec *spec = job->spec;
    const struct inspect_options options = { .bin_dir = spec->bin_dir };

    if (!job_open(job, spec->data_dir, spec->state_dir, &options, err))
        return false;
    struct doc_node *section = doc_section(job->root, "server", _("Server"));
    server_describe(job->server, section);
    preflight_warn_mount(job->server, job->state_dir, section);
    return preflight_check(job->server, section, err) && check_folders(job, err)
        && job_check_finished(job, err)
        && spec->watch.begin(spec->watch.arg, job->server, err);
}

/* ---- who is there ---- */

static bool look_up_roles(struct job *job, struct ps_err *err)
{
    struct policy_set *set = job->spec->policies;

    for (size_t i = 0; i < set->len; i++) {
        struct policy_role *role = &set->roles[i];
        bool exists;

        if (!role_look(job->admin.sql, role->role, job->server->arena, &exists, &role->member_of,
                       err))
            return false;
        if (exists)
            continue;
        ps_fail(err, PS_E_NOT_FOUND, _("role \"%s\" of --policy does not exist"), role->role);
        return ps_hint(err, _("Create it first, or mend its spelling: a policy for nobody protects "
                              "nobody."));
    }
    return true;
}

static bool warn_missing_clients(struct job *job, struct ps_err *err)
{
    for (const char *const *role = job->spec->clients; role && *role; role++) {
        const char *const *ignored;
        bool exists;

        if (!role_look(job->admin.sql, *role, job->server->arena, &exists, &ignored, err))
            return false;
        if (!exists)
            doc_para(job->root, DOC_WARN, _("Role \"%s\" does not exist in this server yet: its "
                                            "certificate opens nothing until it is created."), *role);
    }
    return true;
}

static bool phase_administrator(struct job *job, struct ps_err *err)
{
    if (!job->server->running)          /* what is started is connected to, when all is changed */
        return !job->start || sql_ready(err);
    return job_connect(job, err) && look_up_roles(job, err) && warn_missing_clients(job, err);
}

/* ---- the plan ---- */

static bool phase_certificates(struct job *job, struct ps_err *err)
{
    job->creds_spec = job->spec->creds;
    if (!job->creds_spec.hosts)
        job->creds_spec.hosts = creds_default_hosts(job->server);
    return creds_find(&job->creds_spec, job->server, &job->creds, err);
}

static bool build_plan(struct job *job, struct ps_err *err)
{
    const struct policy_set *set = job->spec->enforce ? job->spec->policies : NULL;

    plan_free(&job->plan);
    hba_freep(&job->then);
    job->settings = (struct tls_settings){
        .profile = job->spec->profile, .min_protocol = job->spec->min_protocol,
        .max_protocol = job->spec->max_protocol,
    };
    if (!job_plan_pair(job, err) || !job_plan_client_ca(job, err) || !job_plan_crl(job, err))
        return false;
    job->pairs_len = settings_list(&job->settings, job->server->major, job->pairs);
    return settings_check_overrides(job->pairs, job->pairs_len, job->server, err)
        && settings_plan(&job->settings, job->server, &job->plan, err)
        && rules_plan(job->server, set, &job->plan, &job->then, err);
}

static const char *first_host(const struct job *job)
{
    return job->creds_spec.hosts && job->creds_spec.hosts[0] ? job->creds_spec.hosts[0]
                                                                  : "localhost";
}

/* Does the server trust a client CA now that it will not trust then? */
static bool client_ca_changes(const struct job *job)
{
    const char *file = server_setting(job->server, "ssl_ca_file");
    PS_AUTO(buf_free) struct buf text = BUF(FILE_CONF_MAX);
    PS_AUTO(cert_list_free) struct cert_list now = { 0 }, then = { 0 };
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    struct ps_err ignored = { 0 };

    if (!file || !*file || !server_tls_on(job->server) || !job->settings.ca_file)
        return false;
    PS_AUTO(ps_freep) char *path = path_join(job->server->data_dir, file);
    if (!user_become(&job->server->owner, &guard, &ignored)
        || !file_read(path, FILE_CONF_MAX, &text, &ignored)
        || !cert_list_from_pem(buf_text(&text), text.len, path, &now, &ignored)
        || !cert_list_from_pem(buf_text(&job->creds.client_ca_pem), job->creds.client_ca_pem.len, "",
                               &then, &ignored))
        return true;
    for (size_t i = 0; i < now.len; i++) {
        bool kept = false;

        for (size_t k = 0; k < then.len; k++)
            kept = kept || cert_same(now.at[i], then.at[k]);
        if (!kept)
            return true;
    }
    return false;
}

static bool describe_access(struct job *job, struct ps_err *err)
{
    struct doc_node *section = doc_section(job->root, "access", _("Who gets in"));

    if (job->admin.sql
        && (!admin_survives(&job->admin, job->then, err)
            || !sessions_describe(job->admin.sql, job->then, client_ca_changes(job),
                                  job->server->arena, section,
                                  &job->cut_off, err)))
        return false;
    if (!job->admin.sql)
        doc_para(section, DOC_UNKNOWN, _("The server is stopped: there are no sessions to look at."));
    policy_describe_plaintext(job->then, section);
    return replication_describe(job->admin.sql, job->then, job->server, first_host(job), section, err);
}

/* Once with names for what is not made yet, and again when it is. */
static void describe_plan(struct job *job)
{
    doc_clear(job->certs_section);
    creds_describe(&job->creds, job->certs_section);
    doc_clear(job->plan_section);
    plan_describe(&job->plan, job->plan_section);
}

static bool phase_plan(struct job *job, struct ps_err *err)
{
    job->certs_section = doc_section(job->root, "certificates", _("Certificates"));
    if (!job_check_passphrase(job, err) || !build_plan(job, err))
        return false;
    settings_describe(&job->settings, job->server,
                      doc_section(job->root, "profile", _("Protocol and ciphers")));
    if (!describe_access(job, err))
        return false;
    job->plan_section = doc_section(job->root, "plan", _("Plan"));
    describe_plan(job);
    return true;
}

static bool phase_consent(struct job *job, struct ps_err *err)
{
    const struct secure_spec *spec = job->spec;

    plan_base(&job->plan, job->agreed);

    if (spec->dry_run || !job->plan.len || !spec->ask)
        return true;
    return spec->ask(spec->ask_arg, job->doc, err);
}

/* ---- doing it ---- */

/* Certificates are made now, so the plan is made again; but it must start from what was agreed to. */
static bool phase_make(struct job *job, struct ps_err *err)
{
    char base[DIGEST_HEX];

    if (!state_dir_ensure(job->state_dir, &job->server->owner, err) || !job_lock(job, err)
        || !job_check_finished(job, err) || !creds_make(&job->creds_spec, &job->creds, err)
        || !build_plan(job, err))
        return false;
    describe_plan(job);
    plan_base(&job->plan, base);
    if (!job->spec->ask || strcmp(base, job->agreed) == 0)
        return true;
    ps_fail(err, PS_E_BUSY, _("the server's files were changed by somebody else meanwhile"));
    return ps_hint(err, _("Run the command again, to see what it would do now."));
}

static bool verify_unchanged(struct job *job, struct ps_err *err)
{
    const struct wanted wanted = job_wanted(job);

    if (!job->admin.sql)
        return true;
    if (verify_server(job->server, &job->admin, &wanted,
                      doc_section(job->root, "verification", _("Verification")), err))
        return true;
    ps_while(err, _("the files are as wanted, but the server is not"));
    return ps_hint(err, _("Reload the server (pg_ctl reload -D \"%s\"), look into its log, then run "
                          "pgseal secure again."), job->server->data_dir);
}

static bool phase_apply(struct job *job, struct ps_err *err)
{
    return job->plan.len ? job_apply(job, err) : verify_unchanged(job, err);
}

/* The server stays as it is: only the files of this role, and of those after it, are missing. */
static bool fail_kit(const struct job *job, const struct kit_spec *kit, struct ps_err *err)
{
    ps_while(err, _("the server is secured, but a client's files could not be made"));
    if (!job->creds_spec.ca_dir)
        return ps_hint(err, _("Mend that, then run the command again."));
    return ps_hint(err, _("Mend that, then run: pgseal client %s --ca \"%s\" --client-dir \"%s\" "
                          "--host %s --port %d"), kit->role, job->creds_spec.ca_dir, kit->dir,
                   kit->host, kit->port);
}

static bool phase_clients(struct job *job, struct ps_err *err)
{
    const struct secure_spec *spec = job->spec;
    struct doc_node *table;

    if (!spec->clients || !spec->clients[0])
        return true;
    table = doc_table(job->root, "clients", _("Clients"), NULL);
    for (const char *const *role = spec->clients; *role; role++) {
        const struct kit_spec kit = {
            .ca = job->creds.ca, .trust_pem = buf_text(&job->creds.trust_pem), .role = *role,
            .dir = spec->client_dir, .host = first_host(job), .port = job->server->port,
            .database = "postgres", .server_major = job->server->major,
            .key_type = job->creds_spec.key_type,
        };
        PS_AUTO(ps_freep) char *path = NULL;
        enum kit_outcome outcome;

        if (!kit_write(&kit, &outcome, &path, err))
            return fail_kit(job, &kit, err);
        struct doc_node *row = doc_row(table);
        doc_str(row, "role", _("Role"), *role);
        doc_verdict(row, "outcome", _("Kit"), DOC_PLAIN, kit_outcome_word(outcome),
                    kit_outcome_text(outcome));
        doc_str(row, "path", _("Folder"), path);
    }
    return true;
}

static bool phase_proof(struct job *job, struct ps_err *err)
{
    const struct secure_spec *spec = job->spec;
    struct doc_node *section = doc_section(job->root, "proof", _("Proof"));
    PS_AUTO(prove_result_freep) struct prove_result *result = NULL;
    PS_AUTO(server_freep) struct server *now = NULL;
    PS_AUTO(ps_freep) char *address = server_tcp_address(job->server);
    const struct inspect_options options = { .bin_dir = job->server->bin_dir };
    const char *role = spec->clients && spec->clients[0] ? spec->clients[0] : job->server->owner.name;

    if (!job->admin.sql || !spec->prove || !address) {
        doc_para(section, DOC_UNKNOWN, "%s",
                 !spec->prove ? _("Not asked for.")
                 : !job->admin.sql ? _("Not examined: the server is stopped.")
                                   : _("Not examined: the server does not listen on TCP."));
        return true;
    }
    if (!inspect_server(job->server->data_dir, &options, &now, err))
        return false;
    const struct prove_spec prove = {
        .server = now, .ca = job->creds.ca, .role = role, .hosts = spec->creds.hosts,
        .plaintext_allowed = !spec->enforce || spec->policies->all == POLICY_NONE,
    };
    spec->watch.go(spec->watch.arg);
    if (!prove_run(&prove, &result, err))
        return ps_while(err, _("the server is secured, but it could not be proven"));
    spec->watch.end(spec->watch.arg, result);
    prove_describe(result, section);
    job->passed = prove_passed(result);
    return true;
}

/* ---- all of it ---- */

enum when { ALWAYS, WHEN_REAL };    /* WHEN_REAL: not in a dry run */

static const struct {
    const char *key, *label;
    bool (*run)(struct job *job, struct ps_err *err);
    enum when when;
} phases[] = {
    { "preflight",     N_("preflight"),                phase_preflight,     ALWAYS },
    { "administrator", N_("connecting to the server"), phase_administrator, ALWAYS },
    { "certificates",  N_("looking at certificates"),  phase_certificates,  ALWAYS },
    { "plan",          N_("planning"),                 phase_plan,          ALWAYS },
    { "consent",       N_("asking"),                   phase_consent,       WHEN_REAL },
    { "make",          N_("making certificates"),      phase_make,          WHEN_REAL },
    { "apply",         N_("files, reload, checks"),    phase_apply,         WHEN_REAL },
    { "clients",       N_("client files"),             phase_clients,       WHEN_REAL },
    { "proof",         N_("proof"),                    phase_proof,         WHEN_REAL },
};

static bool run_phase(struct job *job, size_t i, struct ps_err *err)
{
    int64_t begin = clock_mono_us();

    log_progress(_(phases[i].label), i + 1, PS_COUNT(phases));
    bool good = phases[i].run(job, err);
    log_progress_end();
    job->phase_us[i] = clock_mono_us() - begin;
    return good;
}

static void describe_phases(const struct job *job)
{
    struct doc_node *table = doc_table(job->root, "phases", _("Time of each phase"), NULL);

    for (size_t i = 0; i < PS_COUNT(phases); i++) {
        if (job->phase_us[i] == 0)
            continue;
        struct doc_node *row = doc_row(table);
        doc_aside(doc_str(row, "phase", _("Phase"), phases[i].key));
        doc_str(row, "what", _("What"), _(phases[i].label));
        doc_ms(row, "ms", _("Time"), (double)job->phase_us[i] / 1000.0);
    }
}

static void describe_result(const struct job *job)
{
    if (job->spec->dry_run)
        doc_verdict(job->root, "result", _("Result"), DOC_PLAIN, "planned",
                    _("a dry run: nothing was touched"));
    else if (job->changed)
        doc_verdict(job->root, "result", _("Result"), DOC_GOOD, "changed",
                    _("the server is secured"));
    else
        doc_verdict(job->root, "result", _("Result"), DOC_GOOD, "unchanged",
                    _("the server was secured already: nothing was changed"));
    if (!job->spec->enforce)
        doc_para(job->root, DOC_WARN, _("TLS is offered, but not demanded: pg_hba.conf was left as it "
                                        "is. Run again without --no-enforce when all clients use it."));
}

bool secure_run(const struct secure_spec *spec, struct doc *doc, bool *passed, struct ps_err *err)
{
    PS_AUTO(job_free) struct job job = {
        .spec = spec, .target = spec->target, .start = spec->start, .creds = CREDS_INIT,
        .reload = RELOAD_INIT, .passed = true, .doc = doc, .root = doc_root(doc),
        .failed = _("the server could not be secured, and everything is as it was"),
    };
    bool good = true;

    doc_aside(doc_time(job.root, "at", _("When"), clock_now()));
    _Static_assert(PS_COUNT(phases) <= JOB_PHASES, "a place for the time of each phase");
    for (size_t i = 0; good && i < PS_COUNT(phases); i++)
        if (!spec->dry_run || phases[i].when == ALWAYS)
            good = run_phase(&job, i, err);
    describe_phases(&job);
    if (!good)
        return false;
    describe_result(&job);
    *passed = job.passed;
    return true;
}

/* cmd_status.c - pgseal status: who is connected, with which TLS, and what is about to expire. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "facts/severity.h"
#include "cli/status_doc.h"
#include "inspect/remote.h"

static struct {
    char *target, *fail_on;
    int warn_days;
} opts = { .warn_days = 30 };

static const struct poptOption options[] = {
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("connection string, URI or database name, as psql takes it; default: PGHOST and the like"),
      N_("DSN") },
    { "warn-days", 0, POPT_ARG_INT, &opts.warn_days, 0,
      N_("warn of what expires within so many days; default 30"), N_("DAYS") },
    { "fail-on", 0, POPT_ARG_STRING, &opts.fail_on, 0,
      N_("least severity that makes the exit status 1: info, low, medium, high, critical or none; "
         "default high"), N_("SEVERITY") },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal status --target service=db1",
    "pgseal status --target 'host=db1.example.net dbname=postgres user=dba' --format json",
    "pgseal status --target postgresql://dba@db1.example.net/postgres --output status.html --format html",
    NULL
};

/* Only a lost connection stops us: what cannot be seen is shown as not examined. */
static bool gather(struct sql *sql, struct status *status, struct ps_err *err)
{
    struct remote remote = { .sql = sql };

    sql_link(sql, &status->link);
    status->server_version = sql_parameter(sql, "server_version");
    status->now = clock_now();
    status->warn_days = opts.warn_days;
    if (!sessions_read(sql, status->arena, &status->sessions, err)
        || !inforce_read(sql, status->arena, &status->settings, err)
        || !sslinfo_read(sql, status->arena, &status->sslinfo, err))
        return false;

    remote.data_dir = inforce_value(&status->settings, "data_directory");
    remote.on_this_machine = status->link.on_this_machine;
    tls_files_read(&remote, &status->settings, status->arena, &status->files);
    return !sql_openssl(sql) || peer_cert(sql_openssl(sql), &status->served, err);
}

static void status_release(struct status *status)
{
    tls_items_free(&status->files);
    if (status->served)
        cert_free(status->served);
    arena_free(status->arena);
}

static bool status_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(sql_freep) struct sql *sql = NULL;
    PS_AUTO(status_release) struct status status = { .arena = arena_new() };
    enum severity least = SEV_HIGH;

    if (!cli_no_args(run, err) || !severity_parse(opts.fail_on, SEV_HIGH, &least, err))
        return false;
    if (opts.warn_days < 0)
        return ps_fail(err, PS_E_USAGE, _("--warn-days cannot be negative"));
    if (!sql_connect(opts.target ? opts.target : "", &sql, err) || !gather(sql, &status, err))
        return false;

    run->doc = doc_new("status", _("TLS of the sessions and files of a server"));
    if (status_describe(&status, doc_root(run->doc)) >= least)
        run->status = PS_EXIT_FINDINGS;
    return true;
}

const struct cli_cmd cmd_status = {
    .name = "status",
    .summary = N_("show who is connected with which TLS, and what is about to expire"),
    .usage = N_("[--target DSN] [options]"),
    .about = N_("Asks a running server through one SQL connection: its sessions from pg_stat_ssl and "
                "pg_stat_activity, the settings in force and where each comes from, the certificates "
                "and CRLs that they name, and the certificate that is served. A role with pg_monitor "
                "sees all sessions and settings; only superusers, and who was granted pg_read_file(), "
                "read the server's files. What cannot be seen is shown as not examined. What "
                "has fewer than --warn-days days left is about to expire; of a CRL, which may live for "
                "days by design, also less than a third of its lifetime must be left. High findings are: "
                "TLS switched off, plaintext sessions over a network, and certificates or CRLs that are "
                "not valid."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = status_run,
};

/* cmd_prove.c - pgseal prove: every way in, expected against seen. */
#include "base/mem.h"
#include "ca/ca.h"
#include "cli/cli.h"
#include "cli/pass.h"
#include "cli/prove_wire.h"
#include "inspect/inspect.h"
#include "prove/prove.h"

static struct {
    char *data_dir, *bin_dir, *ca, *role, *database, *target, *interface, **hosts;
    int timeout_ms, plaintext_allowed, pass_fd, wire;
} opts = { .timeout_ms = 5000, .pass_fd = -1 };

static const struct poptOption prove_options[] = {
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0,
      N_("data directory of the server; default $PGDATA"), N_("DATADIR") },
    { "bindir", 0, POPT_ARG_STRING, &opts.bin_dir, 0,
      N_("folder of the server's programs; default: found"), N_("DIR") },
    { "ca", 0, POPT_ARG_STRING, &opts.ca, 0,
      N_("folder of the CA that issues the certificates to try"), N_("DIR") },
    { "client", 0, POPT_ARG_STRING, &opts.role, 0, N_("role to go in as"), N_("ROLE") },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("name that clients use for the server; repeatable; default: those in its certificate"),
      N_("NAME") },
    { "database", 'd', POPT_ARG_STRING, &opts.database, 0,
      N_("database to go into; default postgres"), N_("NAME") },
    { "allow-plaintext", 0, POPT_ARG_NONE, &opts.plaintext_allowed, 0,
      N_("plaintext that pg_hba.conf admits is no failure: TLS is offered, not yet enforced"),
      NULL },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("connection string of an application: which attacks does it withstand?"), N_("DSN") },
    { "timeout", 0, POPT_ARG_INT, &opts.timeout_ms, 0,
      N_("limit for each attempt, in milliseconds; default 5000"), N_("MS") },
    { "wire", 0, POPT_ARG_NONE, &opts.wire, 0,
      N_("look at the packets meanwhile, and say what could be read"), NULL },
    { "interface", 'i', POPT_ARG_STRING, &opts.interface, 0,
      N_("where --wire looks, any for all; default lo, for the server is on this machine"), N_("IF") },
    { "passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the CA's keys from this descriptor"), N_("FD") },
    POPT_TABLEEND
};

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    if (opts.target && (opts.data_dir || opts.role)) {
        ps_fail(err, PS_E_USAGE, _("--target cannot be combined with -D or --client"));
        return ps_hint(err, _("Give -D DATADIR for a server, or --target DSN for a client."));
    }
    if (opts.target && opts.wire)
        return ps_fail(err, PS_E_USAGE, _("--target cannot be combined with --wire"));
    if (opts.interface && !opts.wire)
        return ps_fail(err, PS_E_USAGE, _("--interface needs --wire"));
    if (!opts.data_dir)
        opts.data_dir = getenv("PGDATA");
    if (opts.timeout_ms < 1 || opts.timeout_ms > 600000)
        return ps_fail(err, PS_E_USAGE, _("the time limit must be 1 to 600000 milliseconds"));
    if (!cli_no_args(run, err))
        return false;
    if (opts.target)
        return true;
    return cli_need(opts.data_dir, "-D",
                    _("Give -D DATADIR for a server, or --target DSN for a client."), err)
        && cli_need(opts.role, "--client", _("Name the role that an application goes in as."), err);
}

static bool open_ca(struct cli_pass *pass, struct ca **out, struct ps_err *err)
{
    return !opts.ca || ca_open(opts.ca, cli_pass_get, pass, out, err);
}

static bool prove_server(struct cli_pass *pass, struct prove_result **out, struct ps_err *err)
{
    struct inspect_options options = { .bin_dir = opts.bin_dir };
    PS_AUTO(server_freep) struct server *server = NULL;
    PS_AUTO(prove_watch_free) struct prove_watch watch = { 0 };
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!inspect_server(opts.data_dir, &options, &server, err))
        return false;
    if (opts.wire)
        prove_watch_begin(&watch, opts.interface ? opts.interface : "lo", server->port);
    if (watch.why_not.code == PS_E_NOT_FOUND) {
        *err = watch.why_not;
        return false;
    }

    struct prove_spec spec = { .server = server, .role = opts.role, .database = opts.database,
                               .hosts = (const char *const *)opts.hosts,
                               .plaintext_allowed = opts.plaintext_allowed != 0,
                               .wire_needed = opts.wire != 0,
                               .timeout_ms = opts.timeout_ms };
    if (!open_ca(pass, &ca, err))
        return false;
    spec.ca = ca;
    if (opts.wire)
        prove_watch_go(&watch);
    if (!prove_run(&spec, out, err))
        return false;
    if (opts.wire)
        prove_watch_end(&watch, *out);
    return true;
}

static bool prove_string(struct cli_pass *pass, struct prove_result **out, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct prove_target_spec spec = { .dsn = opts.target, .timeout_ms = opts.timeout_ms };

    if (!open_ca(pass, &ca, err))
        return false;
    spec.ca = ca;
    return prove_target(&spec, out, err);
}

static bool prove_verb(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = opts.pass_fd };
    PS_AUTO(prove_result_freep) struct prove_result *result = NULL;
    struct prove_counts counts;

    if (!check_usage(run, err) || !(opts.target ? prove_string : prove_server)(&pass, &result, err))
        return false;

    run->doc = doc_new("prove", opts.target ? _("What this connection string withstands")
                                            : _("Every way in, expected against seen"));
    prove_describe(result, doc_root(run->doc));
    prove_count(result, &counts);
    run->status = counts.failed ? PS_EXIT_FINDINGS
                  : prove_passed(result) ? PS_EXIT_OK : PS_EXIT_NOT_EXAMINED;
    return true;
}

static const char *const prove_examples[] = {
    "pgseal prove -D /var/lib/postgresql/17/main --ca /etc/pgseal/ca --client app",
    "pgseal prove -D /var/lib/postgresql/17/main --ca /etc/pgseal/ca --client app --wire",
    "pgseal prove --target 'host=db1.example.net dbname=shop user=app'",
    NULL
};

const struct cli_cmd cmd_prove = {
    .name = "prove",
    .summary = N_("try every way in, and see which are encrypted and verified"),
    .usage = N_("-D DATADIR --client ROLE [--ca DIR] [options] | --target DSN"),
    .about = N_("Goes in from outside, through libpq and with its own wire code: the six modes of "
                "libpq, good and bad certificates, right and wrong host names, TLS 1.0 to 1.3, and "
                "an attacker in the middle.  What is seen is compared with what the server's own "
                "files let expect.  No true password is ever given.  --wire reads the packets meanwhile, as "
                "pgseal capture does, and gives each way the verdict of its connections."),
    .examples = prove_examples,
    .options = prove_options,
    .csv = true,
    .run = prove_verb,
};

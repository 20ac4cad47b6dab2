/* cmd_scan.c - pgseal scan: what a stranger on the network sees of one or ten thousand servers. */
#include <unistd.h>

#include "base/file.h"
#include "cli/given.h"
#include "cli/scan_show.h"
#include "probe/sweep.h"

enum { INPUT_MAX = 64 << 20, RETRIES_MAX = 10 };

static struct scan_opts opts = { .rate = 500, .at_once = 64, .at_once_net = 16, .timeout_ms = 3000 };

static const struct poptOption options[] = {
    { "port", 'p', POPT_ARG_STRING, &opts.ports, 0,
      N_("ports of targets that name none, with commas; default 5432"), N_("PORTS") },
    { "input", 'i', POPT_ARG_STRING, &opts.input, 0,
      N_("targets from a file, one a line; - is standard input"), N_("FILE") },
    { "trust", 0, POPT_ARG_STRING, &opts.trust, 0,
      N_("roots that the clients trust, PEM: the server's certificate must lead to one; \"system\": those "
         "of this system; without it trust is not examined"), N_("FILE") },
    { "crl", 0, POPT_ARG_STRING, &opts.crl, 0,
      N_("revocation lists of the server's CA, PEM"), N_("FILE") },
    { "all-ciphers", 0, POPT_ARG_NONE, &opts.all_ciphers, 0,
      N_("list every cipher suite and group, one connection for each"), NULL },
    { "certificate-only", 0, POPT_ARG_NONE, &opts.certificate_only, 0,
      N_("one connection for each server: its certificate, and nothing else"), NULL },
    { "role", 'U', POPT_ARG_STRING, &opts.role, 0,
      N_("role of the logins that are begun (never ended); default a name that nobody has"),
      N_("ROLE") },
    { "dbname", 'd', POPT_ARG_STRING, &opts.database, 0,
      N_("database of these logins; default postgres"), N_("NAME") },
    { "rate", 0, POPT_ARG_INT, &opts.rate, 0,
      N_("connections in a second, over all; 0: no limit; default 500"), N_("NUMBER") },
    { "concurrency", 0, POPT_ARG_INT, &opts.at_once, 0,
      N_("servers at once; default 64"), N_("NUMBER") },
    { "per-network", 0, POPT_ARG_INT, &opts.at_once_net, 0,
      N_("servers at once in one /24 or /64; 0: no limit; default 16"), N_("NUMBER") },
    { "timeout", 0, POPT_ARG_INT, &opts.timeout_ms, 0,
      N_("milliseconds for each connection, 3000 at most; default 3000"), N_("MS") },
    { "retries", 0, POPT_ARG_INT, &opts.retries, 0,
      N_("more tries for a connection that is lost: not answered in time, or reset; a refusal and whatever "
         "came over the connection are answers; default 0"), N_("NUMBER") },
    { "max-connections", 0, POPT_ARG_INT, &opts.connections_max, 0,
      N_("connections to one server; 0: no limit"), N_("NUMBER") },
    { "lines", 0, POPT_ARG_STRING, &opts.lines, 0,
      N_("append each server as it is known to this file, as one line of JSON; - is standard output"),
      N_("FILE") },
    { "resume", 0, POPT_ARG_NONE, &opts.resume, 0,
      N_("with --lines: leave out the servers that the file has already"), NULL },
    { "store", 0, POPT_ARG_STRING, &opts.store, 0,
      N_("keep what is seen in this folder, one file for each scan, and say what changed since the last "
         "time"), N_("FOLDER") },
    { "compare", 0, POPT_ARG_STRING, &opts.compare, 0,
      N_("say what changed since the scan that wrote this file with --lines, or since the last ones in this "
         "folder of --store"), N_("FILE") },
    { "profile", 0, POPT_ARG_STRING, &opts.profile, 0,
      N_("how strict to be: critical or normal; default normal"), N_("PROFILE") },
    { "only", 0, POPT_ARG_ARGV, &opts.only, 0, N_("run this rule and no other; repeatable"),
      N_("RULE") },
    { "skip", 0, POPT_ARG_ARGV, &opts.skip, 0,
      N_("do not run this rule; repeatable; it is shown as not examined"), N_("RULE") },
    { "fail-on", 0, POPT_ARG_STRING, &opts.fail_on, 0,
      N_("least severity that makes the exit status 1: info, low, medium, high, critical or none; "
         "default high"), N_("SEVERITY") },
    { "dry-run", 'n', POPT_ARG_NONE, &opts.dry_run, 0,
      N_("say what would be asked of whom, connect to nobody"), NULL },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal scan db1.example.net",
    "pgseal scan --trust /etc/ssl/company-root.pem db1.example.net:5432 10.0.0.0/24",
    "pgseal scan --input fleet.txt --format csv --output fleet.csv",
    "pgseal scan --input fleet.txt --store /var/lib/pgseal/scans",
    "pgseal scan --input fleet.txt --format prometheus --output /var/lib/node_exporter/pgseal.prom",
    "pgseal scan --all-ciphers --format json '[2001:db8::5]:5432'",
    NULL
};

static const char *const formats[] = { "prometheus", NULL };

/* ---- usage ---- */

static bool check_range(int value, int min, int max, const char *option, struct ps_err *err)
{
    return (value >= min && value <= max)
        || ps_fail(err, PS_E_USAGE, _("%s must be from %d to %d"), option, min, max);
}

static bool check_usage(struct ps_err *err)
{
    if (opts.all_ciphers && opts.certificate_only)
        return ps_fail(err, PS_E_USAGE, _("--all-ciphers and --certificate-only exclude each other"));
    if (opts.resume && (!opts.lines || strcmp(opts.lines, "-") == 0))
        return ps_fail(err, PS_E_USAGE, _("--resume needs --lines with a file"));
    return check_range(opts.rate, 0, 100000, "--rate", err)
        && check_range(opts.at_once, 1, SWEEP_AT_ONCE_MAX, "--concurrency", err)
        && check_range(opts.at_once_net, 0, SWEEP_AT_ONCE_MAX, "--per-network", err)
        && check_range(opts.timeout_ms, 50, 3000, "--timeout", err)
        && check_range(opts.retries, 0, RETRIES_MAX, "--retries", err)
        && check_range(opts.connections_max, 0, 1000, "--max-connections", err);
}

/* ---- whom ---- */

static bool read_standard_input(struct buf *out, struct ps_err *err)
{
    char bytes[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
        if (!buf_put(out, bytes, (size_t)n))
            return ps_fail(err, PS_E_TOO_BIG, _("standard input is longer than %d MiB"),
                           INPUT_MAX >> 20);
    return n == 0 || ps_fail(err, PS_E_IO, _("could not read standard input: %m"));
}

static const char *name_of_input(void)
{
    return strcmp(opts.input, "-") == 0 ? _("standard input") : opts.input;
}

static bool read_input(struct targets *targets, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(INPUT_MAX);
    bool standard = opts.input && strcmp(opts.input, "-") == 0;

    if (!opts.input)
        return true;
    if (!standard && !file_read(opts.input, INPUT_MAX, &text, err))
        return false;
    if (standard && !read_standard_input(&text, err))
        return false;
    return targets_add_list(targets, buf_text(&text), text.len, name_of_input(), err);
}

static bool read_targets(const struct cli_run *run, struct targets *targets, struct ps_err *err)
{
    if (!targets_ports(opts.ports ? opts.ports : "5432", targets->arena, &targets->ports,
                       &targets->ports_len, err))
        return false;
    for (const char *const *word = run->args; word && *word; word++)
        if (!targets_add(targets, *word, err))
            return false;
    if (!read_input(targets, err))
        return false;
    targets_unique(targets);
    if (targets->len)
        return true;
    if (opts.input)
        ps_fail(err, PS_E_USAGE, _("no target in \"%s\""), name_of_input());
    else
        ps_fail(err, PS_E_USAGE, _("no target"));
    return ps_hint(err, _("Name hosts or networks, or give a list with --input."));
}

static bool scan_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(scan_free) struct scan scan = { .run = run, .opts = &opts, .targets = { .arena = arena_new() },
                                            .choice = { opts.only, opts.skip }, .lines_fd = -1,
                                            .store_fd = -1 };

    if (!check_usage(err) || !severity_parse(opts.fail_on, SEV_HIGH, &scan.fail_on, err)
        || (opts.profile && !profile_parse(opts.profile, &scan.profile, err))
        || !rule_choice_check(&scan.choice, err)
        || !given_read(opts.trust, opts.crl, &scan.trust, &scan.crls, err)
        || !read_targets(run, &scan.targets, err))
        return false;
    run->doc = doc_new("scan", _("What a stranger on the network sees"));
    if (opts.dry_run) {
        scan_show_plan(&scan);
        return true;
    }
    if (!scan_look(&scan, err))
        return false;
    if (run->own_format)
        scan_show_metrics(&scan);
    else if (opts.lines && strcmp(opts.lines, "-") == 0 && !run->output)
        doc_freep(&run->doc);       /* the lines were the result */
    else
        scan_show(&scan);
    if (scan.worst >= scan.fail_on)
        run->status = PS_EXIT_FINDINGS;
    else if (!scan.reached)
        run->status = PS_EXIT_NOT_EXAMINED;
    return true;
}

const struct cli_cmd cmd_scan = {
    .name = "scan",
    .summary = N_("see one or ten thousand servers as a stranger on the network does"),
    .usage = N_("[options] TARGET..."),
    .about = N_("Looks at PostgreSQL servers from outside, without credentials: who answers (PostgreSQL and its "
                "version, as far as it betrays it; PgBouncer, Pgpool-II, Odyssey, a provider's proxy); is TLS "
                "offered, which versions, cipher suites and groups, whose order counts; the certificate, its "
                "chain and the name it has for the target; are logins and replication taken in plaintext, and how are "
                "passwords asked for; are client certificates wanted; and known faults of the start. A target "
                "is a host, host:port, or a network such as 10.0.0.0/24. No password is sent and no role "
                "is guessed: logins are begun for a name that nobody has. A server is known after 6 to 25 "
                "connections, at most 4 of them at once. What was seen is judged by the same rules as in "
                "\"pgseal check\"; what could not be seen is not examined, never good. One server gives a "
                "page, several a table; JSON and HTML have everything of each."),
    .examples = examples,
    .options = options,
    .csv = true,
    .formats = formats,
    .run = scan_run,
};

/* cmd_scan.c - pgseal scan: what a stranger on the network sees of one or ten thousand servers. */
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/given.h"
#include "cli/scan_compare.h"
#include "cli/scan_lines.h"
#include "cli/scan_metrics.h"
#include "cli/scan_store.h"
#include "cli/scan_together.h"
#include "probe/sweep.h"
#include "probe/view.h"
#include "secure/settings.h"

enum { INPUT_MAX = 64 << 20, RETRIES_MAX = 10 };

static struct {
    char *ports, *input, *trust, *crl, *lines, *store, *compare, *fail_on, *role, *database, *profile;
    char **only, **skip;
    int rate, at_once, at_once_net, timeout_ms, retries, connections_max, all_ciphers, certificate_only, dry_run, resume;
} opts = { .rate = 500, .at_once = 64, .at_once_net = 16, .timeout_ms = 3000 };

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
    return targets_add_list(targets, buf_text(&text), text.len,
                            standard ? _("standard input") : opts.input, err);
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
    ps_fail(err, PS_E_USAGE, _("no target"));
    return ps_hint(err, _("Name hosts or networks, or give a list with --input."));
}

/* ---- looking ---- */

struct scan {
    struct cli_run *run;
    struct targets targets;
    struct cert_list trust;
    struct crl_list crls;
    struct rule_choice choice;
    enum profile profile;
    enum severity fail_on, worst;
    struct seen **seen;             /* by target */
    size_t *findings;               /* by target: how many its line has */
    struct cert_list around;        /* CAs that some server sent */
    size_t done, reached;
    struct past known, before;      /* of --resume and of --compare */
    bool *skip;                     /* by target */
    bool compares;
    int lines_fd, store_fd;         /* -1: none */
    struct ps_err lines_err;        /* the first line that could not be written */
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

static void scan_free(struct scan *scan)
{
    for (size_t i = 0; scan->seen && i < scan->targets.len; i++)
        if (scan->seen[i])
            seen_free(scan->seen[i]);
    free(scan->seen);
    free(scan->findings);
    free(scan->skip);
    past_free(&scan->known);
    past_free(&scan->before);
    if (scan->lines_fd > STDOUT_FILENO)
        close(scan->lines_fd);
    if (scan->store_fd >= 0)
        close(scan->store_fd);
    targets_free(&scan->targets);
    arena_free(scan->targets.arena);
    cert_list_free(&scan->around);
    cert_list_free(&scan->trust);
    crl_list_free(&scan->crls);
}

/* ---- judging ---- */

struct judged {
    struct posture *posture;
    struct report report;
};

static void judged_free(struct judged *judged)
{
    report_free(&judged->report);
    posture_freep(&judged->posture);
}

static void judge(struct scan *scan, const struct seen *seen, struct judged *out)
{
    struct report *report = &out->report;

    out->posture = view_posture(seen, opts.trust ? &scan->trust : NULL,
                                opts.crl ? &scan->crls : NULL);
    out->posture->around = &scan->around;
    out->posture->critical = scan->profile == PROFILE_CRITICAL;
    *report = (struct report){ .posture = out->posture, .choice = &scan->choice, .modes = RULE_SCAN,
                               .findings = { .arena = out->posture->arena } };
    rules_run(out->posture, RULE_SCAN, &scan->choice, &report->findings);
    grade_of(&report->findings, scan->choice.only != NULL || seen->reach != REACH_YES
             || opts.certificate_only, &report->grade);
    enum severity worst = findings_worst(&report->findings);
    scan->worst = worst > scan->worst ? worst : scan->worst;
}

/*
 * A line that cannot be written ends the scan: whoever resumes it relies on them.  With `again` only what
 * differs by now is written: the last line of a server counts.
 */
static void put_line(struct scan *scan, size_t target, bool again)
{
    PS_AUTO(judged_free) struct judged judged = { 0 };

    if ((scan->lines_fd < 0 && scan->store_fd < 0) || scan->lines_err.code != PS_E_NONE)
        return;
    judge(scan, scan->seen[target], &judged);
    if (again && judged.report.findings.len == scan->findings[target])
        return;
    scan->findings[target] = judged.report.findings.len;
    const int fds[] = { scan->lines_fd, scan->store_fd };
    for (size_t i = 0; i < PS_COUNT(fds); i++)
        if (fds[i] >= 0
            && !scan_lines_put(fds[i], scan->seen[target], &judged.report, &scan->lines_err)) {
            stop = 1;
            return;
        }
}

static void take(void *arg, size_t target, struct seen *seen)
{
    struct scan *scan = arg;

    scan->seen[target] = seen;
    scan->reached += seen->reach == REACH_YES;
    put_line(scan, target, false);
    log_progress(_("servers"), ++scan->done, scan->targets.len);
}

static bool look(struct scan *scan, struct ps_err *err)
{
    PS_AUTO(tls_ctx_freep) struct tls_ctx *any = NULL, *tls12 = NULL, *alpn = NULL;
    struct sigaction action = { .sa_handler = on_signal }, before[2];
    struct sweep sweep = {
        .survey = { .role = opts.role, .database = opts.database, .connect_ms = opts.timeout_ms,
                    .answer_ms = opts.timeout_ms, .at_once = SHOT_AT_ONCE_MAX,
                    .retries = (unsigned)opts.retries,
                    .connections_max = (unsigned)opts.connections_max,
                    .certificate_only = opts.certificate_only, .all_ciphers = opts.all_ciphers },
        .targets = &scan->targets, .at_once = opts.at_once, .at_once_net = opts.at_once_net,
        .rate = opts.rate, .skip = scan->skip, .done = take, .arg = scan, .stop = &stop,
    };

    if (!tls_ctx_client(&(struct tls_client_spec){ .reversed = TLS_1_3 }, &any, err)
        || !tls_ctx_client(&(struct tls_client_spec){ .max = TLS_1_2, .reversed = TLS_1_2 },
                           &tls12, err)
        || !tls_ctx_client(&(struct tls_client_spec){ .alpn_postgresql = true }, &alpn, err))
        return false;
    sweep.survey.ctx = any;
    sweep.survey.ctx12 = tls12;
    sweep.survey.ctx_alpn = alpn;
    scan->seen = ps_calloc(scan->targets.len, sizeof(struct seen *));
    scan->findings = ps_calloc(scan->targets.len, sizeof(*scan->findings));
    /* what was seen until then is shown */
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    bool ok = sweep_run(&sweep, err);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    log_progress_end();
    return ok;
}

/* ---- what only all servers together tell ---- */

static bool settle(struct scan *scan, struct ps_err *err)
{
    scan_find_shared_keys(scan->seen, scan->targets.len);
    scan_collect_cas(scan->seen, scan->targets.len, &scan->around);
    for (size_t i = 0; i < scan->targets.len; i++)
        if (scan->seen[i])
            put_line(scan, i, true);
    if (scan->lines_err.code != PS_E_NONE)
        *err = scan->lines_err;
    return scan->lines_err.code == PS_E_NONE;
}

/* ---- earlier scans ---- */

static bool read_past(const char *path, struct scan *scan, struct past *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(PAST_BYTES_MAX);

    out->arena = scan->targets.arena;
    return file_read(path, PAST_BYTES_MAX, &text, err)
        && past_parse(buf_text(&text), text.len, path, out, err);
}

/* With what this scan is to be compared: before its own file is among those of the store. */
static bool read_before(struct scan *scan, struct ps_err *err)
{
    const char *where = opts.compare ? opts.compare : opts.store;
    bool folder = !opts.compare || file_is_dir(where);

    if (!where)
        return true;
    scan->before.arena = scan->targets.arena;
    if (folder ? !scan_store_read(where, &scan->targets, &scan->before, err)
               : !read_past(where, scan, &scan->before, err))
        return false;
    scan->compares = opts.compare || scan->before.len;
    return true;
}

static bool prepare_lines(struct scan *scan, struct ps_err *err)
{
    if (!read_before(scan, err))
        return false;
    scan->skip = ps_calloc(scan->targets.len, sizeof(*scan->skip));
    if (opts.resume && file_exists(opts.lines)) {
        if (!read_past(opts.lines, scan, &scan->known, err))
            return false;
        for (size_t i = 0; i < scan->targets.len; i++)
            scan->skip[i] = past_find(&scan->known, scan->targets.at[i].host,
                                      scan->targets.at[i].port) != NULL;
    }
    return (!opts.lines || scan_lines_open(opts.lines, &scan->lines_fd, err))
        && (!opts.store || scan_store_add(opts.store, &scan->store_fd, err));
}

/* ---- showing ---- */

static void show(struct scan *scan)
{
    struct cli_run *run = scan->run;
    struct doc_node *root = doc_root(run->doc), *rows = NULL, *cards = NULL, *changes = NULL;
    const bool one = scan->targets.len == 1 && scan->seen[0];
    const bool table = !one && run->format != DOC_JSON;
    const bool details = run->format == DOC_JSON || run->format == DOC_HTML || one;
    size_t in_plaintext = 0;

    if (table || run->format == DOC_CSV)
        rows = doc_sortable(doc_table(root, "servers", _("Servers"), _("no server was looked at")));
    if (details && run->format != DOC_CSV && !(one && run->format == DOC_TEXT))
        cards = doc_cards(root, "targets", run->format == DOC_JSON ? NULL : _("Details"), NULL);
    if (scan->compares && run->format != DOC_CSV)
        changes = doc_table(root, "changes", _("Changes since the earlier scan"),
                            _("nothing changed since the earlier scan"));
    for (size_t i = 0; i < scan->targets.len; i++) {
        PS_AUTO(judged_free) struct judged judged = { 0 };
        const struct seen *seen = scan->seen[i];

        if (!seen)
            continue;
        judge(scan, seen, &judged);
        in_plaintext += strcmp(scan_plaintext_word(seen), "yes") == 0;
        if (changes)
            scan_compare(&scan->before, seen, &judged.report, changes);
        if (rows) {
            struct doc_node *row = doc_row(rows);
            scan_row(seen, &judged.report, cards ? i + 1 : 0, row);
            if (run->format == DOC_CSV || run->verbose)
                scan_row_more(seen, &judged.report, row);
            if (scan->compares && run->format == DOC_CSV)
                doc_str(row, "changes", _("Changes"),
                        scan_compare_text(&scan->before, seen, &judged.report));
        }
        if (cards)
            scan_describe(seen, &judged.report,
                          doc_anchor(doc_card(cards, DOC_PLAIN, judged.posture->name), i + 1));
        else if (one && run->format == DOC_TEXT)
            scan_describe(seen, &judged.report, root);
    }
    if (scan->targets.len > 1) {
        doc_int(root, "looked_at", _("Looked at"), (int64_t)scan->done);
        doc_int(root, "reached", _("Reached"), (int64_t)scan->reached);
        if (!opts.certificate_only)
            doc_mark(doc_int(root, "in_plaintext", _("In plaintext"), (int64_t)in_plaintext),
                     in_plaintext ? DOC_BAD : DOC_PLAIN);
    }
    if (stop)
        doc_para(root, DOC_WARN, _("The scan was interrupted: %zu of %zu servers were looked at."),
                 scan->done, scan->targets.len);
}

static void show_metrics(struct scan *scan)
{
    PS_AUTO(ps_freep) struct scan_metric *list = ps_calloc(scan->targets.len, sizeof(*list));
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    size_t len = 0;

    for (size_t i = 0; i < scan->targets.len; i++) {
        PS_AUTO(judged_free) struct judged judged = { 0 };

        if (!scan->seen[i])
            continue;
        judge(scan, scan->seen[i], &judged);
        list[len++] = scan_metric_of(scan->seen[i], &judged.report);
    }
    scan_metrics(list, len, &text);
    scan->run->text = buf_take(&text);
}

static const char *connections_each(void)
{
    if (opts.certificate_only)
        return "1";
    return opts.all_ciphers ? _("about 60, at most 4 at once") : _("6 to 25, at most 4 at once");
}

static void show_limits(struct doc_node *root)
{
    doc_str(root, "connections_each", _("Connections to each"), connections_each());
    if (opts.connections_max)
        doc_int(root, "connections_max", _("Never more than"), opts.connections_max);
    doc_ms(root, "timeout_ms", _("Time limit of each"), opts.timeout_ms);
    doc_int(root, "retries", _("Retries"), opts.retries);
    if (opts.rate)
        doc_int(root, "rate", _("Connections a second"), opts.rate);
    doc_int(root, "concurrency", _("Servers at once"), opts.at_once);
    if (opts.at_once_net)
        doc_int(root, "per_network", _("In one network at once"), opts.at_once_net);
}

static void show_plan(const struct scan *scan)
{
    struct doc_node *root = doc_root(scan->run->doc);
    struct doc_node *table = doc_table(root, "targets", _("Targets"), NULL);

    doc_int(root, "servers", _("Servers"), (int64_t)scan->targets.len);
    show_limits(root);
    if (opts.certificate_only)
        doc_para(root, DOC_PLAIN, _("Asked of each: one TLS handshake, for the certificate. No login is begun."));
    else
        doc_para(root, DOC_PLAIN, _("Asked of each: one TLS handshake; logins that are begun and never ended, in "
                                    "plaintext and over TLS, for a role that does not exist; hellos with old "
                                    "versions and weak suites; TLS at once; a startup glued to the request "
                                    "for TLS. No password is sent. PostgreSQL's log gets about as many lines "
                                    "as there are connections."));
    for (size_t i = 0; i < scan->targets.len; i++) {
        struct doc_node *row = doc_row(table);
        doc_str(row, "host", _("Host"), scan->targets.at[i].host);
        doc_int(row, "port", _("Port"), scan->targets.at[i].port);
    }
}

static bool scan_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(scan_free) struct scan scan = { .run = run, .targets = { .arena = arena_new() },
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
        show_plan(&scan);
        return true;
    }
    if (!prepare_lines(&scan, err) || !look(&scan, err) || !settle(&scan, err))
        return false;
    if (run->own_format)
        show_metrics(&scan);
    else if (opts.lines && strcmp(opts.lines, "-") == 0 && !run->output)
        doc_freep(&run->doc);       /* the lines were the result */
    else
        show(&scan);
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

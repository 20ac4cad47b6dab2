/* cmd_check.c - pgseal check: what is wrong with the TLS of a server, and how it is cured. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/given.h"
#include "cli/check_ask.h"
#include "cli/check_diff.h"
#include "inspect/posture.h"
#include "rules/baseline.h"
#include "rules/exceptions.h"
#include "rules/report.h"
#include "secure/mend.h"

static struct {
    char *data_dir, *target, *files, *server_version, *bin_dir, *trust, *crl, *fail_on, *profile;
    char *exceptions, *baseline, *write_baseline, *ask, *diff;
    char **only, **skip;
    int fix, dry_run, yes;
} opts;

static const struct poptOption options[] = {
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0,
      N_("data directory of the server, running or stopped"), N_("DATADIR") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("look through SQL: connection string, URI or database name, as psql takes it"), N_("DSN") },
    { "files", 0, POPT_ARG_STRING, &opts.files, 0,
      N_("look at a folder of copies: postgresql.conf, pg_hba.conf and what they name"), N_("DIR") },
    { "server-version", 0, POPT_ARG_STRING, &opts.server_version, 0,
      N_("with --files: the version that reads them, such as 16 or 9.6"), N_("VERSION") },
    { "trust", 0, POPT_ARG_STRING, &opts.trust, 0,
      N_("roots that the clients trust, PEM: the server's certificate must lead to one; \"system\": those "
         "of this system; without it trust is not examined"), N_("FILE") },
    { "crl", 0, POPT_ARG_STRING, &opts.crl, 0,
      N_("revocation lists of the server's CA, PEM"), N_("FILE") },
    { "profile", 0, POPT_ARG_STRING, &opts.profile, 0,
      N_("how strict to be: critical or normal; default normal"), N_("PROFILE") },
    { "only", 0, POPT_ARG_ARGV, &opts.only, 0, N_("run this rule and no other; repeatable"),
      N_("RULE") },
    { "skip", 0, POPT_ARG_ARGV, &opts.skip, 0,
      N_("do not run this rule; repeatable; it is shown as not examined"), N_("RULE") },
    { "exceptions", 0, POPT_ARG_STRING, &opts.exceptions, 0,
      N_("findings that are accepted: a file of lines RULE [WHERE] until DATE because REASON"),
      N_("FILE") },
    { "baseline", 0, POPT_ARG_STRING, &opts.baseline, 0,
      N_("only what is not in this file counts"), N_("FILE") },
    { "write-baseline", 0, POPT_ARG_STRING, &opts.write_baseline, 0,
      N_("write what was found for --baseline"), N_("FILE") },
    { "ask", 0, POPT_ARG_STRING, &opts.ask, 0,
      N_("only say which line of pg_hba.conf decides about a connection, and why those above do not, such "
         "as \"role=app db=shop from=10.0.0.5 tls=no\""), N_("QUESTION") },
    { "diff", 0, POPT_ARG_STRING, &opts.diff, 0,
      N_("only compare two pg_hba.conf as access: --diff OLD NEW --server-version VERSION"), N_("OLD") },
    { "fix", 0, POPT_ARG_NONE, &opts.fix, 0,
      N_("with -D: cure what can be cured for sure, as one transaction, then look again"), NULL },
    { "dry-run", 'n', POPT_ARG_NONE, &opts.dry_run, 0,
      N_("with --fix: show the plan and the differences, touch nothing"), NULL },
    { "yes", 'y', POPT_ARG_NONE, &opts.yes, 0, N_("with --fix: do not ask"), NULL },
    { "fail-on", 0, POPT_ARG_STRING, &opts.fail_on, 0,
      N_("least severity that makes the exit status 1: info, low, medium, high, critical or none; "
         "default high"), N_("SEVERITY") },
    { "bindir", 0, POPT_ARG_STRING, &opts.bin_dir, 0, N_("folder of the server's programs"),
      N_("DIR") },
    POPT_TABLEEND
};

static const char *const examples[] = {
    "pgseal check -D /var/lib/postgresql/15/main",
    "pgseal check --target service=db1 --trust /etc/ssl/company-root.pem --fail-on medium",
    "pgseal check --files etc/ --server-version 16 --format sarif --output pgseal.sarif",
    "pgseal check -D /srv/pg --fix --dry-run",
    "pgseal check -D /srv/pg --ask \"role=app db=shop from=10.0.0.5 tls=no\"",
    "pgseal check --diff pg_hba.conf.old pg_hba.conf --server-version 16",
    "pgseal check -D /srv/pg --exceptions /etc/pgseal/exceptions --format junit --output check.xml",
    NULL
};

static const char *const formats[] = { "sarif", "junit", NULL };

/* ---- usage ---- */

/* --ask and --diff answer one question, and make none of the reports. */
static bool check_alone(const struct cli_run *run, const char *option, struct ps_err *err)
{
    if (run->own_format || opts.fix || opts.baseline || opts.write_baseline || opts.exceptions)
        return ps_fail(err, PS_E_USAGE, _("%s answers one question: it goes with none of --fix, --baseline, "
                                          "--write-baseline, --exceptions and --format sarif or junit"),
                       option);
    return true;
}

static bool diff_usage(const struct cli_run *run, struct ps_err *err)
{
    if (opts.data_dir || opts.target || opts.files || opts.ask || !run->args || !run->args[0]
        || run->args[1]) {
        ps_fail(err, PS_E_USAGE, _("--diff compares two files and looks at no server"));
        return ps_hint(err, _("Run: pgseal check --diff OLD NEW --server-version VERSION"));
    }
    return check_alone(run, "--diff", err)
           && cli_need(opts.server_version, "--server-version",
                       _("The files mean different things in different versions."), err);
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    int ways = (opts.data_dir != NULL) + (opts.target != NULL) + (opts.files != NULL);

    if (!cli_no_args(run, err))
        return false;
    if (ways != 1) {
        ps_fail(err, PS_E_USAGE, _("one of -D, --target and --files is needed"));
        return ps_hint(err, _("-D is the folder that PostgreSQL's SHOW data_directory prints."));
    }
    if (opts.files && !cli_need(opts.server_version, "--server-version",
                                _("The files mean different things in different versions."), err))
        return false;
    if (opts.server_version && !opts.files)
        return ps_fail(err, PS_E_USAGE, _("--server-version belongs to --files"));
    if (opts.fix && !opts.data_dir)
        return ps_fail(err, PS_E_USAGE, _("--fix needs -D: only there can the files be changed"));
    return true;
}

static bool parse_version(unsigned *out, struct ps_err *err)
{
    long major;

    if (strcmp(opts.server_version, "9.6") == 0)
        *out = 9;
    else if (num_parse_n(opts.server_version, strcspn(opts.server_version, "."), 10, 19, &major))
        *out = (unsigned)major;
    else
        return ps_fail(err, PS_E_USAGE, _("\"%s\" is not a version from 9.6 to 19"),
                       opts.server_version);
    return true;
}

/* ---- looking ---- */

struct look {
    struct posture *posture;
    struct cert_list trust;
    struct crl_list crls;
    struct rule_choice choice;
    struct exceptions exceptions;
    struct report report;
    enum severity fail_on;
};

static void look_free(struct look *look)
{
    report_free(&look->report);
    exceptions_free(&look->exceptions);
    posture_freep(&look->posture);
    cert_list_free(&look->trust);
    crl_list_free(&look->crls);
}

static bool make_posture(struct posture **out, struct ps_err *err)
{
    const struct posture_options from = { .bin_dir = opts.bin_dir, .wire_ms = POSTURE_WIRE_MS };
    unsigned major = 0;

    if (opts.data_dir)
        return posture_of_data_dir(opts.data_dir, &from, out, err);
    if (opts.target)
        return posture_by_sql(opts.target, out, err);
    return parse_version(&major, err) && posture_of_files(opts.files, major, out, err);
}

static bool read_exceptions(struct look *look, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(EXCEPTIONS_BYTES_MAX);

    look->exceptions.arena = look->posture->arena;
    return !opts.exceptions
        || (file_read(opts.exceptions, EXCEPTIONS_BYTES_MAX, &text, err)
            && exceptions_parse(buf_text(&text), text.len, opts.exceptions, &look->exceptions, err));
}

static bool apply_baseline(struct look *look, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(BASELINE_BYTES_MAX);
    PS_AUTO(baseline_free) struct baseline baseline = { 0 };

    if (!opts.baseline)
        return true;
    if (!file_read(opts.baseline, BASELINE_BYTES_MAX, &text, err)
        || !baseline_parse(buf_text(&text), text.len, opts.baseline, &baseline, err))
        return false;
    baseline_apply(&baseline, &look->report);
    return true;
}

static bool write_baseline(const struct report *report, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    if (!opts.write_baseline)
        return true;
    baseline_write(report, &text);
    return file_write(opts.write_baseline, buf_text(&text), text.len, 0644, err);
}

static bool look_at(struct look *look, struct ps_err *err)
{
    struct report *report = &look->report;
    enum profile profile = PROFILE_NORMAL;

    if (!severity_parse(opts.fail_on, SEV_HIGH, &look->fail_on, err)
        || (opts.profile && !profile_parse(opts.profile, &profile, err))
        || !rule_choice_check(&look->choice, err)
        || !given_read(opts.trust, opts.crl, &look->trust, &look->crls, err)
        || !make_posture(&look->posture, err) || !read_exceptions(look, err))
        return false;
    look->posture->trust = opts.trust ? &look->trust : NULL;
    look->posture->crls = opts.crl ? &look->crls : NULL;
    look->posture->critical = profile == PROFILE_CRITICAL;
    *report = (struct report){ .posture = look->posture, .choice = &look->choice,
                               .modes = RULE_CHECK,
                               .findings = { .arena = look->posture->arena } };
    rules_run(look->posture, report->modes, &look->choice, &report->findings);
    report_judge(report);
    exceptions_apply(&look->exceptions, &look->choice, report);
    return apply_baseline(look, err) && write_baseline(report, err);
}

/* ---- showing ---- */

static void ensure_doc(struct cli_run *run)
{
    if (!run->doc)
        run->doc = doc_new("check", _("What is wrong with the TLS of a server"));
}

/* That nothing was found says nothing when what counts most could not be looked at. */
static enum ps_exit status_of(const struct look *look)
{
    const char *reason, *id = report_blind(&look->report, &reason);

    if (findings_worst(&look->report.findings) >= look->fail_on)
        return PS_EXIT_FINDINGS;
    if (!id)
        return PS_EXIT_OK;
    log_warn(_("what counts most was not examined: %s (%s)"), reason, id);
    return PS_EXIT_NOT_EXAMINED;
}

static void show(struct cli_run *run, const struct look *look)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    if (run->own_format && strcmp(run->own_format, "junit") == 0) {
        report_junit(&look->report, look->fail_on, &text);
        run->text = buf_take(&text);
    } else if (run->own_format) {
        doc_free(run->doc);
        run->doc = report_sarif(&look->report);
        run->format = DOC_JSON;
    } else {
        ensure_doc(run);
        report_describe(&look->report, doc_root(run->doc));
    }
    run->status = status_of(look);
}

/* ---- curing ---- */

static bool ask(void *arg, const struct doc *plan, struct ps_err *err)
{
    cli_show(arg, plan);
    return cli_confirm(_("Change this server as shown?"), err);
}

/* What was cured must be gone for the rules that found it. */
static bool look_again(struct cli_run *run, const struct findings *before, struct ps_err *err)
{
    PS_AUTO(look_free) struct look look = { .choice = { opts.only, opts.skip } };
    struct doc_node *section = doc_child(doc_root(run->doc), "mending");
    size_t left = 0;

    if (!look_at(&look, err))
        return false;
    for (size_t i = 0; i < look.report.findings.len; i++)
        left += mend_can(&look.report.findings.at[i]);
    doc_int(section, "mended", _("Mended"), (int64_t)mend_gone(before, &look.report.findings));
    doc_mark(doc_int(section, "still_there", _("Found again"), (int64_t)left),
             left ? DOC_BAD : DOC_GOOD);
    show(run, &look);
    return true;
}

static bool fix(struct cli_run *run, const struct look *look, struct ps_err *err)
{
    const struct mend_spec spec = {
        .data_dir = opts.data_dir, .bin_dir = opts.bin_dir, .findings = &look->report.findings,
        .profile = look->posture->critical ? PROFILE_CRITICAL : PROFILE_NORMAL,
        .dry_run = opts.dry_run, .ask = opts.yes ? NULL : ask, .ask_arg = run,
    };
    bool changed = false;

    ensure_doc(run);
    if (!mend_run(&spec, run->doc, &changed, err))
        return false;
    if (changed)
        return look_again(run, &look->report.findings, err);
    show(run, look);
    return true;
}

/* ---- one question ---- */

static bool compare(struct cli_run *run, struct ps_err *err)
{
    unsigned major = 0;

    return diff_usage(run, err) && parse_version(&major, err)
           && check_diff(opts.diff, run->args[0], major, run, err);
}

static bool answer(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(posture_freep) struct posture *posture = NULL;

    return check_alone(run, "--ask", err) && make_posture(&posture, err)
           && check_ask(posture, opts.ask, run, err);
}

static bool check_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(look_free) struct look look = { .choice = { opts.only, opts.skip } };

    if (opts.diff)
        return compare(run, err);
    if (!check_usage(run, err))
        return false;
    if (opts.ask)
        return answer(run, err);
    if (!look_at(&look, err))
        return false;
    if (opts.fix)
        return fix(run, &look, err);
    show(run, &look);
    return true;
}

const struct cli_cmd cmd_check = {
    .name = "check",
    .summary = N_("say what is wrong with the TLS of a server, and how it is cured"),
    .usage = N_("-D DATADIR | --target DSN | --files DIR --server-version VERSION | --diff OLD NEW "
                "--server-version VERSION [options]"),
    .about = N_("Reads what the server reads: postgresql.conf with all includes and "
                "postgresql.auto.conf, pg_hba.conf, pg_ident.conf, certificates, keys and revocation "
                "lists; or asks for the same through SQL, as far as the role may see it. Every rule "
                "that is broken is shown with its severity, the line and the spot in it, why it "
                "matters, the cure and who says so; \"pgseal explain RULE\" tells more. What could not be "
                "seen is shown as not examined, never as good; when that is the settings, pg_hba.conf or the "
                "server's certificate, and nothing was found, the exit status is 3. Copies that were not made "
                "are not missed. Nothing is changed without --fix. Besides the "
                "common formats there are sarif (2.1.0, for the pages of code scanning) and junit "
                "(for those of CI). The grade is the worst of transport, protocol, ciphers, "
                "certificate and authentication, as SSL Labs does; what is accepted by --exceptions or known "
                "from --baseline does not count for the exit status, but for the grade. With --fix, settings "
                "get the values that \"pgseal secure\" gives them and lines of pg_hba.conf the cure "
                "that is shown, where it is sure: the plan is shown and agreed to, a failure takes all "
                "back, and \"pgseal rollback\" returns to the files from before. With --ask it only says "
                "which line of pg_hba.conf decides about one connection: role=, db=, from= (an address, or "
                "local), tls=yes|no, gss=yes|no, replication, member=ROLE,ROLE; names that only the DNS "
                "or the server knows give \"perhaps\". With --diff it compares two files as access, line "
                "order and comments aside: who gets in, who is kept out, who no longer needs TLS; the exit "
                "status is 1 when somebody gets in more easily than before."),
    .examples = examples,
    .options = options,
    .csv = true,
    .formats = formats,
    .run = check_run,
};

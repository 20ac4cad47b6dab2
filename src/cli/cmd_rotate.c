/* cmd_rotate.c - pgseal rotate: certificates and CRLs replaced under load. */
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/pass.h"
#include "secure/rotate.h"

static struct {
    char *state_dir, *bin_dir, *target, *ca, *cert, *key, *trust, *key_type;
    char **data_dirs, **hosts;
    int pass_fd, all_due, crl_only, dry_run;
} opts = { .pass_fd = -1 };

static const struct poptOption options[] = {
    { "pgdata", 'D', POPT_ARG_ARGV, &opts.data_dirs, 0,
      N_("data directory of the server; repeatable with --all-due and --crl-only"), N_("DATADIR") },
    { "ca", 0, POPT_ARG_STRING, &opts.ca, 0,
      N_("folder of the private CA that the server was secured with"), N_("DIR") },
    { "all-due", 0, POPT_ARG_NONE, &opts.all_due, 0,
      N_("only what is due: a certificate with less than a third of its life left, revoked, or of an "
         "authority that was replaced, revocation lists past half of theirs or with new revocations"), NULL },
    { "crl-only", 0, POPT_ARG_NONE, &opts.crl_only, 0,
      N_("bring the CA's revocation lists into the server, leave its certificate alone"), NULL },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("name or address that clients use, for the certificate; repeatable; default: those of the "
         "present certificate"), N_("NAME") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072 or rsa:4096; default: as the present "
         "one"), N_("TYPE") },
    { "cert", 0, POPT_ARG_STRING, &opts.cert, 0,
      N_("instead of --ca: the new certificate and its intermediates, PEM"), N_("FILE") },
    { "key", 0, POPT_ARG_STRING, &opts.key, 0, N_("with --cert: its private key, PEM"), N_("FILE") },
    { "trust", 0, POPT_ARG_STRING, &opts.trust, 0, N_("with --cert: the root that clients trust"),
      N_("FILE") },
    { "passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the CA's keys from this descriptor"), N_("FD") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("administrator's connection string; default: over the Unix-domain socket"), N_("DSN") },
    { "bindir", 0, POPT_ARG_STRING, &opts.bin_dir, 0, N_("folder of the server's programs"),
      N_("DIR") },
    { "state-dir", 0, POPT_ARG_STRING, &opts.state_dir, 0,
      N_("folder for the server's keys and the way back; default DATADIR.pgseal"), N_("DIR") },
    { "dry-run", 'n', POPT_ARG_NONE, &opts.dry_run, 0,
      N_("show the plan and the differences, touch nothing"), NULL },
    POPT_TABLEEND
};

/* ---- usage ---- */

static bool check_sources(struct ps_err *err)
{
    bool given = opts.cert || opts.key || opts.trust;

    if (opts.ca && given)
        return ps_fail(err, PS_E_USAGE, _("--ca cannot be combined with --cert, --key or --trust"));
    if (given && (opts.all_due || opts.crl_only))
        return ps_fail(err, PS_E_USAGE, _("--all-due and --crl-only need --ca"));
    if (opts.ca || (opts.cert && opts.key && opts.trust))
        return true;
    ps_fail(err, PS_E_USAGE, given ? _("--cert, --key and --trust go together")
                                   : _("it was not said where certificates come from"));
    return ps_hint(err, _("Give --ca DIR, the folder of the private CA, or --cert FILE --key FILE "
                          "--trust FILE."));
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    size_t servers = cli_count(opts.data_dirs);

    if (!cli_no_args(run, err))
        return false;
    if (servers == 0) {
        ps_fail(err, PS_E_USAGE, _("option %s is missing"), "-D");
        return ps_hint(err, _("-D is the folder that PostgreSQL's SHOW data_directory prints."));
    }
    if (opts.all_due && opts.crl_only)
        return ps_fail(err, PS_E_USAGE, _("--all-due cannot be combined with --crl-only"));
    if (servers > 1 && !opts.all_due && !opts.crl_only)
        return ps_fail(err, PS_E_USAGE, _("several servers need --all-due or --crl-only"));
    if (servers > 1 && (opts.state_dir || opts.target || opts.hosts))
        return ps_fail(err, PS_E_USAGE, _("--state-dir, --target and --host are for one server"));
    return check_sources(err);
}

/* ---- doing it ---- */

enum outcome { ROTATED, WRITTEN, PLANNED, UNCHANGED, FAILED };
static const struct {
    const char *word, *text;
    enum doc_mark mark;
} outcomes[] = {
    [ROTATED]   = { "rotated",   N_("replaced, and read back from the network"), DOC_GOOD },
    [WRITTEN]   = { "written",   N_("replaced in the files; the server is stopped: not examined"),
                    DOC_UNKNOWN },
    [PLANNED]   = { "planned",   N_("a dry run: nothing was touched"),           DOC_PLAIN },
    [UNCHANGED] = { "unchanged", N_("nothing was due: nothing was changed"),     DOC_GOOD },
    [FAILED]    = { "failed",    N_("not replaced"),                             DOC_BAD },
};

static const enum outcome by_result[] = {
    [ROTATE_NOTHING] = UNCHANGED, [ROTATE_SEEN] = ROTATED, [ROTATE_UNSEEN] = WRITTEN,
};

static enum outcome rotate_one(const struct rotate_spec *spec, struct doc_node *table,
                               struct doc_node *details, struct ps_err *err)
{
    struct doc_node *row = doc_row(table);
    struct doc_node *section = doc_section(details, spec->data_dir, spec->data_dir);
    enum outcome outcome = FAILED;
    enum rotate_result result;

    doc_str(row, "data_dir", _("Data directory"), spec->data_dir);
    if (rotate_run(spec, section, &result, err))
        outcome = spec->dry_run ? PLANNED : by_result[result];
    doc_verdict(row, "result", _("Result"), outcomes[outcome].mark, outcomes[outcome].word,
                _(outcomes[outcome].text));
    doc_str(row, "error", _("Error"), outcome == FAILED ? err->message : NULL);
    return outcome;
}

/* One server that cannot be rotated must not keep the others from it; the first error is the result. */
static bool rotate_each(struct rotate_spec *spec, struct doc_node *root, struct ps_err *err)
{
    struct doc_node *table = doc_table(root, "servers", _("Servers"), NULL);
    struct doc_node *details = doc_section(root, "details", _("Each server"));
    size_t failed = 0;

    for (char **dir = opts.data_dirs; *dir; dir++) {
        struct ps_err why = { 0 };

        spec->data_dir = *dir;
        if (rotate_one(spec, table, details, &why) != FAILED)
            continue;
        if (failed++ == 0)
            *err = why;
        else
            log_warn("%s: %s", *dir, why.message);
    }
    return failed == 0;
}

static bool rotate_verb(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = opts.pass_fd };
    struct rotate_spec spec = {
        .state_dir = opts.state_dir, .bin_dir = opts.bin_dir, .target = opts.target,
        .what = opts.crl_only ? ROTATE_CRL : opts.all_due ? ROTATE_DUE : ROTATE_PAIR,
        .dry_run = opts.dry_run, .key_type_given = opts.key_type != NULL,
        .creds = {
            .ca_dir = opts.ca, .pass = cli_pass_get, .pass_arg = &pass, .cert_path = opts.cert,
            .key_path = opts.key, .trust_path = opts.trust,
            .hosts = (const char *const *)opts.hosts,
        },
    };

    if (!check_usage(run, err)
        || (opts.key_type && !key_type_parse(opts.key_type, &spec.creds.key_type, err)))
        return false;
    run->doc = doc_new("rotate", _("Replacing certificates under load"));
    return rotate_each(&spec, doc_root(run->doc), err);
}

static const char *const examples[] = {
    "pgseal rotate -D /var/lib/postgresql/15/main --ca /etc/pgseal/ca",
    "pgseal rotate -D /var/lib/postgresql/15/main --cert db1.crt --key db1.key --trust root.crt",
    "pgseal rotate -D /var/lib/postgresql/15/main -D /var/lib/postgresql/17/main "
    "--ca /etc/pgseal/ca --all-due",
    NULL
};

const struct cli_cmd cmd_rotate = {
    .name = "rotate",
    .summary = N_("replace the server's certificate under load, prove it, or go back"),
    .usage = N_("-D DATADIR --ca DIR [options]"),
    .about = N_("A new key and certificate, or those given, and the CA's newest revocation lists are "
                "checked, put in place as one transaction, and read back from the network after a "
                "reload.  Sessions go on, new ones get the new certificate.  On any doubt the old one "
                "returns (exit status 5).  With --all-due nothing happens until something is due: the "
                "systemd timer pgseal-rotate.timer runs it every day with the options in "
                "/etc/pgseal/rotate.env."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = rotate_verb,
};

/* cmd_ca_issue.c - pgseal ca issue: certificates for servers and for roles. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_batch_verb.h"
#include "cli/ca_verb.h"

static struct {
    char **hosts;
    char *out, *key_type, *batch;
    long days;
    int key_pass_fd, no_files;
} opts = { .key_pass_fd = -1 };

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("folder for the files; made when it is absent"), N_("DIR") },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("for a server: a name or address that clients use; repeatable"), N_("NAME") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default ec:p256"),
      N_("TYPE") },
    { "days", 0, POPT_ARG_LONG, &opts.days, 0,
      N_("how long it is valid; never longer than its issuer; default 365"), N_("DAYS") },
    { "batch", 0, POPT_ARG_STRING, &opts.batch, 0,
      N_("for clients: the roles of this file, one a line, or CSV with the columns role, days and "
         "key-type; each gets a folder of its own"), N_("FILE") },
    { "no-files", 0, POPT_ARG_NONE, &opts.no_files, 0,
      N_("with --batch: only record the certificates in the ledger; their keys are dropped, and roles that have "
         "a valid certificate there are left alone"), NULL },
    { "key-passphrase-fd", 0, POPT_ARG_INT, &opts.key_pass_fd, 0,
      N_("encrypt the new key with the passphrase that this descriptor gives"), N_("FD") },
    POPT_TABLEEND
};

/* ---- usage ---- */

static const struct {
    const char *word;
    enum cert_use use;
} kinds[] = {
    { "server", CERT_USE_SERVER },
    { "client", CERT_USE_CLIENT },
};

static bool read_kind(const struct cli_run *run, enum cert_use *use, struct ps_err *err)
{
    const char *word = run->args ? run->args[0] : NULL;

    for (size_t i = 0; word && i < PS_COUNT(kinds); i++) {
        if (strcmp(word, kinds[i].word) == 0) {
            *use = kinds[i].use;
            return true;
        }
    }
    if (word)
        ps_fail(err, PS_E_USAGE, _("cannot issue a certificate for \"%s\""), word);
    else
        ps_fail(err, PS_E_USAGE, _("it was not said what to issue"));
    return ps_hint(err, _("Say \"server\" with --host NAME, or \"client\" with the name of a role."));
}

static bool check_batch(const struct cli_run *run, enum cert_use use, struct ps_err *err)
{
    if (use != CERT_USE_CLIENT)
        return ps_fail(err, PS_E_USAGE, _("--batch is for clients"));
    if (run->args[1])
        return ps_fail(err, PS_E_USAGE, _("unexpected argument \"%s\""), run->args[1]);
    if (opts.key_pass_fd >= 0)
        return ps_fail(err, PS_E_USAGE, _("the keys of a batch cannot be encrypted"));
    return opts.no_files || ca_verb_need(opts.out, "--out", err);
}

static bool read_usage(const struct cli_run *run, struct ca_leaf_spec *spec, struct ps_err *err)
{
    if (!read_kind(run, &spec->use, err) || !ca_verb_key_type(opts.key_type, &spec->key_type, err))
        return false;
    spec->days = opts.days;
    if (opts.batch)
        return check_batch(run, spec->use, err);
    if (opts.no_files)
        return ps_fail(err, PS_E_USAGE, _("--no-files is for --batch"));
    if (!ca_verb_need(opts.out, "--out", err))
        return false;
    if (spec->use == CERT_USE_SERVER) {
        spec->hosts = (const char *const *)opts.hosts;
        if (run->args[1])
            return ps_fail(err, PS_E_USAGE, _("unexpected argument \"%s\""), run->args[1]);
        return opts.hosts || ps_fail(err, PS_E_USAGE, _("option %s is missing"), "--host");
    }
    spec->common_name = run->args[1];
    if (!spec->common_name)
        return ps_fail(err, PS_E_USAGE, _("no role was given"));
    if (run->args[2])
        return ps_fail(err, PS_E_USAGE, _("unexpected argument \"%s\""), run->args[2]);
    return !opts.hosts || ps_fail(err, PS_E_USAGE, _("--host is for servers"));
}

/* ---- doing it ---- */

static void describe(const struct ca_leaf *leaf, enum cert_use use, struct doc_node *root)
{
    const struct export_names *names = export_names(use);
    const char *const files[] = { names->crt, names->key, names->pk8, names->trust, names->crl };

    ca_verb_describe_leaf(leaf, root);

    struct doc_node *table = doc_table(root, "files", _("Files"), NULL);
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = files[i] ? path_join(opts.out, files[i]) : NULL;

        if (path && file_exists(path))
            doc_str(doc_row(table), "path", _("File"), path);
    }
}

static bool issue_one(struct ca *ca, const struct ca_leaf_spec *spec, const struct secret *key_pass,
                      struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!export_dir_free(opts.out, spec->use, err) || !ca_refresh_side(ca, spec->use, err)
        || !ca_issue(ca, spec, &leaf, err))
        return false;
    if (!export_leaf(ca, &leaf, spec->use, opts.out, key_pass, err)) {
        return ps_while(err, _("certificate %s is issued and recorded, but its files could not be "
                               "written"), cert_info(leaf.chain.at[0])->serial_hex);
    }
    describe(&leaf, spec->use, root);
    return true;
}

static bool issue_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(secret_free) struct secret key_pass = { 0 };
    struct ca_leaf_spec spec = { 0 };

    if (!read_usage(run, &spec, err) || !ca_verb_open(&ca, err)
        || (opts.key_pass_fd >= 0 && !secret_read_fd(opts.key_pass_fd, &key_pass, err)))
        return false;
    if (opts.batch) {
        const struct batch_wish wish = {
            .file = opts.batch, .out = opts.no_files ? NULL : opts.out,
            .key_type = spec.key_type, .days = spec.days,
        };

        run->doc = doc_new("ca_issue", _("New certificates"));
        return batch_issue(ca, &wish, doc_root(run->doc), err);
    }
    run->doc = doc_new("ca_issue", _("A new certificate"));
    return issue_one(ca, &spec, opts.key_pass_fd >= 0 ? &key_pass : NULL, doc_root(run->doc), err);
}

static const char *const examples[] = {
    "pgseal ca issue server --host db1.example.net --host 192.0.2.7 --ca /etc/pgseal/ca --out db1",
    "pgseal ca issue client app --ca /etc/pgseal/ca --out app",
    "pgseal ca issue client --batch roles.txt --ca /etc/pgseal/ca --out clients",
    NULL
};

const struct cli_cmd cmd_ca_issue = {
    .name = "ca issue",
    .summary = N_("issue a certificate with a new key, for a server or for a role"),
    .usage = N_("server --host NAME... | client (ROLE | --batch FILE) --ca DIR --out DIR [options]"),
    .about = N_("The certificate is in the ledger, and on disk there, before any file is written.  A "
                "server gets server.crt, server.key, root.crt (for ssl_ca_file) and root.crl (for "
                "ssl_crl_file); a role gets postgresql.crt, postgresql.key, postgresql.pk8 (for "
                "pgjdbc), root.crt (for sslrootcert) and root.crl (for sslcrl).  A batch that was "
                "interrupted goes on where it stopped when the command is given again."),
    .examples = examples,
    .options = options,
    .run = issue_run,
};

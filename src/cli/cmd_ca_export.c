/* cmd_ca_export.c - pgseal ca export: what others need of the CA, as files. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_verb.h"

static struct {
    char *ca_file, *root, *crl_file, *crl_dir;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "ca-file", 0, POPT_ARG_STRING, &opts.ca_file, 0,
      N_("what a server trusts, for ssl_ca_file"), N_("FILE") },
    { "root", 0, POPT_ARG_STRING, &opts.root, 0, N_("what a client trusts, for sslrootcert"),
      N_("FILE") },
    { "crl-file", 0, POPT_ARG_STRING, &opts.crl_file, 0,
      N_("what a server checks, for ssl_crl_file"), N_("FILE") },
    { "crl-dir", 0, POPT_ARG_STRING, &opts.crl_dir, 0,
      N_("the same as a folder, for ssl_crl_dir"), N_("DIR") },
    POPT_TABLEEND
};

static bool write_buf(const char *what, const char *path, const struct buf *bytes,
                      struct doc_node *table, struct ps_err *err)
{
    struct doc_node *row;

    if (!file_write(path, buf_text(bytes), bytes->len, 0644, err))
        return false;
    row = doc_row(table);
    doc_str(row, "what", _("What"), what);
    doc_str(row, "path", _("Path"), path);
    return true;
}

static bool write_trust(struct ca *ca, struct doc_node *table, struct ps_err *err)
{
    const struct { const char *what, *path; enum cert_use side; } rows[] = {
        { "ssl_ca_file", opts.ca_file, CERT_USE_SERVER },
        { "sslrootcert", opts.root, CERT_USE_CLIENT },
    };

    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

        if (rows[i].path && (!ca_trust_pem(ca, rows[i].side, &pem, err)
                             || !write_buf(rows[i].what, rows[i].path, &pem, table, err)))
            return false;
    }
    return true;
}

static bool write_crls(struct ca *ca, struct doc_node *table, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    struct doc_node *row;
    size_t written;

    if (!opts.crl_file && !opts.crl_dir)
        return true;
    if (!ca_refresh_crls(ca, false, err) || !ca_crl_pem(ca, CERT_USE_SERVER, &pem, err)
        || (opts.crl_file && !write_buf("ssl_crl_file", opts.crl_file, &pem, table, err)))
        return false;
    if (!opts.crl_dir)
        return true;
    if (!export_crl_dir(ca, CERT_USE_SERVER, opts.crl_dir, &written, err))
        return false;
    row = doc_row(table);
    doc_str(row, "what", _("What"), "ssl_crl_dir");
    doc_str(row, "path", _("Path"), opts.crl_dir);
    return true;
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    if (!cli_no_args(run, err))
        return false;
    if (opts.ca_file || opts.root || opts.crl_file || opts.crl_dir)
        return true;
    ps_fail(err, PS_E_USAGE, _("it was not said what to export"));
    return ps_hint(err, _("Try \"pgseal %s --help\"."), "ca export");
}

static bool export_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct doc_node *table;

    if (!check_usage(run, err) || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_export", _("Exported"));
    table = doc_table(doc_root(run->doc), "files", _("Files"), NULL);
    return write_trust(ca, table, err) && write_crls(ca, table, err);
}

static const char *const examples[] = {
    "pgseal ca export --ca /etc/pgseal/ca --ca-file /etc/postgresql/root.crt "
    "--crl-file /etc/postgresql/root.crl",
    "pgseal ca export --ca /etc/pgseal/ca --root ~/.postgresql/root.crt",
    NULL
};

const struct cli_cmd cmd_ca_export = {
    .name = "ca export",
    .summary = N_("write what servers and clients need of the CA as files"),
    .usage = "--ca DIR [--ca-file FILE] [--root FILE] [--crl-file FILE] [--crl-dir DIR]",
    .about = N_("Trust and revocation lists for either side, each in the form that the setting of its "
                "name takes."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = export_run,
};

/* cmd_ca_export.c - pgseal ca export: what others need of the CA, as files. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_cert_in.h"
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"
#include "tls/pkcs12.h"

static struct {
    char *ca_file, *root, *crl_file, *crl_dir, *cert, *key, *bundle, *p12, *pk8;
    int pass_fd;
} opts = { .pass_fd = -1 };

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
    { "server-bundle", 0, POPT_ARG_STRING, &opts.bundle, 0,
      N_("the certificate of --cert with its intermediates, for ssl_cert_file"), N_("FILE") },
    { "p12", 0, POPT_ARG_STRING, &opts.p12, 0,
      N_("certificate, chain and key as PKCS#12, encrypted"), N_("FILE") },
    { "pk8", 0, POPT_ARG_STRING, &opts.pk8, 0,
      N_("the key of --key as PKCS#8 DER, for pgjdbc"), N_("FILE") },
    { "cert", 0, POPT_ARG_STRING, &opts.cert, 0, N_("the certificate in this file"), N_("FILE") },
    { "key", 0, POPT_ARG_STRING, &opts.key, 0, N_("its private key, PEM"), N_("FILE") },
    { "out-passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of --p12 from this descriptor; default: ask"), N_("FD") },
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

/* ---- a pair in other forms ---- */

static bool put_path(const char *what, const char *path, struct doc_node *table)
{
    struct doc_node *row = doc_row(table);

    doc_str(row, "what", _("What"), what);
    doc_str(row, "path", _("Path"), path);
    return true;
}

static bool chain_of(struct ca *ca, struct cert_list *chain, struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!ca_verb_need(opts.cert, "--cert", err) || !ca_pick_read_file(opts.cert, &cert, err))
        return false;
    cert_list_add(chain, cert);
    return ca_chain_of(ca, cert, chain, err);
}

/* pgjdbc looks for the alias "user" and for no other (PKCS12KeyManager). */
static const char *alias_of(const struct cert_info *info)
{
    return info->uses == CERT_USE_CLIENT ? "user" : info->common_name;
}

static bool write_p12(const struct cert_list *chain, const struct key *key, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(secret_free) struct secret p12 = { 0 };

    if (!(opts.pass_fd >= 0 ? secret_read_fd(opts.pass_fd, &pass, err)
          : secret_prompt(_("Passphrase for the PKCS#12 file: "), true, &pass, err)))
        return false;
    return pkcs12_make(chain, key, alias_of(cert_info(chain->at[0])), &pass, &p12, err)
        && export_key_file(opts.p12, &p12, err);
}

static bool write_keys(struct ca *ca, struct doc_node *table, struct ps_err *err)
{
    struct cli_pass pass = { .fd = -1 };
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(secret_free) struct secret der = { 0 };

    if (!opts.p12 && !opts.pk8)
        return true;
    if (!ca_verb_need(opts.key, "--key", err)
        || !cert_in_key(opts.key, cli_pass_get, &pass, &key, err)
        || (opts.p12 && (!chain_of(ca, &chain, err) || !write_p12(&chain, key, err)))
        || (opts.pk8 && (!key_to_pkcs8_der(key, &der, err)
                         || !export_key_file(opts.pk8, &der, err))))
        return false;
    return (!opts.p12 || put_path("pkcs12", opts.p12, table))
        && (!opts.pk8 || put_path("pkcs8", opts.pk8, table));
}

static bool write_bundle(struct ca *ca, struct doc_node *table, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    return !opts.bundle || (chain_of(ca, &chain, err) && export_chain_pem(&chain, &pem, err)
                            && write_buf("ssl_cert_file", opts.bundle, &pem, table, err));
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    if (!cli_no_args(run, err))
        return false;
    if (opts.ca_file || opts.root || opts.crl_file || opts.crl_dir || opts.bundle || opts.p12
        || opts.pk8)
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
    return write_trust(ca, table, err) && write_crls(ca, table, err)
        && write_bundle(ca, table, err) && write_keys(ca, table, err);
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
    .usage = N_("--ca DIR [--ca-file FILE] [--root FILE] [--crl-file FILE] [--crl-dir DIR]"),
    .about = N_("Trust and revocation lists for either side, each in the form that the setting of its "
                "name takes."),
    .examples = examples,
    .options = options,
    .csv = true,
    .run = export_run,
};

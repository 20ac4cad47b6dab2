/* cmd_ca_import.c - pgseal ca import: certificates of others, checked before they are used. */
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_cert_in.h"
#include "cli/ca_verb.h"
#include "tls/chain.h"
#include "tls/name.h"
#include "tls/verify.h"

static struct {
    char *key, *trust, *out;
    char **hosts;
    int pass_fd;
} opts = { .pass_fd = -1 };

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "key", 0, POPT_ARG_STRING, &opts.key, 0,
      N_("the private key, PEM; a PKCS#12 file has its own"), N_("FILE") },
    { "trust", 0, POPT_ARG_STRING, &opts.trust, 0,
      N_("the root it must lead to, in any form; default: a root among the given certificates"),
      N_("FILE") },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("a name that it must speak for, as libpq decides it; repeatable"), N_("NAME") },
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("folder for server.crt, server.key and root.crt; made when it is absent"), N_("DIR") },
    { "in-passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the given file from this descriptor"), N_("FD") },
    POPT_TABLEEND
};

/* ---- reading ---- */

struct brought {
    struct cert_list chain, anchors;
    struct key *key;
};

static void brought_free(struct brought *in)
{
    cert_list_free(&in->chain);
    cert_list_free(&in->anchors);
    key_freep(&in->key);
}

static bool read_files(const char *const *paths, struct cli_pass *pass, struct brought *in,
                       struct ps_err *err)
{
    for (; *paths; paths++)
        if (!cert_in_read(*paths, cli_pass_get, pass, &in->chain, &in->key, err))
            return false;
    if (opts.key && in->key)
        return ps_fail(err, PS_E_USAGE, _("the PKCS#12 file has a key already: leave out --key"));
    if (opts.key)
        return cert_in_key(opts.key, cli_pass_get, pass, &in->key, err);
    return in->key || ps_fail(err, PS_E_USAGE, _("option %s is missing"), "--key");
}

static bool is_root(const struct cert *cert)
{
    return cert_info(cert)->is_ca && cert_issued_by(cert, cert);
}

/* The anchors; the roots among the given certificates are taken out of the chain, which is sent. */
static bool split(struct cli_pass *pass, struct brought *in, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list rest = { 0 };
    PS_AUTO(key_freep) struct key *none = NULL;

    if (opts.trust && !cert_in_read(opts.trust, cli_pass_get, pass, &in->anchors, &none, err))
        return false;
    for (size_t i = 0; i < in->chain.len; i++) {
        if (!is_root(in->chain.at[i]))
            cert_list_add(&rest, in->chain.at[i]);
        else if (!opts.trust)
            cert_list_add(&in->anchors, in->chain.at[i]);
    }
    struct cert_list all = in->chain;
    in->chain = rest;
    rest = all;
    if (in->anchors.len > 0)
        return true;
    ps_fail(err, PS_E_USAGE, _("it is not known which root to trust"));
    return ps_hint(err, _("Give it with --trust FILE; a public CA has its roots on its web page, and "
                          "Debian has them in /etc/ssl/certs."));
}

/* ---- checking ---- */

static bool check(const struct brought *in, struct ps_err *err)
{
    if (!verify_chain(&in->chain, &in->anchors, NULL, CERT_USE_SERVER, 0, err))
        return false;
    for (char **host = opts.hosts; host && *host; host++) {
        if (!cert_speaks_for(in->chain.at[0], *host)) {
            ps_fail(err, PS_E_CERT, _("the certificate does not speak for \"%s\""), *host);
            return ps_hint(err, _("Clients with sslmode=verify-full would refuse the server."));
        }
    }
    return true;
}

/* ---- writing ---- */

static bool write_pem(const char *name, const struct cert_list *list, struct doc_node *table,
                      struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(opts.out, name);
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    if (!export_chain_pem(list, &pem, err) || !file_write(path, buf_text(&pem), pem.len, 0644, err))
        return false;
    doc_str(doc_row(table), "path", _("File"), path);
    return true;
}

static bool write_all(const struct brought *in, struct doc_node *table, struct ps_err *err)
{
    const struct export_names *names = export_names(CERT_USE_SERVER);
    PS_AUTO(ps_freep) char *key_path = path_join(opts.out, names->key);
    PS_AUTO(secret_free) struct secret pem = { 0 };
    bool made;

    if (!dir_ensure(opts.out, 0700, &made, err) || !key_to_pem(in->key, NULL, &pem, err)
        || !export_key_file(key_path, &pem, err))
        return false;
    doc_str(doc_row(table), "path", _("File"), key_path);
    return write_pem(names->crt, &in->chain, table, err)
        && write_pem(names->trust, &in->anchors, table, err);
}

static bool import_pair(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = opts.pass_fd };
    PS_AUTO(brought_free) struct brought in = { 0 };
    struct doc_node *root;

    if (!ca_verb_need(opts.out, "--out", err) || !export_dir_free(opts.out, CERT_USE_SERVER, err)
        || !read_files(run->args, &pass, &in, err) || !split(&pass, &in, err)
        || !chain_order(&in.chain, in.key, err) || !check(&in, err))
        return false;
    run->doc = doc_new("ca_import", _("A certificate was imported"));
    root = doc_root(run->doc);
    ca_verb_describe(in.chain.at[0], root);
    doc_int(root, "intermediates", _("Intermediates"), (int64_t)in.chain.len - 1);
    doc_para(root, DOC_PLAIN, _("To put it to use: pgseal secure -D DATADIR --cert %s/server.crt --key "
                                "%s/server.key --trust %s/root.crt"), opts.out, opts.out, opts.out);
    return write_all(&in, doc_table(root, "files", _("Files"), NULL), err);
}

/* ---- for a CA whose root is kept elsewhere ---- */

/* The files of one kind: lists are judged by the certificates that may have come beside them. */
static bool take_file(struct ca *ca, const char *path, bool lists, struct doc_node *table,
                      struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    struct doc_node *row;

    if (!file_read(path, FILE_CONF_MAX, &pem, err))
        return false;
    if ((strstr(buf_text(&pem), "-----BEGIN X509 CRL-----") != NULL) != lists)
        return true;
    if (!(lists ? ca_crl_in(ca, buf_text(&pem), pem.len, path, err)
                : ca_certificate_in(ca, buf_text(&pem), pem.len, path, err)))
        return false;
    row = doc_row(table);
    doc_str(row, "path", _("File"), path);
    doc_str(row, "what", _("What"), lists ? _("revocation lists") : _("certificates"));
    return true;
}

/* A CA that still waits for something refuses to issue: better said now. */
static void describe_missing(const struct ca *ca, struct doc_node *root)
{
    for (size_t i = 0; i < ca_authorities_len(ca); i++) {
        const struct ca_authority authority = ca_authority_at(ca, i);
        PS_AUTO(ps_freep) char *list = ps_asprintf("%s/%s.crl", ca_dir(ca), authority.name);

        if (authority.state == CA_WAITING)
            doc_para(root, DOC_WARN, _("\"%s\" still waits for its certificate."), authority.name);
        else if (authority.key_kind == CA_KEY_OFFLINE && !file_exists(list))
            doc_para(root, DOC_WARN, _("The revocation list of \"%s\" is still wanted: nothing can be "
                                       "issued without it."), authority.name);
        else if (authority.state == CA_NEXT)
            doc_para(root, DOC_PLAIN, _("\"%s\" does not sign yet: when every server has the new "
                                        "revocation lists, run: pgseal ca activate %s"),
                     authority.name, authority.name);
    }
}

static bool import_into_ca(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct doc_node *table;

    if (!ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_import", _("Brought into the CA"));
    table = doc_table(doc_root(run->doc), "files", _("Files"), NULL);
    for (int lists = 0; lists < 2; lists++)
        for (const char *const *path = run->args; *path; path++)
            if (!take_file(ca, *path, lists, table, err))
                return false;
    describe_missing(ca, doc_root(run->doc));
    return true;
}

static bool import_run(struct cli_run *run, struct ps_err *err)
{
    if (!run->args || !run->args[0])
        return ps_fail(err, PS_E_USAGE, _("no file was given"));
    if (!ca_verb_given())
        return import_pair(run, err);
    if (opts.key || opts.trust || opts.out || opts.hosts)
        return ps_fail(err, PS_E_USAGE, _("--ca cannot be combined with --key, --trust, --host or "
                                          "--out"));
    return import_into_ca(run, err);
}

static const char *const examples[] = {
    "pgseal ca import db1.pfx --host db1.example.net --out db1",
    "pgseal ca import db1.cer chain.p7b --key db1/server.key --out db1",
    "pgseal ca import server-ca.crt root.crl --ca /etc/pgseal/ca",
    NULL
};

const struct cli_cmd cmd_ca_import = {
    .name = "ca import",
    .summary = N_("check and take in certificates that others have issued"),
    .usage = N_("FILE... [--key FILE] --out DIR [options] | FILE... --ca DIR"),
    .about = N_("Without --ca: the certificate of a server from another CA, as PEM, DER, PKCS#7 (.p7b) "
                "or PKCS#12 (.pfx, .p12), in any order; checked against its key, its root, its dates "
                "and its names.  With --ca: what a root that is kept offline has signed, certificates "
                "and revocation lists, into this CA."),
    .examples = examples,
    .options = options,
    .run = import_run,
};

/* cmd_ca_csr.c - pgseal ca csr: a request for a CA elsewhere. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "ca/inf.h"
#include "cli/ca_verb.h"
#include "tls/csr.h"

static struct {
    char *authority, *out, *key_type;
    char **hosts;
    struct { char *c, *st, *l, *o, *ou; } dn;
    int windows;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("for a server: a name or address that clients use; repeatable"), N_("NAME") },
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("folder for server.key and server.csr; with --authority: the file of the request"),
      N_("PATH") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default ec:p256"),
      N_("TYPE") },
    { "windows", 0, POPT_ARG_NONE, &opts.windows, 0,
      N_("make server.inf for certreq instead: Windows makes key and request"), NULL },
    { "authority", 0, POPT_ARG_STRING, &opts.authority, 0,
      N_("with --ca: the request of an intermediate that waits for a root kept offline"),
      N_("NAME") },
    { "dn-c", 0, POPT_ARG_STRING, &opts.dn.c, 0, N_("country (C) to ask for, two letters"),
      N_("TEXT") },
    { "dn-st", 0, POPT_ARG_STRING, &opts.dn.st, 0, N_("state or province (ST) to ask for"),
      N_("TEXT") },
    { "dn-l", 0, POPT_ARG_STRING, &opts.dn.l, 0, N_("locality (L) to ask for"), N_("TEXT") },
    { "dn-o", 0, POPT_ARG_STRING, &opts.dn.o, 0, N_("organization (O) to ask for"), N_("TEXT") },
    { "dn-ou", 0, POPT_ARG_STRING, &opts.dn.ou, 0, N_("organizational unit (OU) to ask for"),
      N_("TEXT") },
    POPT_TABLEEND
};

/* ---- of a server ---- */

enum { CN_MAX = 64 };       /* ub-common-name of RFC 5280 A.1 */

static struct cert_spec server_spec(void)
{
    return (struct cert_spec){
        .subject = { opts.dn.c, opts.dn.st, opts.dn.l, opts.dn.o, opts.dn.ou,
                     strlen(opts.hosts[0]) <= CN_MAX ? opts.hosts[0] : NULL },
        .hosts = (const char *const *)opts.hosts, .uses = CERT_USE_SERVER,
    };
}

static bool write_text(const char *name, const struct buf *text, struct doc_node *table,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(opts.out, name);

    if (!file_write(path, buf_text(text), text->len, 0644, err))
        return false;
    doc_str(doc_row(table), "path", _("File"), path);
    return true;
}

static bool write_key(const struct key *key, struct doc_node *table, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(opts.out, "server.key");
    PS_AUTO(secret_free) struct secret pem = { 0 };

    if (!key_to_pem(key, NULL, &pem, err) || !export_key_file(path, &pem, err))
        return false;
    doc_str(doc_row(table), "path", _("File"), path);
    return true;
}

static bool make_request(enum key_type type, struct doc_node *root, struct ps_err *err)
{
    const struct cert_spec spec = server_spec();
    struct doc_node *table = doc_table(root, "files", _("Files"), NULL);
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(CSR_MAX);

    if (!key_generate(type, &key, err) || !csr_make(&spec, key, &csr, err)
        || !csr_to_pem(csr, &pem, err) || !write_key(key, table, err)
        || !write_text("server.csr", &pem, table, err))
        return false;
    doc_str(root, "subject", _("Subject"), csr_info(csr)->subject);
    doc_para(root, DOC_PLAIN,
             _("Send server.csr to the CA; the key stays here.  When the certificate has come, run: "
               "pgseal ca import CERTIFICATE... --key %s/server.key --out DIR"), opts.out);
    doc_para(root, DOC_PLAIN,
             _("A public CA signs names of the public DNS only, for at most 200 days, and no client "
               "certificates.  With an ACME client, hand in this request (certbot certonly --csr "
               "server.csr) and import the full chain that it writes."));
    return true;
}

static const char windows_steps[] =
    "certreq -new server.inf server.req\n"
    "certreq -submit server.req server.cer\n"
    "certreq -accept server.cer\n"
    "certutil -store My\n"
    "certutil -exportPFX My SERIAL server.pfx\n";

static bool make_inf(enum key_type type, struct doc_node *root, struct ps_err *err)
{
    const struct cert_spec spec = server_spec();
    struct doc_node *table = doc_table(root, "files", _("Files"), NULL);
    PS_AUTO(buf_free) struct buf inf = BUF(CSR_MAX);

    if (!inf_write(&spec, type, &inf, err) || !write_text("server.inf", &inf, table, err))
        return false;
    doc_para(root, DOC_PLAIN,
             _("On Windows, in a command prompt of an administrator; the serial number is shown by the "
               "fourth command:"));
    doc_block(root, "windows_commands", NULL, windows_steps);
    doc_para(root, DOC_PLAIN,
             _("Then, where PostgreSQL runs: pgseal ca import server.pfx --trust ROOT --out DIR"));
    return true;
}

static bool server_run(struct cli_run *run, struct ps_err *err)
{
    enum key_type type;
    bool made;

    if (!opts.hosts)
        return ps_fail(err, PS_E_USAGE, _("option %s is missing"), "--host");
    if (!ca_verb_key_type(opts.key_type, &type, err)
        || !export_dir_free(opts.out, CERT_USE_SERVER, err)
        || !dir_ensure(opts.out, 0700, &made, err))
        return false;
    run->doc = doc_new("ca_csr", _("A request for a CA elsewhere"));
    return opts.windows ? make_inf(type, doc_root(run->doc), err)
                        : make_request(type, doc_root(run->doc), err);
}

/* ---- of an intermediate ---- */

static bool authority_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(CSR_MAX);

    if (!ca_verb_open(&ca, err) || !ca_request_out(ca, opts.authority, &pem, err)
        || !file_write(opts.out, buf_text(&pem), pem.len, 0644, err))
        return false;
    run->doc = doc_new("ca_csr", _("A request for a CA elsewhere"));
    doc_str(doc_root(run->doc), "file", _("File"), opts.out);
    doc_para(doc_root(run->doc), DOC_PLAIN,
             _("On the machine of the root: pgseal ca sign %s --kind %s --ca ROOT --out %s.crt; then "
               "here: pgseal ca import %s.crt --ca DIR"),
             opts.out, strncmp(opts.authority, "server", 6) == 0 ? "server-ca" : "client-ca",
             opts.authority, opts.authority);
    return true;
}

static bool csr_run(struct cli_run *run, struct ps_err *err)
{
    if (!cli_no_args(run, err) || !ca_verb_need(opts.out, "--out", err))
        return false;
    if (!opts.authority)
        return server_run(run, err);
    if (opts.hosts || opts.windows)
        return ps_fail(err, PS_E_USAGE, _("--authority cannot be combined with --host or --windows"));
    return authority_run(run, err);
}

static const char *const examples[] = {
    "pgseal ca csr --host db1.example.net --out db1",
    "pgseal ca csr --host db1.example.net --key-type rsa:2048 --windows --out db1",
    "pgseal ca csr --authority server-ca --ca /etc/pgseal/ca --out server-ca.csr",
    NULL
};

const struct cli_cmd cmd_ca_csr = {
    .name = "ca csr",
    .summary = N_("make a request for a CA elsewhere: public, Windows, or an offline root"),
    .usage = N_("--host NAME... --out DIR [options] | --authority NAME --ca DIR --out FILE"),
    .about = N_("Shows what to do with the request, command by command, until the certificate is back "
                "and imported."),
    .examples = examples,
    .options = options,
    .run = csr_run,
};

/* cmd_secure.c - pgseal secure: TLS on a server, as one transaction. */
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/pass.h"
#include "cli/prove_wire.h"
#include "secure/secure.h"

static struct {
    char *data_dir, *state_dir, *bin_dir, *target, *ca, *cert, *key, *trust, *crl, *key_type;
    char *profile, *min_tls, *max_tls, *client_dir, *report;
    struct cert_dn_text { char *c, *st, *l, *o, *ou; } dn;
    char **hosts, **policies, **clients;
    int root_passphrase, pass_fd, no_enforce, start, no_proof, no_wire, dry_run, yes;
} opts = { .pass_fd = -1 };

static const struct poptOption options[] = {
    { "pgdata", 'D', POPT_ARG_STRING, &opts.data_dir, 0, N_("data directory of the server"),
      N_("DATADIR") },
    { "ca", 0, POPT_ARG_STRING, &opts.ca, 0,
      N_("folder of the private CA; made when it is absent"), N_("DIR") },
    { "host", 0, POPT_ARG_ARGV, &opts.hosts, 0,
      N_("name or address that clients use, for the certificate; repeatable; default: host name, full "
         "name, addresses it listens on, localhost"), N_("NAME") },
    { "policy", 0, POPT_ARG_ARGV, &opts.policies, 0,
      N_("what pg_hba.conf demands: encrypt, verify-ca, verify-full or cert, for all or for one role; "
         "repeatable; default encrypt"), N_("[ROLE=]POLICY") },
    { "no-enforce", 0, POPT_ARG_NONE, &opts.no_enforce, 0,
      N_("offer TLS and leave pg_hba.conf as it is"), NULL },
    { "profile", 0, POPT_ARG_STRING, &opts.profile, 0,
      N_("cipher suites: critical (AEAD with forward secrecy only) or normal; default normal"),
      N_("PROFILE") },
    { "min-tls", 0, POPT_ARG_STRING, &opts.min_tls, 0, N_("lowest protocol: 1.2 or 1.3; default 1.2"),
      N_("VERSION") },
    { "max-tls", 0, POPT_ARG_STRING, &opts.max_tls, 0,
      N_("highest protocol: 1.2 or 1.3; default: no bound"), N_("VERSION") },
    { "client", 0, POPT_ARG_ARGV, &opts.clients, 0,
      N_("make the files of this role too; repeatable"), N_("ROLE") },
    { "client-dir", 0, POPT_ARG_STRING, &opts.client_dir, 0,
      N_("folder that holds the clients' files"), N_("DIR") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of new keys: ec:p256, ec:p384, rsa:2048, rsa:3072 or rsa:4096; default ec:p256"),
      N_("TYPE") },
    { "dn-c", 0, POPT_ARG_STRING, &opts.dn.c, 0, N_("country (C) of a new CA, two letters"),
      N_("TEXT") },
    { "dn-st", 0, POPT_ARG_STRING, &opts.dn.st, 0, N_("state or province (ST) of a new CA"),
      N_("TEXT") },
    { "dn-l", 0, POPT_ARG_STRING, &opts.dn.l, 0, N_("locality (L) of a new CA"), N_("TEXT") },
    { "dn-o", 0, POPT_ARG_STRING, &opts.dn.o, 0, N_("organization (O) of a new CA"), N_("TEXT") },
    { "dn-ou", 0, POPT_ARG_STRING, &opts.dn.ou, 0, N_("organizational unit (OU) of a new CA"),
      N_("TEXT") },
    { "root-passphrase", 0, POPT_ARG_NONE, &opts.root_passphrase, 0,
      N_("encrypt the root key of a new CA; the passphrase is asked for, or read from "
         "--passphrase-fd"), NULL },
    { "passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the CA's keys from this descriptor"), N_("FD") },
    { "cert", 0, POPT_ARG_STRING, &opts.cert, 0,
      N_("instead of --ca: the server's certificate and its intermediates, PEM"), N_("FILE") },
    { "key", 0, POPT_ARG_STRING, &opts.key, 0, N_("with --cert: its private key, PEM"), N_("FILE") },
    { "trust", 0, POPT_ARG_STRING, &opts.trust, 0,
      N_("with --cert: the root that clients trust, and that signs client certificates"), N_("FILE") },
    { "crl", 0, POPT_ARG_STRING, &opts.crl, 0,
      N_("with --cert: revoked client certificates, a CRL of every CA up to the root"), N_("FILE") },
    { "target", 't', POPT_ARG_STRING, &opts.target, 0,
      N_("administrator's connection string; default: over the Unix-domain socket"), N_("DSN") },
    { "bindir", 0, POPT_ARG_STRING, &opts.bin_dir, 0, N_("folder of the server's programs"),
      N_("DIR") },
    { "state-dir", 0, POPT_ARG_STRING, &opts.state_dir, 0,
      N_("folder for the server's keys and the way back; default DATADIR.pgseal"), N_("DIR") },
    { "start", 0, POPT_ARG_NONE, &opts.start, 0, N_("start a server that is stopped"), NULL },
    { "no-proof", 0, POPT_ARG_NONE, &opts.no_proof, 0, N_("do not try every way in afterwards"),
      NULL },
    { "no-wire", 0, POPT_ARG_NONE, &opts.no_wire, 0,
      N_("do not look at the packets of the proof"), NULL },
    { "dry-run", 'n', POPT_ARG_NONE, &opts.dry_run, 0,
      N_("show the plan and the differences, touch nothing"), NULL },
    { "yes", 'y', POPT_ARG_NONE, &opts.yes, 0, N_("do not ask"), NULL },
    { "report", 0, POPT_ARG_STRING, &opts.report, 0,
      N_("write the whole result as one self-contained HTML page too"), N_("FILE") },
    POPT_TABLEEND
};

/* ---- usage ---- */

static bool check_sources(struct ps_err *err)
{
    if (opts.ca && (opts.cert || opts.key || opts.trust || opts.crl))
        return ps_fail(err, PS_E_USAGE, _("--ca cannot be combined with --cert, --key, --trust or "
                                          "--crl"));
    if (opts.ca || (opts.cert && opts.key && opts.trust))
        return true;
    ps_fail(err, PS_E_USAGE, opts.cert || opts.key || opts.trust
            ? _("--cert, --key and --trust go together")
            : _("it was not said where certificates come from"));
    return ps_hint(err, _("Give --ca DIR, the folder of a private CA (made when it is absent), or "
                          "--cert FILE --key FILE --trust FILE."));
}

static bool check_usage(const struct cli_run *run, struct ps_err *err)
{
    if (!cli_no_args(run, err))
        return false;
    if (!cli_need(opts.data_dir, "-D",
                  _("-D is the folder that PostgreSQL's SHOW data_directory prints."), err))
        return false;
    if (opts.clients && !cli_need(opts.client_dir, "--client-dir",
                                  _("The files of each --client go into a folder of its name there."),
                                  err))
        return false;
    return check_sources(err);
}

static bool read_policies(struct policy_set *set, struct ps_err *err)
{
    if (!opts.policies)
        set->all = POLICY_ENCRYPT;
    for (char **policy = opts.policies; policy && *policy; policy++)
        if (!policy_add(set, *policy, err))
            return false;
    return true;
}

static bool read_words(struct secure_spec *spec, struct ps_err *err)
{
    const char *key_type = opts.key_type ? opts.key_type : "ec:p256";

    spec->min_protocol = "TLSv1.2";
    if (!key_type_parse(key_type, &spec->creds.key_type, err)
        || !profile_parse(opts.profile ? opts.profile : "normal", &spec->profile, err)
        || (opts.min_tls && !tls_protocol_parse(opts.min_tls, &spec->min_protocol, err))
        || (opts.max_tls && !tls_protocol_parse(opts.max_tls, &spec->max_protocol, err)))
        return false;
    if (spec->max_protocol && strcmp(spec->min_protocol, spec->max_protocol) > 0)
        return ps_fail(err, PS_E_USAGE, _("--min-tls is above --max-tls"));
    return true;
}

/* The passphrase of a root key that is to be made. */
static bool read_root_pass(struct cli_pass *pass, struct secret *out, struct ps_err *err)
{
    if (!opts.root_passphrase)
        return true;
    return opts.pass_fd >= 0
        ? cli_pass_get(pass, _("the new root key"), out, err)
        : secret_prompt(_("Passphrase for the new root key: "), true, out, err);
}

/* ---- doing it ---- */

static bool ask(void *arg, const struct doc *plan, struct ps_err *err)
{
    const struct cli_run *run = arg;

    cli_show(run, plan);
    if (!cli_confirm(_("Secure this server as shown?"), err))
        return false;
    if (isatty(STDOUT_FILENO) && !run->output)
        doc_aside_kind(doc_root(run->doc), DOC_SECTION);    /* it stands above on the same screen */
    return true;
}

/* After the deed: what was changed and what came of it; the preparations are for --verbose. */
static void tell_briefly(struct doc_node *root)
{
    static const char *const preparations[] = { "server", "profile" };
    struct doc_node *plan = doc_child(root, "plan");

    for (size_t i = 0; i < PS_COUNT(preparations); i++) {
        struct doc_node *section = doc_child(root, preparations[i]);
        if (section)
            doc_aside(section);
    }
    if (plan)
        doc_aside_kind(plan, DOC_BLOCK);
}

static bool write_report(const struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf page = BUF(BUF_TEXT_MAX);

    if (!opts.report)
        return true;
    doc_render(run->doc, DOC_HTML, &(struct doc_style){ .verbose = true }, &page);
    return file_write(opts.report, buf_text(&page), page.len, 0600, err)
        || ps_while(err, _("the server is secured, but the report could not be written"));
}

/* ---- the wire, and what must not be there when its reader is made ---- */

struct watching {
    struct secure_spec *spec;
    struct prove_watch watch;
    struct cli_pass pass;
    struct secret root_pass;
};

static void watching_free(struct watching *watching)
{
    prove_watch_free(&watching->watch);
    cli_pass_free(&watching->pass);
    secret_free(&watching->root_pass);
}

static bool watch_begin(void *arg, const struct server *server, struct ps_err *err)
{
    struct watching *watching = arg;

    /* The server is on this machine: whatever address it has, the way to it is loopback. */
    if (!opts.no_wire && !opts.no_proof && !opts.dry_run && server->running)
        prove_watch_begin(&watching->watch, "lo", server->port);
    if (!read_root_pass(&watching->pass, &watching->root_pass, err))
        return false;
    if (watching->root_pass.len)
        watching->spec->creds.ca.root_pass = &watching->root_pass;
    return true;
}

static void watch_go(void *arg)
{
    prove_watch_go(&((struct watching *)arg)->watch);
}

static void watch_end(void *arg, struct prove_result *result)
{
    struct watching *watching = arg;

    if (watching->watch.interface)
        prove_watch_end(&watching->watch, result);
}

static bool secure_verb(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(policy_set_free) struct policy_set policies = { 0 };
    PS_AUTO(watching_free) struct watching watching = { .pass.fd = opts.pass_fd };
    struct secure_spec spec = {
        .data_dir = opts.data_dir, .state_dir = opts.state_dir, .bin_dir = opts.bin_dir,
        .target = opts.target, .policies = &policies, .enforce = !opts.no_enforce,
        .clients = (const char *const *)opts.clients, .client_dir = opts.client_dir,
        .dry_run = opts.dry_run, .start = opts.start, .prove = !opts.no_proof,
        .ask = opts.yes ? NULL : ask, .ask_arg = run,
        .creds = {
            .ca_dir = opts.ca, .pass = cli_pass_get, .pass_arg = &watching.pass, .cert_path = opts.cert,
            .key_path = opts.key, .trust_path = opts.trust, .crl_path = opts.crl,
            .hosts = (const char *const *)opts.hosts,
        },
        .watch = { watch_begin, watch_go, watch_end, &watching },
    };
    bool passed = true;

    if (!check_usage(run, err) || (opts.report && !file_check_place(opts.report, err))
        || !read_policies(&policies, err) || !read_words(&spec, err))
        return false;
    watching.spec = &spec;
    spec.creds.ca = (struct ca_spec){
        .key_type = spec.creds.key_type,
        .dn = { opts.dn.c, opts.dn.st, opts.dn.l, opts.dn.o, opts.dn.ou, NULL },
    };
    run->doc = doc_new("secure", _("Securing a PostgreSQL server"));
    if (!secure_run(&spec, run->doc, &passed, err) || !write_report(run, err))
        return false;
    if (!opts.dry_run)
        tell_briefly(doc_root(run->doc));
    run->status = passed ? PS_EXIT_OK : PS_EXIT_FINDINGS;
    return true;
}

static const char *const examples[] = {
    "pgseal secure -D /var/lib/postgresql/15/main --ca /etc/pgseal/ca --host db1.example.net --dry-run",
    "pgseal secure -D /var/lib/postgresql/15/main --ca /etc/pgseal/ca --host db1.example.net "
    "--policy encrypt --policy app=cert --client app --client-dir /etc/pgseal/clients",
    "pgseal secure -D /var/lib/postgresql/15/main --ca /etc/pgseal/ca --no-enforce --yes",
    "pgseal secure -D /var/lib/postgresql/15/main --cert db1.crt --key db1.key --trust root.crt",
    NULL
};

const struct cli_cmd cmd_secure = {
    .name = "secure",
    .summary = N_("take a server to TLS that is verified, as one transaction"),
    .usage = N_("-D DATADIR --ca DIR [options]"),
    .about = N_("Makes the certificates, writes the TLS settings into one file of its own, makes "
                "pg_hba.conf insist on TLS, reloads the server, looks whether it all holds, and tries "
                "every way in from outside.  If anything fails, everything is taken back (exit status "
                "5).  A second run changes nothing.  \"pgseal rollback\" returns to the files from "
                "before."),
    .examples = examples,
    .options = options,
    .csv = false,
    .run = secure_verb,
};

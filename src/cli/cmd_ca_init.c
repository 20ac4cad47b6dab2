/* cmd_ca_init.c - pgseal ca init: make a private CA. */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/ca_verb.h"
#include "pg/conninfo.h"
#include "store/store.h"
#include "tls/keyref.h"

static struct {
    char *key_type;
    struct { char *c, *st, *l, *o, *ou; } dn;
    int no_passphrase, root_only, offline_root, shards;
    char *command, *crl_url, *store;
    char **permit_dns, **permit_ip;
    struct { char *root, *server, *client; } key_uri;
    struct ca_days days;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of the CA's keys: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default "
         "ec:p256"),
      N_("TYPE") },
    { "no-passphrase", 0, POPT_ARG_NONE, &opts.no_passphrase, 0,
      N_("leave the root key unencrypted; without it a passphrase is asked for"), NULL },
    { "key-passphrase-command", 0, POPT_ARG_STRING, &opts.command, 0,
      N_("encrypt all keys of the CA with the passphrase that this command gives, now and whenever "
         "a key is needed; %p in it is the key's file"), N_("COMMAND") },
    { "root-only", 0, POPT_ARG_NONE, &opts.root_only, 0,
      N_("make a root alone, for a machine that is kept offline"), NULL },
    { "offline-root", 0, POPT_ARG_NONE, &opts.offline_root, 0,
      N_("make the intermediates alone, with requests for a root that is kept elsewhere"), NULL },
    { "key-uri-root", 0, POPT_ARG_STRING, &opts.key_uri.root, 0,
      N_("the root's key is in a token: pkcs11:..."), N_("URI") },
    { "key-uri-server", 0, POPT_ARG_STRING, &opts.key_uri.server, 0,
      N_("the key of the intermediate for servers is in a token"), N_("URI") },
    { "key-uri-client", 0, POPT_ARG_STRING, &opts.key_uri.client, 0,
      N_("the key of the intermediate for clients is in a token"), N_("URI") },
    { "permit-dns", 0, POPT_ARG_ARGV, &opts.permit_dns, 0,
      N_("servers may have names in this domain only; repeatable"), N_("DOMAIN") },
    { "permit-ip", 0, POPT_ARG_ARGV, &opts.permit_ip, 0,
      N_("servers may have addresses in this network only; repeatable"), N_("NETWORK") },
    { "crl-shards", 0, POPT_ARG_INT, &opts.shards, 0,
      N_("partitions of each CRL, 64 for a CA that will revoke more than 10,000; cannot be changed "
         "later; default 1"), N_("COUNT") },
    { "crl-url", 0, POPT_ARG_STRING, &opts.crl_url, 0,
      N_("how the names of partitions begin; nobody fetches them"), N_("URL") },
    { "store", 0, POPT_ARG_STRING, &opts.store, 0,
      N_("keep the ledger in this PostgreSQL database, for several hosts; default: a file in the "
         "CA's folder"), N_("URI") },
    { "days-root", 0, POPT_ARG_LONG, &opts.days.root, 0,
      N_("how long the root is valid; default 3650"), N_("DAYS") },
    { "days-intermediate", 0, POPT_ARG_LONG, &opts.days.intermediate, 0,
      N_("how long the intermediates are valid; default 1825"), N_("DAYS") },
    { "days-server", 0, POPT_ARG_LONG, &opts.days.server, 0,
      N_("how long certificates of servers are valid; default 365"), N_("DAYS") },
    { "days-client", 0, POPT_ARG_LONG, &opts.days.client, 0,
      N_("how long certificates of clients are valid; default 365"), N_("DAYS") },
    { "dn-c", 0, POPT_ARG_STRING, &opts.dn.c, 0, N_("country (C) of a new CA, two letters"),
      N_("TEXT") },
    { "dn-st", 0, POPT_ARG_STRING, &opts.dn.st, 0, N_("state or province (ST) of a new CA"),
      N_("TEXT") },
    { "dn-l", 0, POPT_ARG_STRING, &opts.dn.l, 0, N_("locality (L) of a new CA"), N_("TEXT") },
    { "dn-o", 0, POPT_ARG_STRING, &opts.dn.o, 0, N_("organization (O) of a new CA"), N_("TEXT") },
    { "dn-ou", 0, POPT_ARG_STRING, &opts.dn.ou, 0, N_("organizational unit (OU) of a new CA"),
      N_("TEXT") },
    POPT_TABLEEND
};

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool exclude(bool a, bool b, const char *both, struct ps_err *err)
{
    return !a || !b || ps_fail(err, PS_E_USAGE, _("%s exclude each other"), both);
}

static bool check_usage(struct ps_err *err)
{
    const bool fd = ca_verb_has_pass_fd();

    if (opts.shards < 0)
        return ps_fail(err, PS_E_USAGE, _("a CRL cannot have %d partitions"), opts.shards);
    return exclude(opts.root_only, opts.offline_root, "--root-only, --offline-root", err)
        && exclude(opts.command, fd, "--key-passphrase-command, --passphrase-fd", err)
        && exclude(opts.command, opts.no_passphrase, "--key-passphrase-command, --no-passphrase",
                   err);
}

/* There is a root key, in a file, that nothing else encrypts. */
static bool wants_root_pass(void)
{
    return !opts.offline_root && !opts.command && !opts.key_uri.root;
}

static bool read_root_pass(struct secret *out, struct ps_err *err)
{
    if (!wants_root_pass())
        return true;
    if (opts.no_passphrase && ca_verb_has_pass_fd())
        return ps_fail(err, PS_E_USAGE, _("--no-passphrase and --passphrase-fd exclude each other"));
    if (opts.no_passphrase)
        return true;
    if (!ca_verb_has_pass_fd() && !has_terminal()) {
        ps_fail(err, PS_E_USAGE, _("there is no terminal to ask for the passphrase of the root key"));
        return ps_hint(err, _("Give --passphrase-fd FD, or --no-passphrase to leave the key "
                              "unencrypted."));
    }
    if (!ca_verb_new_pass(_("Passphrase for the new root key: "), out, err))
        return false;
    return out->len > 0 || ps_fail(err, PS_E_USAGE, _("the passphrase is empty"));
}

static void describe_requests(const struct ca *ca, struct doc_node *root)
{
    for (size_t i = 0; i < ca_authorities_len(ca); i++) {
        struct ca_authority authority = ca_authority_at(ca, i);

        if (authority.state != CA_WAITING)
            continue;
        PS_AUTO(ps_freep) char *path = ps_asprintf("%s/%s.csr", ca_dir(ca), authority.name);
        doc_str(doc_section(root, authority.who == CA_SERVER ? "server_ca" : "client_ca",
                            authority.who == CA_SERVER ? _("Intermediate for servers")
                                                       : _("Intermediate for clients")),
                "request", _("Request for the root"), path);
    }
}

static void describe(const struct ca *ca, bool encrypted, struct doc_node *root)
{
    static const struct { enum cert_use use; const char *key, *label; } both[] = {
        { CERT_USE_SERVER, "server_ca", N_("Intermediate for servers") },
        { CERT_USE_CLIENT, "client_ca", N_("Intermediate for clients") },
    };

    doc_str(root, "dir", _("Folder"), ca_dir(ca));
    doc_bool(root, "root_key_encrypted", _("Root key is encrypted"), encrypted);
    if (ca_root(ca))
        ca_verb_describe(ca_root(ca), doc_section(root, "root", _("Root")));
    for (size_t i = 0; i < PS_COUNT(both); i++)
        if (ca_intermediate(ca, both[i].use))
            ca_verb_describe(ca_intermediate(ca, both[i].use),
                             doc_section(root, both[i].key, _(both[i].label)));
    describe_requests(ca, root);
    if (opts.offline_root)
        doc_para(root, DOC_PLAIN,
                 _("Where the root is: pgseal ca sign REQUEST --kind server-ca (or client-ca) --ca ROOT "
                   "--out FILE for each request, and: pgseal ca crl --ca ROOT --out root.crl.  Then here: "
                   "pgseal ca import FILE... root.crl --ca %s"), ca_dir(ca));
    if (opts.offline_root || opts.root_only)
        return;
    doc_para(root, DOC_PLAIN, _("Keep a copy of the root key where no network reaches; without it "
                                "everything but a new root CRL or intermediate still works."));
}

/* "password=..." in the keyword form, "//user:password@" in a URI. */
static bool has_password(const char *store)
{
    PS_AUTO(buf_free) struct buf value = BUF(BUF_TEXT_MAX);
    const char *host = strstr(store, "://"), *at = host ? strchr(host, '@') : NULL;

    if (!host)
        return conninfo_get(store, "password", &value);
    return strstr(store, "password=") || (at && memchr(host + 3, ':', (size_t)(at - host - 3)));
}

static bool check_store(struct ps_err *err)
{
    if (opts.store && store_is_remote(opts.store) && has_password(opts.store))
        log_warn(_("the password of --store is kept in ca.conf, and others can see it in the list of "
                   "processes: better passfile=FILE or ~/.pgpass"));
    if (!opts.store || store_is_remote(opts.store))
        return true;
    ps_fail(err, PS_E_USAGE, _("\"%s\" is not the address of a PostgreSQL database"), opts.store);
    return ps_hint(err, _("Write postgresql://HOST/DATABASE; the password belongs into ~/.pgpass, for "
                          "the address is kept in ca.conf."));
}

static void fill_spec(struct ca_spec *out)
{
    *out = (struct ca_spec){
        .dn = { opts.dn.c, opts.dn.st, opts.dn.l, opts.dn.o, opts.dn.ou, NULL },
        .shape = opts.root_only ? CA_SHAPE_ROOT : opts.offline_root ? CA_SHAPE_OFFLINE_ROOT
                                                                    : CA_SHAPE_WHOLE,
        .days = opts.days, .pass_command = opts.command, .store = opts.store,
        .key_uri = { opts.key_uri.root, opts.key_uri.server, opts.key_uri.client },
        .permit_dns = (const char *const *)opts.permit_dns,
        .permit_ip = (const char *const *)opts.permit_ip,
        .crl_shards = (unsigned)opts.shards, .crl_url = opts.crl_url,
    };
}

static bool init_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret root_pass = { 0 };
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct ca_spec spec;
    const char *dir;

    fill_spec(&spec);
    if (!cli_no_args(run, err) || !ca_verb_dir(&dir, err) || !check_usage(err) || !check_store(err)
        || !ca_verb_key_type(opts.key_type, &spec.key_type, err) || !read_root_pass(&root_pass, err))
        return false;
    if (opts.command && !secret_from_command(opts.command, dir, &pass, err))
        return false;
    spec.pass = opts.command ? &pass : NULL;
    spec.root_pass = opts.command ? &pass : root_pass.len ? &root_pass : NULL;
    if (!ca_create(dir, &spec, &ca, err))
        return false;
    run->doc = doc_new("ca_init", _("A new private CA"));
    describe(ca, spec.root_pass && !opts.offline_root, doc_root(run->doc));
    return true;
}

static const char *const examples[] = {
    "pgseal ca init --ca /etc/pgseal/ca --dn-o Example --dn-c ES",
    "pgseal ca init --ca /etc/pgseal/ca --key-type rsa:3072 --no-passphrase",
    "pgseal ca init --ca /etc/pgseal/ca --offline-root --crl-shards 64",
    NULL
};

const struct cli_cmd cmd_ca_init = {
    .name = "ca init",
    .summary = N_("make a CA: a root, and an intermediate each for servers and for clients"),
    .usage = N_("--ca DIR [options]"),
    .about = N_("Servers and clients get an intermediate each, kept apart by what their certificates "
                "are good for: under one issuer, a server's certificate with the right name could log "
                "in as a role.  Everyday work needs only the intermediates' keys."),
    .examples = examples,
    .options = options,
    .run = init_run,
};

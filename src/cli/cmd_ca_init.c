/* cmd_ca_init.c - pgseal ca init: make a private CA. */
#include <fcntl.h>
#include <unistd.h>

#include "cli/ca_verb.h"
#include "store/store.h"

static struct {
    char *key_type, *store;
    struct { char *c, *st, *l, *o, *ou; } dn;
    int no_passphrase;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of the CA's keys: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default ec:p256"),
      N_("TYPE") },
    { "no-passphrase", 0, POPT_ARG_NONE, &opts.no_passphrase, 0,
      N_("leave the root key unencrypted; without it a passphrase is asked for"), NULL },
    { "store", 0, POPT_ARG_STRING, &opts.store, 0,
      N_("keep the ledger in this PostgreSQL database, for several hosts; default: a file in the "
         "CA's folder"), N_("URI") },
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

static bool read_root_pass(struct secret *out, struct ps_err *err)
{
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

static void describe(const struct ca *ca, bool encrypted, struct doc_node *root)
{
    static const struct { enum cert_use use; const char *key, *label; } both[] = {
        { CERT_USE_SERVER, "server_ca", N_("Intermediate for servers") },
        { CERT_USE_CLIENT, "client_ca", N_("Intermediate for clients") },
    };

    doc_str(root, "dir", _("Folder"), ca_dir(ca));
    doc_bool(root, "root_key_encrypted", _("Root key is encrypted"), encrypted);
    ca_verb_describe(ca_root(ca), doc_section(root, "root", _("Root")));
    for (size_t i = 0; i < PS_COUNT(both); i++)
        ca_verb_describe(ca_intermediate(ca, both[i].use),
                         doc_section(root, both[i].key, _(both[i].label)));
    doc_para(root, DOC_PLAIN, _("Keep a copy of the root key where no network reaches; without it "
                                "everything but a new root CRL or intermediate still works."));
}

static bool check_store(struct ps_err *err)
{
    if (!opts.store || store_is_remote(opts.store))
        return true;
    ps_fail(err, PS_E_USAGE, _("\"%s\" is not the address of a PostgreSQL database"), opts.store);
    return ps_hint(err, _("Write postgresql://HOST/DATABASE; the password belongs into ~/.pgpass, for "
                          "the address is kept in ca.conf."));
}

static bool init_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(secret_free) struct secret root_pass = { 0 };
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct ca_spec spec = {
        .dn = { opts.dn.c, opts.dn.st, opts.dn.l, opts.dn.o, opts.dn.ou, NULL },
        .store = opts.store,
    };
    const char *dir;

    if (!cli_no_args(run, err) || !ca_verb_dir(&dir, err) || !check_store(err)
        || !ca_verb_key_type(opts.key_type, &spec.key_type, err) || !read_root_pass(&root_pass, err))
        return false;
    spec.root_pass = root_pass.len ? &root_pass : NULL;
    if (!ca_create(dir, &spec, &ca, err))
        return false;
    run->doc = doc_new("ca_init", _("A new private CA"));
    describe(ca, root_pass.len > 0, doc_root(run->doc));
    return true;
}

static const char *const examples[] = {
    "pgseal ca init --ca /etc/pgseal/ca --dn-o Example --dn-c ES",
    "pgseal ca init --ca /etc/pgseal/ca --key-type rsa:3072 --no-passphrase",
    NULL
};

const struct cli_cmd cmd_ca_init = {
    .name = "ca init",
    .summary = N_("make a CA: a root, and an intermediate each for servers and for clients"),
    .usage = "--ca DIR [options]",
    .about = N_("Servers and clients get an intermediate each, kept apart by what their certificates "
                "are good for: under one issuer, a server's certificate with the right name could log "
                "in as a role.  Everyday work needs only the intermediates' keys."),
    .examples = examples,
    .options = options,
    .run = init_run,
};

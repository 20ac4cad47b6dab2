/* cmd_ca_renew.c - pgseal ca renew and ca rekey: the next certificate for the same holder. */
#include "base/file.h"
#include "base/mem.h"
#include "ca/export.h"
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"

static struct {
    char *out, *key_type;
    long days;
    int key_pass_fd, revoke;
} opts = { .key_pass_fd = -1 };

/* ---- the next one ---- */

struct next {
    struct ca_leaf_spec spec;
    const char **hosts;             /* of a server, NULL at the end */
};

static void next_free(struct next *next)
{
    free(next->hosts);
}

/* As the old one was: for the same names, in the same words. */
static bool plan(const struct ca_picked *old, struct next *next, struct ps_err *err)
{
    const struct cert_info *info = cert_info(old->cert);
    const char *const *const lists[] = { info->dns, info->ip };
    size_t len = 0, cap = 0;

    if (strcmp(old->kind, "client") != 0 && strcmp(old->kind, "server") != 0)
        return ps_fail(err, PS_E_VALUE, _("only certificates of clients and servers can be renewed, "
                                          "and this one is of kind \"%s\""), old->kind);
    next->spec = (struct ca_leaf_spec){
        .use = strcmp(old->kind, "server") == 0 ? CERT_USE_SERVER : CERT_USE_CLIENT,
        .common_name = *info->common_name ? info->common_name : NULL,
        .dn = &info->dn, .days = opts.days,
    };
    for (size_t i = 0; i < PS_COUNT(lists); i++)
        for (const char *const *name = lists[i]; *name; name++)
            PS_PUSH(next->hosts, len, cap) = *name;
    PS_PUSH(next->hosts, len, cap) = NULL;
    if (next->spec.use == CERT_USE_SERVER)
        next->spec.hosts = next->hosts;
    return true;
}

static bool check_old(const struct ca_picked *old, struct ps_err *err)
{
    if (old->state != STORE_REVOKED)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the certificate is revoked: its key is not to be used again"));
    return ps_hint(err, _("Make a new key: \"pgseal ca rekey\"."));
}

static void describe(const struct ca_picked *old, const struct ca_leaf *leaf, struct doc_node *root)
{
    ca_verb_describe_leaf(leaf, root);
    doc_str(root, "replaces_serial", _("Replaces"), cert_info(old->cert)->serial_hex);
}

/* ---- ca renew ---- */

static const struct poptOption renew_options[] = {
    CA_VERB_OPTIONS,
    CA_PICK_OPTIONS,
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("write the certificate and its chain into this file"), N_("FILE") },
    { "days", 0, POPT_ARG_LONG, &opts.days, 0,
      N_("how long it is valid; never longer than its issuer; default 365"), N_("DAYS") },
    POPT_TABLEEND
};

static bool write_chain(const struct cert_list *chain, const char *path, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(FILE_CONF_MAX);

    return export_chain_pem(chain, &pem, err) && file_write(path, buf_text(&pem), pem.len, 0644, err);
}

static bool renew(struct ca *ca, struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(ca_picked_free) struct ca_picked old = { 0 };
    PS_AUTO(next_free) struct next next = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!ca_pick(ca, &old, err) || !check_old(&old, err) || !plan(&old, &next, err)
        || !cert_public_key(old.cert, &key, err))
        return false;
    next.spec.public_of = key;
    if (!ca_issue(ca, &next.spec, &leaf, err) || !write_chain(&leaf.chain, opts.out, err))
        return false;
    doc_str(root, "file", _("File"), opts.out);
    describe(&old, &leaf, root);
    return true;
}

static bool renew_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!cli_no_args(run, err) || !ca_pick_check(err) || !ca_verb_need(opts.out, "--out", err)
        || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_renew", _("A certificate was renewed"));
    return renew(ca, doc_root(run->doc), err);
}

static const char *const renew_examples[] = {
    "pgseal ca renew --ca /etc/pgseal/ca --role app --out app/postgresql.crt",
    NULL
};

const struct cli_cmd cmd_ca_renew = {
    .name = "ca renew",
    .summary = N_("issue the next certificate for the same key and the same names"),
    .usage = N_("--ca DIR (--serial HEX | --role ROLE | --host NAME | --cert FILE) --out FILE"),
    .about = N_("The private key stays where it is: the new certificate goes beside it.  The old "
                "certificate stays good until it ends.  For a server that runs, see \"pgseal "
                "rotate\"."),
    .examples = renew_examples,
    .options = renew_options,
    .run = renew_run,
};

/* ---- ca rekey ---- */

static const struct poptOption rekey_options[] = {
    CA_VERB_OPTIONS,
    CA_PICK_OPTIONS,
    { "out", 0, POPT_ARG_STRING, &opts.out, 0,
      N_("folder for the files; those of the old certificate in it are replaced"), N_("DIR") },
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default ec:p256"),
      N_("TYPE") },
    { "days", 0, POPT_ARG_LONG, &opts.days, 0,
      N_("how long it is valid; never longer than its issuer; default 365"), N_("DAYS") },
    { "key-passphrase-fd", 0, POPT_ARG_INT, &opts.key_pass_fd, 0,
      N_("encrypt the new key with the passphrase that this descriptor gives"), N_("FD") },
    { "revoke", 0, POPT_ARG_NONE, &opts.revoke, 0,
      N_("revoke the old certificate once the new one is written"), NULL },
    POPT_TABLEEND
};

static bool revoke_old(struct ca *ca, const struct ca_picked *old, struct ps_err *err)
{
    enum { SUPERSEDED = 4 };        /* RFC 5280 5.3.1 */

    return !opts.revoke
        || (ca_revoke(ca, old->cert, SUPERSEDED, err) && ca_refresh_crls(ca, false, err));
}

static bool rekey(struct ca *ca, const struct secret *key_pass, struct doc_node *root,
                  struct ps_err *err)
{
    PS_AUTO(ca_picked_free) struct ca_picked old = { 0 };
    PS_AUTO(next_free) struct next next = { 0 };
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!ca_pick(ca, &old, err) || !plan(&old, &next, err)
        || !ca_verb_key_type(opts.key_type, &next.spec.key_type, err)
        || !ca_refresh_crls(ca, false, err) || !ca_issue(ca, &next.spec, &leaf, err)
        || !export_leaf(ca, &leaf, next.spec.use, opts.out, key_pass, err)
        || !revoke_old(ca, &old, err))
        return false;
    doc_str(root, "dir", _("Folder"), opts.out);
    describe(&old, &leaf, root);
    return true;
}

static bool rekey_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(secret_free) struct secret key_pass = { 0 };

    if (!cli_no_args(run, err) || !ca_pick_check(err) || !ca_verb_need(opts.out, "--out", err)
        || !ca_verb_open(&ca, err)
        || (opts.key_pass_fd >= 0 && !secret_read_fd(opts.key_pass_fd, &key_pass, err)))
        return false;
    run->doc = doc_new("ca_rekey", _("A new key and certificate"));
    return rekey(ca, opts.key_pass_fd >= 0 ? &key_pass : NULL, doc_root(run->doc), err);
}

static const char *const rekey_examples[] = {
    "pgseal ca rekey --ca /etc/pgseal/ca --role app --out app --revoke",
    NULL
};

const struct cli_cmd cmd_ca_rekey = {
    .name = "ca rekey",
    .summary = N_("issue the next certificate for the same names, with a new key"),
    .usage = N_("--ca DIR (--serial HEX | --role ROLE | --host NAME | --cert FILE) --out DIR"),
    .about = N_("The files are those of \"pgseal ca issue\".  A reader between the moments in which key "
                "and certificate are replaced sees a pair that does not fit, and tries again."),
    .examples = rekey_examples,
    .options = rekey_options,
    .run = rekey_run,
};

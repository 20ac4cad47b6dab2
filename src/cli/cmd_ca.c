/* cmd_ca.c - pgseal ca: the group of its verbs, and what they share; see ca_verb.h. */
#include "base/mem.h"
#include "cli/ca_verb.h"

static struct {
    char *dir;
    int pass_fd;
} opts = { .pass_fd = -1 };

/* What the descriptor gave serves every key of the run; wiped when the program ends. */
static struct cli_pass pass = { .fd = -1 };

const struct poptOption ca_verb_options[] = {
    { "ca", 0, POPT_ARG_STRING, &opts.dir, 0, N_("folder of the CA"), N_("DIR") },
    { "passphrase-fd", 0, POPT_ARG_INT, &opts.pass_fd, 0,
      N_("read the passphrase of the CA's keys from this descriptor"), N_("FD") },
    POPT_TABLEEND
};

bool ca_verb_need(const char *value, const char *option, struct ps_err *err)
{
    return value || ps_fail(err, PS_E_USAGE, _("option %s is missing"), option);
}

bool ca_verb_dir(const char **dir, struct ps_err *err)
{
    if (!ca_verb_need(opts.dir, "--ca", err))
        return false;
    *dir = opts.dir;
    return true;
}

bool ca_verb_given(void)
{
    return opts.dir != NULL;
}

bool ca_verb_has_pass_fd(void)
{
    return opts.pass_fd >= 0;
}

bool ca_verb_open(struct ca **out, struct ps_err *err)
{
    const char *dir;

    pass.fd = opts.pass_fd;
    return ca_verb_dir(&dir, err) && ca_open(dir, cli_pass_get, &pass, out, err);
}

bool ca_verb_new_pass(const char *question, struct secret *out, struct ps_err *err)
{
    pass.fd = opts.pass_fd;
    return pass.fd >= 0 ? cli_pass_get(&pass, "", out, err)
                        : secret_prompt(question, true, out, err);
}

bool ca_verb_key_type(const char *word, enum key_type *out, struct ps_err *err)
{
    return key_type_parse(word ? word : "ec:p256", out, err);
}

bool ca_verb_side(const char *word, enum cert_use *out, struct ps_err *err)
{
    bool client = word && strcmp(word, "client") == 0;

    if (word && !client && strcmp(word, "server") != 0) {
        ps_fail(err, PS_E_USAGE, _("unknown side \"%s\""), word);
        return ps_hint(err, _("It is \"server\" or \"client\"."));
    }
    *out = client ? CERT_USE_CLIENT : CERT_USE_SERVER;
    return true;
}

/* ---- showing a certificate ---- */

static void put_names(const struct cert_info *info, struct doc_node *section)
{
    PS_AUTO(buf_free) struct buf names = BUF(BUF_TEXT_MAX);

    for (const char *const *dns = info->dns; *dns; dns++)
        buf_printf(&names, "%s%s", names.len ? ", " : "", *dns);
    for (const char *const *ip = info->ip; *ip; ip++)
        buf_printf(&names, "%s%s", names.len ? ", " : "", *ip);
    if (names.len)
        doc_str(section, "hosts", _("Hosts"), buf_text(&names));
}

void ca_verb_describe(const struct cert *cert, struct doc_node *section)
{
    const struct cert_info *info = cert_info(cert);

    doc_str(section, "subject", _("Subject"), info->subject);
    doc_str(section, "common_name", _("Common name"), *info->common_name ? info->common_name : NULL);
    put_names(info, section);
    doc_str(section, "issuer", _("Issuer"), info->issuer);
    doc_str(section, "serial", _("Serial number"), info->serial_hex);
    doc_str(section, "key", _("Key"), info->key_text);
    doc_time(section, "not_before", _("Valid from"), info->not_before);
    doc_time(section, "not_after", _("Valid until"), info->not_after);
    doc_str(section, "fingerprint_sha256", _("SHA-256 fingerprint"), info->fingerprint);
}

void ca_verb_describe_leaf(const struct ca_leaf *leaf, struct doc_node *section)
{
    ca_verb_describe(leaf->chain.at[0], section);
    doc_bool(section, "ends_with_issuer", _("Ends with its issuer"), leaf->cut);
    if (leaf->cut)
        doc_para(section, DOC_WARN, _("Its issuer ends before the time that was asked for, and with it the "
                                      "certificate.  Replace the issuer in time: pgseal ca rollover."));
    else
        doc_aside(doc_child(section, "ends_with_issuer"));
}

/* ---- the group ---- */

static const struct cli_cmd *const verbs[] = {
    &cmd_ca_init,
    &cmd_ca_issue,
    &cmd_ca_sign,
    &cmd_ca_csr,
    &cmd_ca_import,
    &cmd_ca_renew,
    &cmd_ca_rekey,
    &cmd_ca_revoke,
    &cmd_ca_release,
    &cmd_ca_crl,
    &cmd_ca_list,
    &cmd_ca_show,
    &cmd_ca_expiring,
    &cmd_ca_export,
    &cmd_ca_rollover,
    &cmd_ca_activate,
    &cmd_ca_dependents,
    &cmd_ca_retire,
    &cmd_ca_verify,
    &cmd_ca_log,
    &cmd_ca_backup,
    &cmd_ca_restore,
    NULL
};

const struct cli_cmd cmd_ca = {
    .name = "ca",
    .summary = N_("run the private CA: issue, revoke, list, export, and more"),
    .usage = N_("VERB --ca DIR [options]"),
    .about = N_("The CA lives in a folder: a root, an intermediate for servers and one for clients, "
                "their revocation lists, and a ledger with every certificate that was ever issued.  "
                "Any number of processes may work on it at once."),
    .verbs = verbs,
};

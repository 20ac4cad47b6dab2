/* cmd_ca_rollover.c - pgseal ca rollover, activate, dependents, retire: one authority after another. */
#include "base/mem.h"
#include "cli/ca_verb.h"

static struct {
    char *key_type, *key_uri;
    int no_passphrase, at_once;
} opts;

/* ---- showing ---- */

static const char *const states[] = {             /* of an authority */
    [CA_WAITING] = N_("waiting"), [CA_NEXT] = N_("next"), [CA_ACTIVE] = N_("active"),
    [CA_OLD] = N_("old"), [CA_RETIRED] = N_("retired"),
};

static bool put_authority(struct ca *ca, const struct ca_authority *authority,
                          struct doc_node *table, struct ps_err *err)
{
    int64_t count = 0;
    struct doc_node *row;

    if (authority->cert && !ca_dependents(ca, authority->name, &count, err))
        return false;
    row = doc_row(table);
    doc_str(row, "name", _("Authority"), authority->name);
    doc_verdict(row, "state", _("State"), DOC_PLAIN, ca_state_name(authority->state),
                _(states[authority->state]));
    doc_int(row, "dependents", _("Certificates that hang on it"), count);
    doc_bool(row, "revoked", _("Revoked"), authority->revoked);
    doc_bool(row, "key_here", _("Key here"), authority->key_here);
    doc_aside(doc_str(row, "made_on", _("Made on"), authority->host));
    if (authority->cert)
        doc_time(row, "not_after", _("Valid until"), cert_info(authority->cert)->not_after);
    else
        doc_str(row, "not_after", _("Valid until"), NULL);
    return true;
}

static bool put_authorities(struct ca *ca, struct doc_node *root, struct ps_err *err)
{
    struct doc_node *table = doc_table(root, "authorities", _("Authorities"), NULL);

    for (size_t i = 0; i < ca_authorities_len(ca); i++) {
        const struct ca_authority authority = ca_authority_at(ca, i);

        if (!put_authority(ca, &authority, table, err))
            return false;
    }
    return true;
}

/* The one argument of these verbs. */
static bool read_name(const struct cli_run *run, const char **name, struct ps_err *err)
{
    if (!run->args || !run->args[0])
        return ps_fail(err, PS_E_USAGE, _("no authority was given"));
    if (run->args[1])
        return ps_fail(err, PS_E_USAGE, _("unexpected argument \"%s\""), run->args[1]);
    *name = run->args[0];
    return true;
}

/* ---- ca rollover ---- */

static const struct poptOption rollover_options[] = {
    CA_VERB_OPTIONS,
    { "key-type", 0, POPT_ARG_STRING, &opts.key_type, 0,
      N_("of a new key: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096 or ed25519; default ec:p256"),
      N_("TYPE") },
    { "key-uri", 0, POPT_ARG_STRING, &opts.key_uri, 0,
      N_("take a key that exists behind a provider, such as pkcs11:..."), N_("URI") },
    { "at-once", 0, POPT_ARG_NONE, &opts.at_once, 0,
      N_("let it sign now, before anybody trusts it: for a key that was stolen"), NULL },
    POPT_TABLEEND
};

static bool read_who(const char *word, enum ca_who *out, struct ps_err *err)
{
    static const char *const words[CA_WHO_LEN] = {
        [CA_ROOT] = "root", [CA_SERVER] = "server-ca", [CA_CLIENT] = "client-ca",
    };

    for (int who = 0; who < CA_WHO_LEN; who++) {
        if (strcmp(word, words[who]) == 0) {
            *out = (enum ca_who)who;
            return true;
        }
    }
    ps_fail(err, PS_E_USAGE, _("unknown authority \"%s\""), word);
    return ps_hint(err, _("Known are: %s."), "root, server-ca, client-ca");
}

static bool rollover_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(ps_freep) char *made = NULL;
    struct ca_rollover_spec spec = { .key_uri = opts.key_uri, .at_once = opts.at_once };
    struct ca_authority authority;
    const char *name;

    if (!read_name(run, &name, err) || !read_who(name, &spec.who, err)
        || !ca_verb_key_type(opts.key_type, &spec.key_type, err) || !ca_verb_open(&ca, err)
        || !ca_rollover(ca, &spec, &made, err))
        return false;
    run->doc = doc_new("ca_rollover", _("A new authority beside the old one"));
    doc_str(doc_root(run->doc), "name", _("Authority"), made);
    if (!put_authorities(ca, doc_root(run->doc), err))
        return false;
    if (!ca_authority_find(ca, made, &authority, err))
        return false;
    if (authority.state == CA_WAITING)
        doc_para(doc_root(run->doc), DOC_PLAIN,
                 _("Its root is kept elsewhere.  Let it sign the request \"%s/%s.csr\" as %s, and bring "
                   "the certificate here: pgseal ca import"), ca_dir(ca), made, name);
    else if (!opts.at_once)
        doc_para(doc_root(run->doc), DOC_PLAIN,
                 _("It does not sign yet.  Give every server and client the new bundles and "
                   "revocation lists (\"pgseal ca export\"), then run: pgseal ca activate %s"), made);
    return true;
}

static const char *const rollover_examples[] = {
    "pgseal ca rollover client-ca --ca /etc/pgseal/ca",
    NULL
};

const struct cli_cmd cmd_ca_rollover = {
    .name = "ca rollover",
    .summary = N_("make the successor of the root or of an intermediate"),
    .usage = N_("(root | server-ca | client-ca) --ca DIR [options]"),
    .about = N_("The steps: \"rollover\" makes the successor, which is trusted and not used; "
                "\"activate\" lets it sign once everybody has the new bundles; \"dependents\" counts who "
                "still hangs on the old one; \"retire\" takes the old one out of all bundles."),
    .examples = rollover_examples,
    .options = rollover_options,
    .run = rollover_run,
};

/* ---- the other three ---- */

static const struct poptOption plain_options[] = {
    CA_VERB_OPTIONS,
    POPT_TABLEEND
};

typedef bool (*step_fn)(struct ca *ca, const char *name, struct ps_err *err);

static bool run_step(struct cli_run *run, const char *verb, const char *title, step_fn step,
                     struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    const char *name;

    if (!read_name(run, &name, err) || !ca_verb_open(&ca, err) || !step(ca, name, err))
        return false;
    run->doc = doc_new(verb, title);
    return put_authorities(ca, doc_root(run->doc), err);
}

static bool activate_run(struct cli_run *run, struct ps_err *err)
{
    return run_step(run, "ca_activate", _("A new authority signs"), ca_activate, err);
}

static bool retire_run(struct cli_run *run, struct ps_err *err)
{
    return run_step(run, "ca_retire", _("An old authority is retired"), ca_retire, err);
}

static bool dependents_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;

    if (!cli_no_args(run, err) || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_dependents", _("Who hangs on which authority"));
    return put_authorities(ca, doc_root(run->doc), err);
}

static const char *const activate_examples[] = {
    "pgseal ca activate client-ca-2 --ca /etc/pgseal/ca",
    NULL
};

const struct cli_cmd cmd_ca_activate = {
    .name = "ca activate",
    .summary = N_("let the successor of an authority sign from now on"),
    .usage = N_("NAME --ca DIR"),
    .about = N_("The authority before it becomes old: it is still trusted and still revokes, and signs "
                "no more."),
    .examples = activate_examples,
    .options = plain_options,
    .csv = true,
    .run = activate_run,
};

static const char *const dependents_examples[] = {
    "pgseal ca dependents --ca /etc/pgseal/ca",
    NULL
};

const struct cli_cmd cmd_ca_dependents = {
    .name = "ca dependents",
    .summary = N_("show the authorities and how many certificates hang on each"),
    .usage = N_("--ca DIR"),
    .about = N_("Counted are certificates that are neither expired nor revoked; \"pgseal ca list "
                "--authority NAME\" names them."),
    .examples = dependents_examples,
    .options = plain_options,
    .csv = true,
    .run = dependents_run,
};

static const char *const retire_examples[] = {
    "pgseal ca retire client-ca --ca /etc/pgseal/ca",
    NULL
};

const struct cli_cmd cmd_ca_retire = {
    .name = "ca retire",
    .summary = N_("take an old authority out of bundles and revocation lists"),
    .usage = N_("NAME --ca DIR"),
    .about = N_("Refused while a certificate that is good hangs on it."),
    .examples = retire_examples,
    .options = plain_options,
    .csv = true,
    .run = retire_run,
};

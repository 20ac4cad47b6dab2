/* cmd_ca_revoke.c - pgseal ca revoke: take certificates back, or a whole intermediate. */
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"
#include "cli/revoke_server.h"

static struct {
    char *reason, *authority;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    CA_PICK_OPTIONS,
    { "authority", 0, POPT_ARG_STRING, &opts.authority, 0,
      N_("a whole intermediate and all that it issued, by its name: client-ca, server-ca-2"),
      N_("NAME") },
    { "reason", 0, POPT_ARG_STRING, &opts.reason, 0,
      N_("unspecified, keyCompromise, CACompromise, affiliationChanged, superseded, "
         "cessationOfOperation, privilegeWithdrawn, or certificateHold, which \"pgseal ca release\" "
         "takes back; default unspecified"), N_("REASON") },
    REVOKE_SERVER_OPTIONS,
    POPT_TABLEEND
};

/* What one run of the verb does. */
struct act {
    struct ca *ca;
    int reason;
    struct doc_node *root;
    struct cert_list revoked;       /* what a server is asked about afterwards */
};

static bool keep(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    struct act *act = arg;
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!cert_from_der(entry->cert.der, entry->cert.der_len, &cert, err))
        return false;
    cert_list_add(&act->revoked, cert);
    return true;
}

static bool keep_all(struct act *act, enum store_state state, struct ps_err *err)
{
    const struct store_filter filter = {
        .kind = "client", .common_name = ca_pick_role(), .state = state, .with_der = true,
    };

    return store_list(ca_store(act->ca), &filter, keep, act, err);
}

/* All that are good of the role: he is not to come in by another one, nor by one that is released. */
static bool revoke_role(struct act *act, struct ps_err *err)
{
    size_t count;

    if (!keep_all(act, STORE_VALID, err)
        || (act->reason != STORE_HOLD && !keep_all(act, STORE_HELD, err))
        || !ca_revoke_role(act->ca, ca_pick_role(), act->reason, &count, err))
        return false;
    if (count == 0)
        return ps_fail(err, PS_E_NOT_FOUND, _("role \"%s\" has no certificate that is good"),
                       ca_pick_role());
    doc_str(act->root, "role", _("Role"), ca_pick_role());
    doc_int(act->root, "revoked", _("Revoked"), (int64_t)count);
    return true;
}

/* A restore may have lost the row of a certificate; the file is proof enough that there is one. */
static bool find_lost(struct ca *ca, struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    return !ca_pick_cert()
        || (ca_pick_read_file(ca_pick_cert(), &cert, err) && ca_record_lost(ca, cert, err));
}

static bool revoke_one(struct act *act, struct ps_err *err)
{
    PS_AUTO(ca_picked_free) struct ca_picked picked = { 0 };

    if (!find_lost(act->ca, err) || !ca_pick(act->ca, &picked, err))
        return false;
    if (cert_info(picked.cert)->is_ca) {
        ps_fail(err, PS_E_UNSAFE, _("this certificate is an authority of the CA"));
        return ps_hint(err, _("To revoke it and all that it issued, say --authority NAME."));
    }
    if (!ca_revoke(act->ca, picked.cert, act->reason, err))
        return false;
    cert_list_add(&act->revoked, picked.cert);
    doc_int(act->root, "revoked", _("Revoked"), 1);
    doc_bool(act->root, "already_revoked", _("Was revoked already"),
             picked.state == STORE_REVOKED && picked.reason != STORE_HOLD);
    ca_verb_describe(picked.cert, act->root);
    return true;
}

static bool revoke_authority(struct act *act, struct ps_err *err)
{
    int64_t lost;

    if (!ca_dependents(act->ca, opts.authority, &lost, err)
        || !ca_revoke_authority(act->ca, opts.authority, act->reason, err))
        return false;
    doc_str(act->root, "authority", _("Authority"), opts.authority);
    doc_int(act->root, "revoked", _("Revoked"), 1);
    doc_int(act->root, "dependents", _("Certificates that fall with it"), lost);
    return true;
}

static bool revoke(struct act *act, struct ps_err *err)
{
    if (!(opts.authority ? revoke_authority(act, err)
          : ca_pick_role() ? revoke_role(act, err) : revoke_one(act, err)))
        return false;
    doc_str(act->root, "reason", _("Reason"), ca_reason_word(act->reason));
    if (!ca_refresh_crls(act->ca, false, err))
        return ps_while(err,
                        _("it is revoked, but the new revocation lists could not be written"));
    return revoke_server(act->ca, &act->revoked, act->root, err);
}

static void act_free(struct act *act)
{
    cert_list_free(&act->revoked);
}

/* What a server is to do about an authority is a rotation, of its certificate or of its lists. */
static bool check_authority(struct ps_err *err)
{
    if (!opts.authority || !revoke_server_given())
        return true;
    ps_fail(err, PS_E_USAGE, _("--authority cannot be combined with -D"));
    return ps_hint(err, _("Run pgseal rotate --all-due -D DATADIR on each server afterwards."));
}

static bool revoke_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(act_free) struct act act = { 0 };

    if (!cli_no_args(run, err) || !revoke_server_check(err) || !check_authority(err)
        || (!opts.authority && !ca_pick_check(err))
        || (opts.reason && !ca_reason_parse(opts.reason, &act.reason, err))
        || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_revoke", _("Revoked"));
    act.ca = ca;
    act.root = doc_root(run->doc);
    return revoke(&act, err);
}

static const char *const examples[] = {
    "pgseal ca revoke --ca /etc/pgseal/ca --role app --reason keyCompromise",
    "pgseal ca revoke --ca /etc/pgseal/ca --serial 4e5a575094a1e79e8a601b2e19b2b711",
    "pgseal ca revoke --ca /etc/pgseal/ca --authority client-ca --reason CACompromise",
    "pgseal ca revoke --ca /etc/pgseal/ca --role app -D /var/lib/postgresql/15/main --terminate",
    NULL
};

const struct cli_cmd cmd_ca_revoke = {
    .name = "ca revoke",
    .summary = N_("revoke the certificates of a role, one certificate, or an intermediate"),
    .usage = N_("--ca DIR (--role ROLE | --serial HEX | --host NAME | --cert FILE | --authority NAME)"),
    .about = N_("Of a role all certificates that are good are revoked.  The CA's new revocation lists "
                "are written at once; servers refuse the certificate when they have them: see "
                "\"pgseal ca crl\".  With -D they are brought into a server, which is shown to refuse "
                "it, and the sessions that are open with it are listed: revocation does not end them, "
                "--terminate does.  A revocation is never taken back, unless it is a hold: see "
                "\"pgseal ca release\"."),
    .examples = examples,
    .options = options,
    .run = revoke_run,
};

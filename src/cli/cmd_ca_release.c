/* cmd_ca_release.c - pgseal ca release: end the hold of certificates. */
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    CA_PICK_OPTIONS,
    POPT_TABLEEND
};

static bool release_role(struct ca *ca, struct doc_node *root, struct ps_err *err)
{
    size_t count;

    if (!ca_release_role(ca, ca_pick_role(), &count, err))
        return false;
    if (count == 0)
        return ps_fail(err, PS_E_NOT_FOUND, _("role \"%s\" has no certificate on hold"),
                       ca_pick_role());
    doc_str(root, "role", _("Role"), ca_pick_role());
    doc_int(root, "released", _("Released"), (int64_t)count);
    return true;
}

static bool release_one(struct ca *ca, struct doc_node *root, struct ps_err *err)
{
    PS_AUTO(ca_picked_free) struct ca_picked picked = { 0 };

    if (!ca_pick_held(ca, &picked, err) || !ca_release(ca, picked.cert, err))
        return false;
    doc_int(root, "released", _("Released"), 1);
    ca_verb_describe(picked.cert, root);
    return true;
}

static bool release_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct doc_node *root;

    if (!cli_no_args(run, err) || !ca_pick_check(err) || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_release", _("Released"));
    root = doc_root(run->doc);
    if (!(ca_pick_role() ? release_role(ca, root, err) : release_one(ca, root, err)))
        return false;
    if (!ca_refresh_crls(ca, false, err))
        return ps_while(err,
                        _("it is released, but the new revocation lists could not be written"));
    doc_para(root, DOC_PLAIN, _("Servers take it again when they have the new revocation lists: see "
                                "\"pgseal ca crl\" and \"pgseal rotate\"."));
    return true;
}

static const char *const examples[] = {
    "pgseal ca revoke --ca /etc/pgseal/ca --role app --reason certificateHold",
    "pgseal ca release --ca /etc/pgseal/ca --role app",
    NULL
};

const struct cli_cmd cmd_ca_release = {
    .name = "ca release",
    .summary = N_("take back a hold: certificates that were suspended are good again"),
    .usage = N_("--ca DIR (--role ROLE | --serial HEX | --host NAME | --cert FILE)"),
    .about = N_("Of a role all certificates that are on hold are released.  What was revoked for another "
                "reason stays so.  A released certificate leaves the revocation lists with the next "
                "ones, which are written at once."),
    .examples = examples,
    .options = options,
    .run = release_run,
};

/* cmd_ca_show.c - pgseal ca show: one certificate, all that is known of it. */
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    CA_PICK_OPTIONS,
    POPT_TABLEEND
};

static bool show_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(ca_picked_free) struct ca_picked picked = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    struct doc_node *root;

    if (!cli_no_args(run, err) || !ca_pick_check(err) || !ca_verb_open(&ca, err)
        || !ca_pick(ca, &picked, err) || !cert_to_pem(picked.cert, &pem, err))
        return false;
    run->doc = doc_new("ca_show", _("A certificate of the CA"));
    root = doc_root(run->doc);
    doc_str(root, "kind", _("Kind"), picked.kind);
    ca_state_field(root, picked.state, picked.reason);
    if (picked.state == STORE_REVOKED) {
        doc_time(root, "revoked_at", _("Revoked at"), picked.revoked_at);
        doc_str(root, "reason", _("Reason"), ca_reason_word(picked.reason));
    }
    ca_verb_describe(picked.cert, root);
    doc_block(root, "pem", NULL, buf_text(&pem));
    return true;
}

static const char *const examples[] = {
    "pgseal ca show --ca /etc/pgseal/ca --role app",
    NULL
};

const struct cli_cmd cmd_ca_show = {
    .name = "ca show",
    .summary = N_("show one certificate and what became of it"),
    .usage = N_("--ca DIR (--serial HEX | --role ROLE | --host NAME | --cert FILE)"),
    .about = N_("Of a role or a host, the certificate that was issued last among the good ones."),
    .examples = examples,
    .options = options,
    .run = show_run,
};

/* cmd_ca_revoke.c - pgseal ca revoke: take a certificate back. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/ca_verb.h"
#include "cli/revoke_server.h"

static struct {
    char *cert, *reason;
} opts;

static const struct poptOption options[] = {
    CA_VERB_OPTIONS,
    { "cert", 0, POPT_ARG_STRING, &opts.cert, 0, N_("the certificate in this file"), N_("FILE") },
    { "reason", 0, POPT_ARG_STRING, &opts.reason, 0,
      N_("unspecified, keyCompromise, CACompromise, affiliationChanged, superseded, "
         "cessationOfOperation or privilegeWithdrawn; default unspecified"), N_("REASON") },
    REVOKE_SERVER_OPTIONS,
    POPT_TABLEEND
};

/* CRLReason of RFC 5280 5.3.1; a hold could be taken back, and what is revoked here never is. */
static const struct {
    const char *word;
    int reason;
} reasons[] = {
    { "unspecified", 0 },
    { "keyCompromise", 1 },
    { "CACompromise", 2 },
    { "affiliationChanged", 3 },
    { "superseded", 4 },
    { "cessationOfOperation", 5 },
    { "privilegeWithdrawn", 9 },
};

static bool read_reason(const char *word, int *reason, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(reasons); i++) {
        if (strcasecmp(word, reasons[i].word) == 0) {
            *reason = reasons[i].reason;
            return true;
        }
    }
    ps_fail(err, PS_E_USAGE, _("unknown reason \"%s\""), word);
    return ps_hint(err, _("The reasons are: unspecified, keyCompromise, CACompromise, "
                          "affiliationChanged, superseded, cessationOfOperation, "
                          "privilegeWithdrawn."));
}

static bool read_cert(const char *path, struct cert_list *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(0);

    return file_read(path, FILE_CONF_MAX, &pem, err)
        && cert_list_from_pem(buf_text(&pem), pem.len, path, out, err);
}

static bool revoke_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };
    PS_AUTO(cert_list_free) struct cert_list revoked = { 0 };   /* of the file the first, the leaf */
    int reason = 0;

    if (!cli_no_args(run, err) || !revoke_server_check(err) || !ca_verb_need(opts.cert, "--cert", err)
        || (opts.reason && !read_reason(opts.reason, &reason, err)) || !ca_verb_open(&ca, err)
        || !read_cert(opts.cert, &list, err) || !ca_revoke(ca, list.at[0], reason, err))
        return false;
    cert_list_add(&revoked, list.at[0]);
    run->doc = doc_new("ca_revoke", _("Revoked"));
    ca_verb_describe(list.at[0], doc_root(run->doc));
    return ca_refresh_crls(ca, false, err) && revoke_server(ca, &revoked, doc_root(run->doc), err);
}

static const char *const examples[] = {
    "pgseal ca revoke --ca /etc/pgseal/ca --cert app/postgresql.crt --reason keyCompromise",
    "pgseal ca revoke --ca /etc/pgseal/ca --cert app/postgresql.crt -D /var/lib/postgresql/15/main "
    "--terminate",
    NULL
};

const struct cli_cmd cmd_ca_revoke = {
    .name = "ca revoke",
    .summary = N_("revoke a certificate"),
    .usage = "--ca DIR --cert FILE [options]",
    .about = N_("The new revocation lists are written at once; servers refuse the certificate when "
                "they have them: see \"pgseal ca crl\".  With -D they are brought into a server, which "
                "is shown to refuse it, and the sessions that are open with it are listed: revocation "
                "does not end them, --terminate does."),
    .examples = examples,
    .options = options,
    .run = revoke_run,
};

/* cmd_ca_list.c - pgseal ca list and ca expiring: what the CA has issued, as a table. */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/ca_pick.h"
#include "cli/ca_verb.h"

/* ---- rows ---- */

static void put_hosts(struct doc_node *row, const char *const *hosts)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    for (; hosts && *hosts; hosts++)
        buf_printf(&text, "%s%s", text.len ? ", " : "", *hosts);
    doc_aside(doc_str(row, "hosts", _("Hosts"), text.len ? buf_text(&text) : NULL));
}

static bool put_row(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    struct doc_node *row = doc_row(arg);
    bool revoked = entry->state == STORE_REVOKED;

    (void)err;
    doc_str(row, "kind", _("Kind"), entry->cert.kind);
    doc_str(row, "name", _("Name"), entry->cert.common_name);
    put_hosts(row, entry->cert.hosts);
    doc_str(row, "serial", _("Serial number"), entry->cert.serial_hex);
    ca_state_field(row, entry->state, entry->reason);
    doc_aside(doc_time(row, "not_before", _("Valid from"), entry->cert.not_before));
    doc_time(row, "not_after", _("Valid until"), entry->cert.not_after);
    doc_aside(doc_time(row, "recorded_at", _("Recorded"), entry->recorded_at));
    doc_aside(revoked ? doc_time(row, "revoked_at", _("Revoked at"), entry->revoked_at)
                      : doc_str(row, "revoked_at", _("Revoked at"), NULL));
    doc_aside(doc_str(row, "reason", _("Reason"), revoked ? ca_reason_word(entry->reason) : NULL));
    doc_aside(doc_str(row, "issuer", _("Issuer"), entry->cert.issuer));
    doc_aside(doc_str(row, "fingerprint_sha256", _("SHA-256 fingerprint"), entry->cert.fingerprint));
    return true;
}

/* ---- ca list ---- */

static struct {
    char *kind, *role, *host, *authority, *state, *sort;
    long within, limit;
    int descending, newest;
} opts;

static const struct poptOption list_options[] = {
    CA_VERB_OPTIONS,
    { "kind", 0, POPT_ARG_STRING, &opts.kind, 0,
      N_("only this kind: client, server, root, server-ca, client-ca, cross, signed-server-ca, "
         "signed-client-ca or proof"), N_("KIND") },
    { "role", 0, POPT_ARG_STRING, &opts.role, 0, N_("only those of this role"), N_("ROLE") },
    { "host", 0, POPT_ARG_STRING, &opts.host, 0, N_("only those with this name or address"),
      N_("NAME") },
    { "authority", 0, POPT_ARG_STRING, &opts.authority, 0,
      N_("only those that this authority has issued, by its name: client-ca, server-ca-2"),
      N_("NAME") },
    { "state", 0, POPT_ARG_STRING, &opts.state, 0,
      N_("only valid, expired or revoked ones, or those on hold: held"), N_("STATE") },
    { "expires-within", 0, POPT_ARG_LONG, &opts.within, 0,
      N_("only those that end within so many days"), N_("DAYS") },
    { "newest", 0, POPT_ARG_NONE, &opts.newest, 0,
      N_("leave out what a later one of the same name has replaced"), NULL },
    { "sort", 0, POPT_ARG_STRING, &opts.sort, 0,
      N_("by entry (as they were issued), end or name; default entry"), N_("ORDER") },
    { "descending", 0, POPT_ARG_NONE, &opts.descending, 0, N_("the other way around"), NULL },
    { "limit", 0, POPT_ARG_LONG, &opts.limit, 0, N_("no more than so many"), N_("COUNT") },
    POPT_TABLEEND
};

struct word {
    const char *word;
    int value;
};

static const struct word states[] = {
    { "valid", STORE_VALID }, { "expired", STORE_EXPIRED }, { "revoked", STORE_REVOKED },
    { "held", STORE_HELD }, { NULL, 0 }
};
static const struct word kinds[] = {
    { "client", 0 }, { "server", 0 }, { "root", 0 }, { "server-ca", 0 }, { "client-ca", 0 },
    { "cross", 0 }, { "signed-server-ca", 0 }, { "signed-client-ca", 0 }, { "proof", 0 }, { NULL, 0 }
};
static const struct word orders[] = {
    { "entry", STORE_BY_ENTRY }, { "end", STORE_BY_END }, { "name", STORE_BY_NAME }, { NULL, 0 }
};

/* One of these words; NULL is 0. */
static bool read_word(const char *word, const struct word *words, int *out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf known = BUF(1024);

    *out = 0;
    for (const struct word *w = words; word && w->word; w++) {
        if (strcmp(word, w->word) == 0) {
            *out = w->value;
            return true;
        }
        buf_printf(&known, "%s%s", known.len ? ", " : "", w->word);
    }
    if (!word)
        return true;
    ps_fail(err, PS_E_USAGE, _("unknown word \"%s\""), word);
    return ps_hint(err, _("Known are: %s."), buf_text(&known));
}

/* The subject of this authority; NULL without one. */
static bool find_issuer(const struct ca *ca, const char *name, const char **out,
                        struct ps_err *err)
{
    struct ca_authority authority;

    *out = NULL;
    if (!name)
        return true;
    if (!ca_authority_find(ca, name, &authority, err))
        return false;
    if (!authority.cert)
        return ps_fail(err, PS_E_NOT_FOUND, _("\"%s\" of the CA waits for its certificate"), name);
    *out = cert_info(authority.cert)->subject;
    return true;
}

static bool list_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    struct store_filter filter = {
        .kind = opts.kind, .common_name = opts.role, .host = opts.host,
        .within_days = opts.within, .limit = opts.limit, .descending = opts.descending,
        .newest = opts.newest, .with_hosts = true,
    };
    int kind, state, sort;

    if (opts.role && !opts.kind)
        filter.kind = "client";
    if (opts.limit < 0 || opts.within < 0)
        return ps_fail(err, PS_E_USAGE, _("a number of days or certificates cannot be negative"));
    if (!cli_no_args(run, err) || !read_word(opts.kind, kinds, &kind, err)
        || !read_word(opts.state, states, &state, err)
        || !read_word(opts.sort, orders, &sort, err) || !ca_verb_open(&ca, err)
        || !find_issuer(ca, opts.authority, &filter.issuer, err))
        return false;
    filter.state = (enum store_state)state;
    filter.sort = (enum store_sort)sort;
    run->doc = doc_new("ca_list", _("Certificates of the CA"));
    return store_list(ca_store(ca), &filter, put_row,
                      doc_table(doc_root(run->doc), "certificates", NULL, _("There is none.")), err);
}

static const char *const list_examples[] = {
    "pgseal ca list --ca /etc/pgseal/ca --kind client --state valid --sort name",
    "pgseal ca list --ca /etc/pgseal/ca --expires-within 30 --newest --format csv",
    "pgseal ca list --ca /etc/pgseal/ca --authority client-ca --state valid",
    NULL
};

const struct cli_cmd cmd_ca_list = {
    .name = "ca list",
    .summary = N_("list what the CA has issued"),
    .usage = N_("--ca DIR [options]"),
    .about = N_("Every certificate that was ever issued is in the ledger.  With --verbose, and in "
                "JSON, CSV and HTML, each row has all its columns."),
    .examples = list_examples,
    .options = list_options,
    .csv = true,
    .run = list_run,
};

/* ---- ca expiring ---- */

static struct {
    long days;
} soon = { .days = 30 };

static const struct poptOption expiring_options[] = {
    CA_VERB_OPTIONS,
    { "days", 0, POPT_ARG_LONG, &soon.days, 0, N_("how far to look ahead; default 30"), N_("DAYS") },
    POPT_TABLEEND
};

struct crl_table {
    struct doc_node *table;
    time_t until;
};

static bool put_crl(void *arg, const struct store_crl *crl, struct ps_err *err)
{
    const struct crl_table *crls = arg;
    struct doc_node *row;

    (void)err;
    if (crl->next_update > crls->until)
        return true;
    row = doc_row(crls->table);
    doc_str(row, "issuer", _("Issuer"), crl->issuer);
    doc_int(row, "number", _("Number"), crl->number);
    doc_time(row, "next_update", _("Next update"), crl->next_update);
    return true;
}

static bool expiring_run(struct cli_run *run, struct ps_err *err)
{
    PS_AUTO(ca_freep) struct ca *ca = NULL;
    const struct store_filter filter = {
        .state = STORE_VALID, .within_days = soon.days, .newest = true, .sort = STORE_BY_END,
        .with_hosts = true,
    };
    struct crl_table crls = { .until = clock_now() + soon.days * 24 * 60 * 60 };
    struct doc_node *root, *certs;

    if (soon.days < 1)
        return ps_fail(err, PS_E_USAGE, _("a number of days or certificates cannot be negative"));
    if (!cli_no_args(run, err) || !ca_verb_open(&ca, err))
        return false;
    run->doc = doc_new("ca_expiring", _("What is about to expire"));
    root = doc_root(run->doc);
    certs = doc_table(root, "certificates", _("Certificates"), _("no certificate"));
    crls.table = doc_table(root, "crls", _("Revocation lists"), _("no revocation list"));
    if (!store_list(ca_store(ca), &filter, put_row, certs, err)
        || !store_each_crl(ca_store(ca), NULL, put_crl, &crls, err))
        return false;
    run->status = doc_first(certs) || doc_first(crls.table) ? PS_EXIT_FINDINGS : PS_EXIT_OK;
    return true;
}

static const char *const expiring_examples[] = {
    "pgseal ca expiring --ca /etc/pgseal/ca --days 14",
    NULL
};

const struct cli_cmd cmd_ca_expiring = {
    .name = "ca expiring",
    .summary = N_("show the certificates and revocation lists that end soon"),
    .usage = N_("--ca DIR [--days DAYS]"),
    .about = N_("What was replaced by a later certificate of the same name is left out, and so is what "
                "is revoked.  The exit status is 1 when there is something to do."),
    .examples = expiring_examples,
    .options = expiring_options,
    .csv = true,
    .run = expiring_run,
};

/* ca_pick.c - see ca_pick.h. */
#include "cli/ca_pick.h"

#include <ctype.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/cert.h"

static struct {
    char *serial, *role, *host, *cert;
} opts;

const struct poptOption ca_pick_options[] = {
    { "serial", 0, POPT_ARG_STRING, &opts.serial, 0,
      N_("the certificate of this serial number, in hexadecimal"), N_("HEX") },
    { "role", 0, POPT_ARG_STRING, &opts.role, 0, N_("the client certificate of this role"),
      N_("ROLE") },
    { "host", 0, POPT_ARG_STRING, &opts.host, 0, N_("the server certificate with this name"),
      N_("NAME") },
    { "cert", 0, POPT_ARG_STRING, &opts.cert, 0, N_("the certificate in this file"), N_("FILE") },
    POPT_TABLEEND
};

void ca_picked_free(struct ca_picked *picked)
{
    cert_freep(&picked->cert);
    free(picked->kind);
}

const char *ca_pick_role(void)
{
    return opts.role;
}

const char *ca_pick_cert(void)
{
    return opts.cert;
}

bool ca_pick_check(struct ps_err *err)
{
    int given = !!opts.serial + !!opts.role + !!opts.host + !!opts.cert;

    if (given == 1)
        return true;
    ps_fail(err, PS_E_USAGE, given == 0 ? _("it was not said which certificate")
                                        : _("more than one certificate is named"));
    return ps_hint(err, _("Give one of --serial HEX, --role ROLE, --host NAME and --cert FILE."));
}

bool ca_pick_read_file(const char *path, struct cert **out, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf pem = BUF(0);
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };

    if (!file_read(path, FILE_CONF_MAX, &pem, err)
        || !cert_list_from_pem(buf_text(&pem), pem.len, path, &list, err))
        return false;
    *out = cert_ref(list.at[0]);
    return true;
}

/* ---- the question ---- */

/* As the ledger has it: lower case, no colons, no zeros in front, an even count. */
static bool parse_serial(const char *text, char out[CERT_SERIAL_HEX], struct ps_err *err)
{
    const char *p = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t digits = 0, len = 0;

    for (; *p == '0' || *p == ':'; p++)
        continue;
    for (const char *q = p; *q; q++)
        digits += *q != ':';
    if (digits % 2)
        out[len++] = '0';
    for (; *p; p++) {
        if (*p == ':')
            continue;
        if (!isxdigit((unsigned char)*p) || len == CERT_SERIAL_HEX - 1)
            return ps_fail(err, PS_E_VALUE, _("\"%s\" is no serial number in hexadecimal"), text);
        out[len++] = (char)tolower((unsigned char)*p);
    }
    out[len] = '\0';
    return len > 0 || ps_fail(err, PS_E_VALUE, _("\"%s\" is no serial number in hexadecimal"), text);
}

static bool keep(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    struct ca_picked *picked = arg;

    picked->kind = ps_strdup(entry->cert.kind);
    picked->state = entry->state;
    picked->revoked_at = entry->revoked_at;
    picked->reason = entry->reason;
    return cert_from_der(entry->cert.der, entry->cert.der_len, &picked->cert, err);
}

static bool ask(struct ca *ca, struct store_filter filter, enum store_state state,
                struct ca_picked *out, struct ps_err *err)
{
    filter.state = state;
    filter.sort = STORE_BY_ENTRY;
    filter.descending = true;
    filter.limit = 1;
    filter.with_der = true;
    return store_list(ca_store(ca), &filter, keep, out, err);
}

static bool fill(struct store_filter *filter, char serial[CERT_SERIAL_HEX], struct cert **file,
                 struct ps_err *err)
{
    filter->common_name = opts.role;
    filter->host = opts.host;
    filter->kind = opts.role ? "client" : opts.host ? "server" : NULL;
    if (opts.serial) {
        filter->serial_hex = serial;
        return parse_serial(opts.serial, serial, err);
    }
    if (!opts.cert)
        return true;
    if (!ca_pick_read_file(opts.cert, file, err))
        return false;
    filter->fingerprint = cert_info(*file)->fingerprint;
    return true;
}

static bool pick(struct ca *ca, const enum store_state *states, size_t len, struct ca_picked *out,
                 struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *file = NULL;
    PS_AUTO(ca_picked_free) struct ca_picked picked = { 0 };
    struct store_filter filter = { 0 };
    char serial[CERT_SERIAL_HEX];

    if (!ca_pick_check(err) || !fill(&filter, serial, &file, err))
        return false;
    for (size_t i = 0; i < len && !picked.cert; i++)
        if (!ask(ca, filter, states[i], &picked, err))
            return false;
    if (!picked.cert) {
        ps_fail(err, PS_E_NOT_FOUND, _("the CA \"%s\" has issued no such certificate"), ca_dir(ca));
        return ps_hint(err, _("See \"pgseal ca list\"."));
    }
    *out = picked;
    picked = (struct ca_picked){ 0 };
    return true;
}

bool ca_pick(struct ca *ca, struct ca_picked *out, struct ps_err *err)
{
    static const enum store_state states[] = { STORE_VALID, STORE_ANY };

    return pick(ca, states, PS_COUNT(states), out, err);
}

bool ca_pick_held(struct ca *ca, struct ca_picked *out, struct ps_err *err)
{
    static const enum store_state states[] = { STORE_HELD, STORE_VALID, STORE_ANY };

    return pick(ca, states, PS_COUNT(states), out, err);
}

/* ---- words ---- */

static const struct {
    const char *word, *text;
    enum doc_mark mark;
} states[] = {
    [STORE_ANY] = { "any", NULL, DOC_PLAIN },
    [STORE_VALID] = { "valid", N_("valid"), DOC_GOOD },
    [STORE_EXPIRED] = { "expired", N_("expired"), DOC_WARN },
    [STORE_REVOKED] = { "revoked", N_("revoked"), DOC_BAD },
};

const char *ca_state_word(enum store_state state)
{
    return states[state].word;
}

void ca_state_field(struct doc_node *node, enum store_state state, int reason)
{
    const char *text = state == STORE_REVOKED && reason == STORE_HOLD ? N_("on hold")
                                                                      : states[state].text;

    doc_verdict(node, "state", _("State"), states[state].mark, states[state].word,
                text ? _(text) : NULL);
}

/* CRLReason of RFC 5280 5.3.1; removeFromCRL is for delta CRLs, which PostgreSQL does not read. */
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
    { "certificateHold", STORE_HOLD },
    { "privilegeWithdrawn", 9 },
};

const char *ca_reason_word(int reason)
{
    for (size_t i = 0; i < PS_COUNT(reasons); i++)
        if (reasons[i].reason == reason)
            return reasons[i].word;
    return "unspecified";
}

bool ca_reason_parse(const char *word, int *reason, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(reasons); i++) {
        if (strcasecmp(word, reasons[i].word) == 0) {
            *reason = reasons[i].reason;
            return true;
        }
    }
    ps_fail(err, PS_E_USAGE, _("unknown reason \"%s\""), word);
    if (strcasecmp(word, "removeFromCRL") == 0)
        return ps_hint(err, _("To take back a hold, run: pgseal ca release."));
    return ps_hint(err, _("The reasons are: unspecified, keyCompromise, CACompromise, "
                          "affiliationChanged, superseded, cessationOfOperation, "
                          "certificateHold, privilegeWithdrawn."));
}

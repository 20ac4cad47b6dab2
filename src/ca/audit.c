/* audit.c - see audit.h. */
#include "ca/audit.h"

#include "base/clock.h"
#include "ca/internal.h"

static const char *const words[] = {
    [CA_CRL_GOOD] = "good", [CA_CRL_OUTDATED] = "outdated", [CA_CRL_EXPIRED] = "expired",
    [CA_CRL_OLDER] = "older", [CA_CRL_MISSING] = "missing", [CA_CRL_UNRECORDED] = "unrecorded",
    [CA_CRL_FOREIGN] = "foreign",
};

const char *ca_crl_word(enum ca_crl_verdict verdict)
{
    return words[verdict];
}

/* A root elsewhere may number none of its lists: then the ledger cannot know them. */
static bool judge(struct ca *ca, const struct authority *authority, const struct crl *crl,
                  struct ca_crl_report *report, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    const bool elsewhere = authority->row->key_kind == CA_KEY_OFFLINE;
    struct store_crl_look look;

    if (!store_look_at_crl(ca->store, cert_info(authority->cert)->subject, (int)report->shard,
                           info->number, info->digest, &look, err))
        return false;
    report->number = info->number;
    report->next_update = info->next_update;
    report->verdict = !crl_issued_by(crl, authority->cert) ? CA_CRL_FOREIGN
                    : !look.recorded && !(elsewhere && info->number < 0) ? CA_CRL_UNRECORDED
                    : look.newer && !ca->conf.store ? CA_CRL_OLDER
                    : info->next_update <= clock_now() ? CA_CRL_EXPIRED
                    : look.outdated && !elsewhere ? CA_CRL_OUTDATED : CA_CRL_GOOD;
    return true;
}

static bool audit_one(struct ca *ca, const struct authority *authority, ca_crl_fn fn, void *arg,
                      struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    struct ps_err unreadable = { 0 };       /* then all of them are missing */
    bool read = ca_read_crl(ca, authority, &list, &unreadable);

    for (unsigned i = 0; i < ca_shards_of(ca, authority); i++) {
        struct ca_crl_report report = { .authority = authority->row->name, .shard = i, .number = -1,
                                        .verdict = CA_CRL_MISSING };

        if ((read && i < list.len && !judge(ca, authority, list.at[i], &report, err))
            || !fn(arg, &report, err))
            return false;
    }
    return true;
}

bool ca_audit_crls(struct ca *ca, ca_crl_fn fn, void *arg, struct ps_err *err)
{
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca_in_use(&ca->at[i]) && !audit_one(ca, &ca->at[i], fn, arg, err))
            return false;
    return true;
}

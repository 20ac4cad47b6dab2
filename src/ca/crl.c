/* crl.c - the CRLs of a CA kept fresh, and what each side of a connection must trust and check. */
#include "ca/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/verify.h"

enum { LOCK_WAIT_MS = 10000, LOCK_LOOK_MS = 50 };

/* ---- writing ---- */

static bool write_file(const struct ca *ca, enum ca_who who, const struct crl *crl,
                       struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, ca_profiles[who].crl);
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    return crl_to_pem(crl, &pem, err) && file_write(path, pem.p, pem.len, 0644, err);
}

struct entries {
    struct crl_entry *at;
    size_t len, cap;
};

static void entries_free(struct entries *entries)
{
    for (size_t i = 0; i < entries->len; i++)
        free((void *)entries->at[i].serial_hex);
    free(entries->at);
}

static bool add_entry(void *arg, const struct store_revoked *revoked, struct ps_err *err)
{
    struct entries *entries = arg;
    char hex[2 * STORE_SERIAL_MAX + 1];

    (void)err;
    for (size_t i = 0; i < revoked->serial_len; i++)
        snprintf(hex + 2 * i, 3, "%02x", revoked->serial[i]);
    PS_PUSH(entries->at, entries->len, entries->cap) =
        (struct crl_entry){ ps_strdup(hex), revoked->when, revoked->reason };
    return true;
}

bool ca_write_crl(struct ca *ca, enum ca_who who, struct ps_err *err)
{
    const char *issuer = cert_info(ca->cert[who])->subject;
    PS_AUTO(entries_free) struct entries entries = { 0 };
    PS_AUTO(crl_freep) struct crl *crl = NULL;
    time_t now = clock_now();
    int64_t number;

    if (!ca_need_key(ca, who, err) || !store_next_crl_number(ca->store, issuer, 0, &number, err)
        || !store_each_revoked(ca->store, issuer, 0, add_entry, &entries, err))
        return false;
    return crl_make(ca->cert[who], ca->key[who], entries.at, entries.len, number,
                    now - CA_BACKDATE_SECONDS,
                    now + (time_t)ca_profiles[who].crl_days * CA_DAY_SECONDS, &crl, err)
        && write_file(ca, who, crl, err);
}

/* ---- is it stale? ---- */

static bool read_crl(const struct ca *ca, enum ca_who who, struct crl_list *out,
                     struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, ca_profiles[who].crl);
    PS_AUTO(buf_free) struct buf pem = BUF(0);

    return file_read(path, BUF_TEXT_MAX, &pem, err)
        && crl_list_from_pem(buf_text(&pem), pem.len, path, out, err);
}

enum crl_state { CRL_DEAD, CRL_DUE, CRL_FRESH };    /* due: past half of its life, and still good */

static bool count_entry(void *arg, const struct store_revoked *revoked, struct ps_err *err)
{
    size_t *len = arg;

    (void)revoked;
    (void)err;
    ++*len;
    return true;
}

static bool judge(struct ca *ca, enum ca_who who, const struct crl *crl, enum crl_state *out,
                  struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    time_t now = clock_now(), half = info->this_update + (info->next_update - info->this_update) / 2;
    size_t len = 0;

    if (!store_each_revoked(ca->store, cert_info(ca->cert[who])->subject, 0, count_entry, &len,
                            err))
        return false;
    /* a revocation is never taken back: the same count is the same list */
    bool good = now < info->next_update && info->revoked_len == len
             && crl_issued_by(crl, ca->cert[who]);
    *out = !good ? CRL_DEAD : now < half ? CRL_FRESH : CRL_DUE;
    return true;
}

/* The root's key may be offline for months: as long as the old list is good, that is no failure. */
static bool can_wait(enum ca_who who, enum crl_state state, struct ps_err *err)
{
    if (state != CRL_DUE || (err->code != PS_E_NOT_FOUND && err->code != PS_E_PASSPHRASE))
        return false;
    log_warn(_("the revocation list \"%s\" is past half of its life and was not renewed: %s"),
             ca_profiles[who].crl, err->message);
    ps_err_clear(err);
    return true;
}

static bool refresh_one(struct ca *ca, enum ca_who who, bool force, struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    struct ps_err unreadable = { 0 };
    enum crl_state state = CRL_DEAD;        /* and so is one that cannot be read */

    if (!force && read_crl(ca, who, &list, &unreadable)
        && !judge(ca, who, list.at[0], &state, err))
        return false;
    return state == CRL_FRESH || ca_write_crl(ca, who, err) || can_wait(who, state, err)
        || ps_while(err, _("could not renew the revocation list \"%s\""), ca_profiles[who].crl);
}

static bool wait_for_lock(const struct ca *ca, struct file_lock **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_path(ca, CA_LOCK);
    int64_t deadline_ms = clock_mono_ms() + LOCK_WAIT_MS;

    while (!lock_take(path, out, err)) {
        if (err->code != PS_E_BUSY || clock_mono_ms() > deadline_ms)
            return false;
        clock_sleep_ms(LOCK_LOOK_MS);
    }
    ps_err_clear(err);
    return true;
}

bool ca_refresh_crls(struct ca *ca, bool force, struct ps_err *err)
{
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;

    if (!wait_for_lock(ca, &lock, err))
        return false;
    for (int who = 0; who < CA_WHO_LEN; who++)
        if (!refresh_one(ca, (enum ca_who)who, force, err))
            return false;
    return true;
}

/* ---- what each side trusts and checks ---- */

/* The CA that signs the other side's leaves. */
static enum ca_who checked_by(enum cert_use side)
{
    return side == CERT_USE_SERVER ? CA_CLIENT : CA_SERVER;
}

static bool read_both(const struct ca *ca, enum ca_who leaf_ca, struct crl_list *out,
                      struct ps_err *err)
{
    return read_crl(ca, CA_ROOT, out, err) && read_crl(ca, leaf_ca, out, err);
}

/*
 * The intermediate passes with PostgreSQL's flags only if the root's CRL is there and good; the leaves
 * then need one of the intermediate, which is looked at by hand: making a leaf to try would put a
 * certificate into the world that nobody asked for.
 */
static bool try_set(const struct ca *ca, enum ca_who leaf_ca, const struct crl_list *crls,
                    struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    const struct crl *last = crls->at[crls->len - 1];

    cert_list_add(&chain, ca->cert[leaf_ca]);
    cert_list_add(&anchors, ca->cert[CA_ROOT]);
    if (!verify_chain(&chain, &anchors, crls, CERT_USE_ANY, 0, err))
        return false;
    if (!crl_issued_by(last, ca->cert[leaf_ca]) || crl_info(last)->next_update <= clock_now()) {
        ps_fail(err, PS_E_CERT, _("revocation list \"%s\" has expired, or is of another CA"),
                ca_profiles[leaf_ca].crl);
        return ps_hint(err, _("Make a new one: with this one nobody gets in."));
    }
    return true;
}

bool ca_trust_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    enum ca_who leaf_ca = checked_by(side);

    cert_list_add(&chain, ca->cert[leaf_ca]);
    cert_list_add(&anchors, ca->cert[CA_ROOT]);
    if (!verify_chain(&chain, &anchors, NULL, CERT_USE_ANY, 0, err)
        || !cert_to_pem(ca->cert[CA_ROOT], out, err))
        return false;
    /* a server then knows the chain of a client that sends its leaf alone */
    return side != CERT_USE_SERVER || cert_to_pem(ca->cert[leaf_ca], out, err);
}

bool ca_crl_pem(struct ca *ca, enum cert_use side, struct buf *out, struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list crls = { 0 };
    enum ca_who leaf_ca = checked_by(side);

    if (!read_both(ca, leaf_ca, &crls, err) || !try_set(ca, leaf_ca, &crls, err))
        return ps_while(err, _("cannot use the revocation lists of the CA \"%s\""), ca->dir);
    for (size_t i = 0; i < crls.len; i++)
        if (!crl_to_pem(crls.at[i], out, err))
            return false;
    return true;
}

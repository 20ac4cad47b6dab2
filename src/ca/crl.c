/* crl.c - the CRLs of a CA written and kept fresh. */
#include "ca/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/crl_stream.h"

/* ---- writing ---- */

unsigned ca_shards_of(const struct ca *ca, const struct authority *authority)
{
    return authority->row->who == CA_ROOT ? 1 : ca->conf.crl_shards;
}

static bool add_entry(void *arg, const struct store_revoked *revoked, struct ps_err *err)
{
    return crl_stream_add(arg, revoked->serial, revoked->serial_len, revoked->when,
                          revoked->reason, err);
}

static bool put_pem(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    return file_edit_put(arg, bytes, len, err);
}

static long days_of(const struct ca *ca, const struct authority *authority)
{
    return authority->row->who == CA_ROOT ? ca->conf.days.root_crl : ca->conf.days.crl;
}

static bool put_part(struct ca *ca, const struct authority *authority, unsigned shard,
                     struct file_edit *edit, struct ps_err *err)
{
    const char *issuer = cert_info(authority->cert)->subject;
    PS_AUTO(crl_stream_freep) struct crl_stream *stream = NULL;
    char uri[SHARD_URI];
    time_t now = clock_now();
    struct crl_sum sum;
    struct crl_spec spec = {
        .this_update = now - CA_BACKDATE_SECONDS,
        .next_update = now + (time_t)days_of(ca, authority) * CA_DAY_SECONDS,
    };

    if (!store_next_crl_number(ca->store, issuer, (int)shard, &spec.number, err))
        return false;
    if (ca_shards_of(ca, authority) > 1)
        spec.uri = shard_uri(ca->conf.crl_url, authority->cert, shard, uri);
    return crl_stream_new(authority->cert, authority->key, &spec, ca->dir, &stream, err)
        && store_each_revoked(ca->store, issuer, (int)shard, add_entry, stream, err)
        && crl_stream_finish(stream, put_pem, edit, &sum, err);
}

bool ca_write_crl(struct ca *ca, struct authority *authority, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".crl");
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    const struct file_attr fresh = { 0644, (uid_t)-1, (gid_t)-1 };

    if (!ca_need_key(ca, authority, err) || !file_edit_begin(path, &fresh, &edit, err))
        return false;
    for (unsigned i = 0; i < ca_shards_of(ca, authority); i++)
        if (!put_part(ca, authority, i, edit, err))
            return false;
    return file_edit_commit(&edit, err);
}

/* ---- is it stale? ---- */

bool ca_read_crl(const struct ca *ca, const struct authority *authority, struct crl_list *out,
                 struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".crl");
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

static bool judge_part(struct ca *ca, const struct authority *authority, const struct crl *crl,
                       unsigned shard, enum crl_state *out, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    time_t now = clock_now(), half = info->this_update + (info->next_update - info->this_update) / 2;
    size_t len = 0;

    if (!store_each_revoked(ca->store, cert_info(authority->cert)->subject, (int)shard, count_entry,
                            &len, err))
        return false;
    /* a revocation is never taken back: the same count is the same list; but what a root elsewhere
     * has revoked is not in our ledger */
    bool elsewhere = authority->row->key_kind == CA_KEY_OFFLINE;
    bool good = now < info->next_update && (elsewhere || info->revoked_len == len)
             && crl_issued_by(crl, authority->cert);
    *out = !good ? CRL_DEAD : now < half ? CRL_FRESH : CRL_DUE;
    return true;
}

/* As stale as its worst partition. */
static bool judge(struct ca *ca, const struct authority *authority, const struct crl_list *list,
                  enum crl_state *out, struct ps_err *err)
{
    *out = list->len == ca_shards_of(ca, authority) ? CRL_FRESH : CRL_DEAD;
    for (size_t i = 0; i < list->len && *out != CRL_DEAD; i++) {
        enum crl_state state;

        if (!judge_part(ca, authority, list->at[i], (unsigned)i, &state, err))
            return false;
        if (state < *out)
            *out = state;
    }
    return true;
}

/* The root's key may be offline for months: as long as the old list is good, that is no failure. */
static bool can_wait(const struct authority *authority, enum crl_state state, struct ps_err *err)
{
    if (state != CRL_DUE || (err->code != PS_E_NOT_FOUND && err->code != PS_E_PASSPHRASE))
        return false;
    log_warn(_("the revocation list \"%s.crl\" is past half of its life and was not renewed: %s"),
             authority->row->name, err->message);
    ps_err_clear(err);
    return true;
}

/* The list of a root elsewhere comes in by ca_crl_in(): `force` means those that are made here. */
static bool refresh_one(struct ca *ca, struct authority *authority, bool force,
                        struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    struct ps_err unreadable = { 0 };
    enum crl_state state = CRL_DEAD;        /* and so is one that cannot be read */

    if (authority->row->key_kind == CA_KEY_OFFLINE)
        force = false;
    if (!force && ca_read_crl(ca, authority, &list, &unreadable)
        && !judge(ca, authority, &list, &state, err))
        return false;
    return state == CRL_FRESH || ca_write_crl(ca, authority, err)
        || can_wait(authority, state, err)
        || ps_while(err, _("could not renew the revocation list \"%s.crl\""),
                    authority->row->name);
}

bool ca_refresh_crls(struct ca *ca, bool force, struct ps_err *err)
{
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;

    if (!ca_lock(ca, &lock, err))
        return false;
    for (size_t i = 0; i < ca->conf.len; i++)
        if (ca_in_use(&ca->at[i]) && !refresh_one(ca, &ca->at[i], force, err))
            return false;
    return true;
}

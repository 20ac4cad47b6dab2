/* crl.c - the CRLs of a CA written and kept fresh. */
#include "ca/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tls/crl_skim.h"
#include "tls/crl_stream.h"

/* ---- writing ---- */

/*
 * A host that has not the key of an authority gets its list out of the shared ledger: up to so many
 * bytes of PEM, about 1,300 entries.  Of a longer one only the digest is kept, for the ledger forgets
 * nothing, and would grow by the whole list with each revocation.
 */
enum { PART_SHARED_MAX = 64 * 1024 };

unsigned ca_shards_of(const struct ca *ca, const struct authority *authority)
{
    return authority->row->who == CA_ROOT ? 1 : ca->conf.crl_shards;
}

static bool add_entry(void *arg, const struct store_revoked *revoked, struct ps_err *err)
{
    return crl_stream_add(arg, revoked->serial, revoked->serial_len, revoked->when,
                          revoked->reason, err);
}

/* One list on its way: into the file of its authority, and, if it is small, into a shared ledger. */
struct part {
    struct file_edit *edit;
    struct crl_spec spec;
    struct crl_sum sum;
    struct buf pem;                 /* up to PART_SHARED_MAX; then it is `over` */
};

static void part_free(struct part *part)
{
    buf_free(&part->pem);
}

static bool put_pem(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    struct part *part = arg;

    buf_put(&part->pem, bytes, len);
    return file_edit_put(part->edit, bytes, len, err);
}

static long days_of(const struct ca *ca, const struct authority *authority)
{
    return authority->row->who == CA_ROOT ? ca->conf.days.root_crl : ca->conf.days.crl;
}

/* All numbers in one transaction, before anything is looked at: see store_next_crl_number(). */
static bool take_numbers(struct ca *ca, const char *issuer, struct part *parts, unsigned len,
                         struct ps_err *err)
{
    if (!store_begin(ca->store, err))
        return false;
    for (unsigned i = 0; i < len; i++) {
        if (!store_next_crl_number(ca->store, issuer, (int)i, &parts[i].spec.number, err)) {
            store_cancel(ca->store);
            return false;
        }
    }
    return store_commit(ca->store, err);
}

static bool make_part(struct ca *ca, const struct authority *authority, unsigned shard,
                      struct part *part, struct ps_err *err)
{
    PS_AUTO(crl_stream_freep) struct crl_stream *stream = NULL;
    char uri[SHARD_URI];
    time_t now = clock_now();

    part->pem = BUF(ca->conf.store ? PART_SHARED_MAX : 1);
    part->spec.this_update = now - CA_BACKDATE_SECONDS;
    part->spec.next_update = now + (time_t)days_of(ca, authority) * CA_DAY_SECONDS;
    if (ca_shards_of(ca, authority) > 1)
        part->spec.uri = shard_uri(ca->conf.crl_url, authority->cert, shard, uri);
    return crl_stream_new(authority->cert, authority->key, &part->spec, ca->dir, &stream, err)
        && store_each_revoked(ca->store, cert_info(authority->cert)->subject, (int)shard, add_entry,
                              stream, err)
        && crl_stream_finish(stream, put_pem, part, &part->sum, err);
}

static bool der_of(struct part *part, struct buf *der, struct ps_err *err)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };

    if (part->pem.over || part->pem.len == 0)
        return true;
    return crl_list_from_pem(buf_text(&part->pem), part->pem.len, "", &list, err)
        && crl_to_der(list.at[0], der, err);
}

static bool record_part(struct ca *ca, const char *issuer, unsigned shard, struct part *part,
                        struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf der = BUF(PART_SHARED_MAX);

    if (!der_of(part, &der, err))
        return false;
    const struct store_crl row = {
        .issuer = issuer, .shard = (int)shard, .number = part->spec.number,
        .entries = (int64_t)part->sum.entries, .this_update = part->spec.this_update,
        .next_update = part->spec.next_update, .digest = part->sum.digest, .der = der.p,
        .der_len = der.len,
    };
    return store_put_crl(ca->store, &row, err);
}

static bool record_parts(struct ca *ca, const char *issuer, struct part *parts, unsigned len,
                         struct ps_err *err)
{
    if (!store_begin(ca->store, err))
        return false;
    for (unsigned i = 0; i < len; i++) {
        if (!record_part(ca, issuer, i, &parts[i], err)) {
            store_cancel(ca->store);
            return false;
        }
    }
    return store_commit(ca->store, err);
}

/* If this fails, expired certificates stay on the list a little longer: no reason to fail. */
static void note_out(struct ca *ca, const char *issuer, const struct part *parts, unsigned len)
{
    struct ps_err err = { 0 };
    bool noted = store_begin(ca->store, &err);

    for (unsigned i = 0; noted && i < len; i++)
        noted = store_crl_is_out(ca->store, issuer, (int)i, parts[i].spec.number, &err);
    if (noted && store_commit(ca->store, &err))
        return;
    store_cancel(ca->store);
    log_warn(_("it was not recorded that the revocation lists are out: %s"), err.message);
}

static void parts_free(struct part **parts)
{
    for (struct part *part = *parts; part && part->edit; part++)
        part_free(part);
    free(*parts);
}

/*
 * The number is recorded before anything is made with it, the list before it is given out, and that
 * it is out when it is: killed at any point, no number comes twice, and no list is unknown.
 */
bool ca_write_crl(struct ca *ca, struct authority *authority, struct ps_err *err)
{
    const unsigned len = ca_shards_of(ca, authority);
    const char *issuer = cert_info(authority->cert)->subject;
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".crl");
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    PS_AUTO(parts_free) struct part *parts = ps_calloc(len + 1, sizeof(*parts));

    if (!ca_check_dates(authority, err) || !ca_need_key(ca, authority, err)
        || !ca_file_begin(ca, path, 0644, &edit, err)
        || !take_numbers(ca, issuer, parts, len, err))
        return false;
    for (unsigned i = 0; i < len; i++) {
        parts[i].edit = edit;
        if (!make_part(ca, authority, i, &parts[i], err))
            return false;
    }
    if (!record_parts(ca, issuer, parts, len, err) || !file_edit_commit(&edit, err))
        return false;
    note_out(ca, issuer, parts, len);
    return true;
}

/* ---- is it stale? ---- */

bool ca_open_crl(const struct ca *ca, const struct authority *authority, int *fd,
                 struct crl_list *out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".crl");

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0) {
        ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO, _("could not open file \"%s\": %m"),
                path);
        return ps_at(err, path, 0, 0);
    }
    /* the list of a root is needed whole: verify_chain() asks it for the intermediates */
    return crl_list_from_fd(*fd, path, authority->row->who != CA_ROOT, out, err);
}

bool ca_read_crl(const struct ca *ca, const struct authority *authority, struct crl_list *out,
                 struct ps_err *err)
{
    int fd;
    bool read = ca_open_crl(ca, authority, &fd, out, err);

    if (fd >= 0)
        close(fd);
    return read;
}

enum crl_state { CRL_DEAD, CRL_DUE, CRL_FRESH };    /* due: past half of its life, and still good */

/*
 * A list of a root elsewhere comes from outside: what that one has revoked is not in our ledger.  Of
 * the others the ledger knows whether anything happened since.
 */
static bool judge_part(struct ca *ca, const struct authority *authority, const struct crl *crl,
                       unsigned shard, enum crl_state *out, struct ps_err *err)
{
    const struct crl_info *info = crl_info(crl);
    const bool elsewhere = authority->row->key_kind == CA_KEY_OFFLINE;
    time_t now = clock_now(), half = info->this_update + (info->next_update - info->this_update) / 2;
    struct store_crl_look look;

    if (!store_look_at_crl(ca->store, cert_info(authority->cert)->subject, (int)shard, info->number,
                           info->digest, &look, err))
        return false;
    /* one from the future, made while the clock was wrong, is taken by nobody; what is recorded byte
     * for byte was signed here */
    bool good = info->this_update <= now && now < info->next_update
             && (elsewhere ? crl_issued_by(crl, authority->cert) && !look.newer
                           : look.recorded && !look.outdated);
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

/* ---- what another host has made ---- */

static bool take_der(void *arg, const struct store_crl *row, struct ps_err *err)
{
    struct crl_list *list = arg;
    struct crl *crl = NULL;

    if (!row->der || row->shard != (int)list->len)
        return true;
    if (!crl_from_der(row->der, row->der_len, &crl, err))
        return false;
    crl_list_add(list, crl);
    return true;
}

/* *state rises to what the ledger's list is; CRL_DEAD when it has none that is good. */
static bool fetch(struct ca *ca, struct authority *authority, enum crl_state *state,
                  struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ca_file_of(ca, authority->row->name, ".crl");
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    enum crl_state found = CRL_DEAD;

    if (!store_each_crl(ca->store, cert_info(authority->cert)->subject, take_der, &list, err)
        || !judge(ca, authority, &list, &found, err))
        return false;
    if (found <= *state)
        return true;
    for (size_t i = 0; i < list.len; i++)
        if (!crl_to_pem(list.at[i], &pem, err))
            return false;
    *state = found;
    return ca_file_write(ca, path, pem.p, pem.len, 0644, err);
}

/* ---- renewing ---- */

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
    if (!force && state != CRL_FRESH && ca->conf.store && !fetch(ca, authority, &state, err))
        return false;
    if (state == CRL_FRESH || ca_write_crl(ca, authority, err) || can_wait(authority, state, err))
        return true;
    if (authority->row->key_kind == CA_KEY_OFFLINE)
        ps_hint(err, _("Where the root is: pgseal ca crl --ca ROOT --out root.crl; then here: pgseal ca "
                       "import root.crl --ca %s"), ca->dir);
    return ps_while(err, _("could not renew the revocation list \"%s.crl\""), authority->row->name);
}

static bool everybody(const struct authority *authority, enum cert_use side)
{
    (void)side;
    return ca_in_use(authority);
}

static bool refresh(struct ca *ca, bool (*wanted)(const struct authority *, enum cert_use),
                    enum cert_use side, bool force, struct ps_err *err)
{
    PS_AUTO(ca_turn_free) struct ca_turn turn = { 0 };

    if (!ca_lock(ca, &turn, err))
        return false;
    for (size_t i = 0; i < ca->conf.len; i++)
        if (wanted(&ca->at[i], side) && !refresh_one(ca, &ca->at[i], force, err))
            return false;
    return true;
}

bool ca_refresh_crls(struct ca *ca, bool force, struct ps_err *err)
{
    return refresh(ca, everybody, CERT_USE_ANY, force, err);
}

bool ca_refresh_side(struct ca *ca, enum cert_use side, struct ps_err *err)
{
    return refresh(ca, ca_is_checked_by, side, false, err);
}

/* ca_batch_verb.c - see ca_batch_verb.h. */
#include "cli/ca_batch_verb.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "ca/export.h"
#include "kit/many.h"
#include "kit/roles.h"
#include "store/store.h"
#include "tls/digest.h"

enum { GROUP = 256 };           /* certificates in one commit: a lock held for a tenth of a second */

struct batch {
    struct ca *ca;
    struct roles roles;
    struct many *many;          /* NULL: no files */
    const char **done;          /* roles that a run before has recorded, sorted; for no files */
    size_t done_len, done_cap;
    struct arena *arena;        /* of `done` */
    char mark[DIGEST_HEX + 8];  /* the setting of the ledger that says when this batch began */
    struct ca_leaf leaves[GROUP];
    size_t len;                 /* of the group under way */
    size_t issued, skipped;
};

static void forget_leaves(struct batch *batch)
{
    for (size_t i = 0; i < batch->len; i++)
        ca_leaf_free(&batch->leaves[i]);
    batch->len = 0;
}

static void batch_free(struct batch *batch)
{
    store_cancel(ca_store(batch->ca));
    forget_leaves(batch);
    roles_free(&batch->roles);
    many_freep(&batch->many);
    free(batch->done);
    arena_free(batch->arena);
}

/* ---- what a run before has done ---- */

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

struct since {
    struct batch *batch;
    time_t began;
};

static bool remember(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    const struct since *since = arg;
    struct batch *batch = since->batch;

    (void)err;
    if (entry->recorded_at >= since->began && entry->cert.common_name)
        PS_PUSH(batch->done, batch->done_len, batch->done_cap) =
            arena_strdup(batch->arena, entry->cert.common_name);
    return true;
}

static bool begin_mark(struct batch *batch, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *now = ps_asprintf("%lld", (long long)clock_now());

    return store_set(ca_store(batch->ca), batch->mark, now, err);
}

static bool look_back(struct batch *batch, const struct buf *file, struct ps_err *err)
{
    const struct store_filter filter = { .kind = "client", .state = STORE_VALID };
    char digest[DIGEST_HEX];
    PS_AUTO(ps_freep) char *value = NULL;
    struct since since = { .batch = batch };
    long began;

    snprintf(batch->mark, sizeof(batch->mark), "batch.%s",
             digest_sha256_hex(buf_text(file), file->len, digest));
    if (!store_get(ca_store(batch->ca), batch->mark, &value, err))
        return false;
    if (!value || !*value || !num_parse(value, 1, INT64_MAX, &began))
        return begin_mark(batch, err);
    since.began = began;
    if (!store_list(ca_store(batch->ca), &filter, remember, &since, err))
        return false;
    if (batch->done_len > 1)
        qsort(batch->done, batch->done_len, sizeof(*batch->done), by_text);
    return true;
}

static bool is_done(const struct batch *batch, const char *role)
{
    if (batch->many)
        return many_has(batch->many, role);
    return batch->done_len
        && bsearch(&role, batch->done, batch->done_len, sizeof(*batch->done), by_text);
}

/* ---- the run ---- */

static bool write_leaf(struct batch *batch, const struct ca_leaf *leaf, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf chain = BUF(FILE_CONF_MAX);
    PS_AUTO(secret_free) struct secret key = { 0 };

    return export_chain_pem(&leaf->chain, &chain, err) && key_to_pem(leaf->key, NULL, &key, err)
        && many_put(batch->many, cert_info(leaf->chain.at[0])->common_name, buf_text(&chain),
                    chain.len, &key, err);
}

/* Into the ledger, and only then out. */
static bool end_group(struct batch *batch, struct ps_err *err)
{
    if (batch->len == 0)
        return true;
    if (!store_commit(ca_store(batch->ca), err))
        return false;
    for (size_t i = 0; batch->many && i < batch->len; i++)
        if (!write_leaf(batch, &batch->leaves[i], err))
            return false;
    if (batch->many && !many_commit(batch->many, err))
        return false;
    batch->issued += batch->len;
    forget_leaves(batch);
    log_progress(_("certificates"), batch->issued + batch->skipped, batch->roles.len);
    return true;
}

static bool issue_one(struct batch *batch, const struct role_wish *role, long days,
                      struct ps_err *err)
{
    const struct ca_leaf_spec spec = {
        .use = CERT_USE_CLIENT, .common_name = role->role, .key_type = role->key_type,
        .days = role->days ? role->days : days,
    };

    if (batch->len == 0 && !store_begin(ca_store(batch->ca), err))
        return false;
    if (!ca_issue(batch->ca, &spec, &batch->leaves[batch->len], err))
        return false;
    batch->len++;
    return batch->len < GROUP || end_group(batch, err);
}

static bool run_all(struct batch *batch, const struct batch_wish *wish, struct ps_err *err)
{
    for (size_t i = 0; i < batch->roles.len; i++) {
        const struct role_wish *role = &batch->roles.at[i];

        if (is_done(batch, role->role))
            batch->skipped++;
        else if (!issue_one(batch, role, wish->days, err))
            return false;
    }
    return end_group(batch, err);
}

static bool open_many(struct batch *batch, const char *dir, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf trust = BUF(FILE_CONF_MAX);
    PS_AUTO(buf_free) struct buf crl = BUF(BUF_TEXT_MAX);

    return ca_refresh_crls(batch->ca, false, err)
        && ca_trust_pem(batch->ca, CERT_USE_CLIENT, &trust, err)
        && ca_crl_pem(batch->ca, CERT_USE_CLIENT, &crl, err)
        && many_open(dir, &trust, &crl, &batch->many, err);
}

bool batch_issue(struct ca *ca, const struct batch_wish *wish, struct doc_node *root,
                 struct ps_err *err)
{
    PS_AUTO(batch_free) struct batch batch = { .ca = ca, .arena = arena_new() };
    PS_AUTO(buf_free) struct buf file = BUF(0);

    if (!file_read(wish->file, ROLES_BYTES_MAX, &file, err)
        || !roles_parse(buf_text(&file), file.len, wish->file, wish->key_type, &batch.roles, err)
        || !(wish->out ? open_many(&batch, wish->out, err) : look_back(&batch, &file, err)))
        return false;
    if (!run_all(&batch, wish, err)) {
        ps_hint(err, _("What is issued so far is recorded; the same command again does the rest."));
        return false;
    }
    if (!wish->out && !store_set(ca_store(ca), batch.mark, "", err))
        return false;
    doc_int(root, "roles", _("Roles"), (int64_t)batch.roles.len);
    doc_int(root, "issued", _("Issued"), (int64_t)batch.issued);
    doc_int(root, "skipped", _("Issued by a run before"), (int64_t)batch.skipped);
    doc_str(root, "dir", _("Folder"), wish->out);
    return true;
}

/* ca_batch_verb.c - see ca_batch_verb.h. */
#include "cli/ca_batch_verb.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/batch.h"
#include "kit/many.h"
#include "kit/roles.h"
#include "store/store.h"

struct batch {
    struct ca *ca;
    const struct batch_wish *wish;
    struct roles roles;
    size_t next;                /* of the roles */
    struct many *many;          /* NULL: no files */
    const char **done;          /* roles with a certificate in the ledger, sorted; for no files */
    size_t done_len, done_cap;
    struct arena *arena;        /* of `done` */
    size_t issued, skipped;
};

static void batch_free(struct batch *batch)
{
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

static bool remember(void *arg, const struct store_entry *entry, struct ps_err *err)
{
    struct batch *batch = arg;

    (void)err;
    if (entry->cert.common_name)
        PS_PUSH(batch->done, batch->done_len, batch->done_cap) =
            arena_strdup(batch->arena, entry->cert.common_name);
    return true;
}

static bool look_back(struct batch *batch, struct ps_err *err)
{
    const struct store_filter filter = { .kind = "client", .state = STORE_VALID };

    if (!store_list(ca_store(batch->ca), &filter, remember, batch, err))
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

static bool next_role(void *arg, struct ca_batch_wish *out, bool *more, struct ps_err *err)
{
    struct batch *batch = arg;
    const struct roles *roles = &batch->roles;

    (void)err;
    for (; batch->next < roles->len && is_done(batch, roles->at[batch->next].role); batch->next++)
        batch->skipped++;
    *more = batch->next < roles->len;
    if (*more) {
        const struct role_wish *role = &roles->at[batch->next++];

        *out = (struct ca_batch_wish){ role->role, role->key_type,
                                       role->days ? role->days : batch->wish->days };
    }
    return true;
}

/* They are in the ledger: now their files. */
static bool take_group(void *arg, const struct ca_batch_leaf *leaves, size_t len,
                       struct ps_err *err)
{
    struct batch *batch = arg;

    for (size_t i = 0; batch->many && i < len; i++)
        if (!many_put(batch->many, leaves[i].role, leaves[i].chain_pem, leaves[i].chain_len,
                      leaves[i].key_pem, err))
            return false;
    if (batch->many && !many_commit(batch->many, err))
        return false;
    batch->issued += len;
    log_progress(_("certificates"), batch->issued + batch->skipped, batch->roles.len);
    return true;
}

static bool open_many(struct batch *batch, const char *dir, struct ps_err *err)
{
    PS_AUTO(buf_free) struct buf trust = BUF(FILE_CONF_MAX);
    PS_AUTO(buf_free) struct buf crl = BUF(BUF_TEXT_MAX);

    return ca_refresh_side(batch->ca, CERT_USE_CLIENT, err)
        && ca_trust_pem(batch->ca, CERT_USE_CLIENT, &trust, err)
        && ca_crl_pem(batch->ca, CERT_USE_CLIENT, &crl, err)
        && many_open(dir, &trust, &crl, &batch->many, err);
}

bool batch_issue(struct ca *ca, const struct batch_wish *wish, struct doc_node *root,
                 struct ps_err *err)
{
    PS_AUTO(batch_free) struct batch batch = { .ca = ca, .wish = wish, .arena = arena_new() };
    const struct ca_batch_io io = { .next = next_role, .out = take_group, .arg = &batch,
                                    .drop_keys = !wish->out };
    PS_AUTO(buf_free) struct buf file = BUF(0);

    if (!file_read(wish->file, ROLES_BYTES_MAX, &file, err)
        || !roles_parse(buf_text(&file), file.len, wish->file, wish->key_type, &batch.roles, err)
        || !(wish->out ? open_many(&batch, wish->out, err) : look_back(&batch, err)))
        return false;
    if (!ca_issue_batch(ca, &io, err)) {
        ps_hint(err, _("What is issued so far is recorded; the same command again does the rest."));
        return false;
    }
    doc_int(root, "roles", _("Roles"), (int64_t)batch.roles.len);
    doc_int(root, "issued", _("Issued"), (int64_t)batch.issued);
    doc_int(root, "skipped", _("Issued by a run before"), (int64_t)batch.skipped);
    struct doc_node *dir = doc_str(root, "dir", _("Folder"), wish->out);
    if (!wish->out)
        doc_aside(dir);
    return true;
}

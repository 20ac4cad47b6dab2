/* first.c - the first acts of a ledger, and what version 1 did not record of its certificates. */
#include "store/internal.h"

#include "tls/cert.h"

/* ---- names of the certificates of version 1 ---- */

struct named {
    int64_t id;
    char *name, *hosts;
};

struct all_named {
    struct named *at;
    size_t len, cap;
};

static void all_named_free(struct all_named *all)
{
    for (size_t i = 0; i < all->len; i++) {
        free(all->at[i].name);
        free(all->at[i].hosts);
    }
    free(all->at);
}

static bool read_names(void *arg, const struct value *columns, struct ps_err *err)
{
    struct all_named *all = arg;
    PS_AUTO(cert_freep) struct cert *cert = NULL;

    if (!cert_from_der(columns[1].bytes, columns[1].len, &cert, err))
        return false;
    const struct cert_info *info = cert_info(cert);
    PS_PUSH(all->at, all->len, all->cap) = (struct named){
        .id = columns[0].number,
        .name = info->common_name[0] ? ps_strdup(info->common_name) : NULL,
        .hosts = hosts_text(info->dns, info->ip),
    };
    return true;
}

static bool fill_names(struct store *store, struct ps_err *err)
{
    PS_AUTO(all_named_free) struct all_named all = { 0 };

    if (!store_run(store, "SELECT id, der FROM cert ORDER BY id", NULL, 0, read_names, &all, err))
        return false;
    for (size_t i = 0; i < all.len; i++)
        if (!RUN(store, err, NULL, NULL,
                 "UPDATE cert SET common_name = $1, hosts = $2 WHERE id = $3",
                 value_text(all.at[i].name), value_text(all.at[i].hosts),
                 value_int(all.at[i].id)))
            return false;
    return true;
}

/* ---- acts ---- */

/* The migration gave what it found the numbers of the acts 1, 2 and 3. */
static bool take_over(struct store *store, enum part part, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };

    if (!act_join(store, &act, err) || !act_digest(store, part, act.id, &act.covers, &act.rows, err))
        return false;
    act.part = part;
    return act_end(&act, "migrate", parts[part].name, "", err);
}

static bool write_first(struct store *store, int64_t from, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };

    if (from > 0)
        return fill_names(store, err) && take_over(store, PART_CERT, err)
            && take_over(store, PART_REVOCATION, err) && take_over(store, PART_CRL_NUMBER, err);
    return act_join(store, &act, err) && act_end(&act, "create", store->place, store->id, err);
}

bool store_note_migration(struct store *store, int64_t from, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *detail = ps_asprintf("format %lld to %d", (long long)from,
                                                 store->engine->migrations_len);

    store->grouped = true;      /* as below */
    bool written = act_join(store, &act, err) && act_end(&act, "migrate", "ledger", detail, err);
    store->grouped = false;
    return written;
}

bool store_first_acts(struct store *store, int64_t from, struct ps_err *err)
{
    store->grouped = true;      /* the migration commits, or undoes it all */
    bool written = write_first(store, from, err);
    store->grouped = false;
    return written;
}

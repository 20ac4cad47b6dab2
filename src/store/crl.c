/* crl.c - the numbers of CRLs, and what became of each; see store.h. */
#include "store/internal.h"

#include "base/clock.h"

/* ---- numbers ---- */

static bool put_number(struct act *act, const char *issuer, int shard, int64_t number,
                       struct ps_err *err)
{
    struct value row[] = { value_int(0), value_text(issuer), value_int(shard), value_int(number) };

    return act_rows(act, PART_CRL_NUMBER, row, 1, err);
}

bool store_next_crl_number(struct store *store, const char *issuer, int shard, int64_t *out,
                           struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    int64_t last = 0, brought = 0;

    if (!act_begin(store, &act, err)
        || !RUN(store, err, take_int, &last,
                "SELECT max(number) FROM crl_number WHERE issuer = $1 AND shard = $2",
                value_text(issuer), value_int(shard))
        || !RUN(store, err, take_int, &brought,
                "SELECT max(number) FROM crl WHERE issuer = $1 AND shard = $2", value_text(issuer),
                value_int(shard)))
        return false;
    const int64_t next = (last > brought ? last : brought) + 1;
    PS_AUTO(ps_freep) char *detail = ps_asprintf("shard %d, number %lld", shard, (long long)next);

    if (!put_number(&act, issuer, shard, next, err)
        || !act_end(&act, "crl-number", issuer, detail, err))
        return false;
    *out = next;
    return true;
}

struct series {
    char *issuer;
    int shard;
    int64_t last;
};

struct all_series {
    struct series *at;
    size_t len, cap;
};

static void all_series_free(struct all_series *all)
{
    for (size_t i = 0; i < all->len; i++)
        free(all->at[i].issuer);
    free(all->at);
}

static bool take_series(void *arg, const struct value *columns, struct ps_err *err)
{
    struct all_series *all = arg;

    (void)err;
    PS_PUSH(all->at, all->len, all->cap) =
        (struct series){ ps_strdup(value_str(&columns[0])), (int)columns[1].number,
                         columns[2].number };
    return true;
}

/*
 * Making a list takes longer than a millisecond, so no CA has used up those since 1970, nor those since
 * an earlier jump: a backup may be restored many times.  Only with a clock that is behind the numbers
 * we have to guess how many were made.
 */
enum { NUMBERS_LOST_MAX = 1000000 };

static int64_t now_in_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)clock_now() * 1000 + now.tv_nsec / 1000000;
}

bool store_raise_crl_numbers(struct act *act, struct ps_err *err)
{
    PS_AUTO(all_series_free) struct all_series all = { 0 };
    const int64_t now_ms = now_in_ms();

    if (!store_run(act->store, "SELECT issuer, shard, max(number) FROM crl_number"
                               " GROUP BY issuer, shard ORDER BY issuer, shard", NULL, 0,
                   take_series, &all, err))
        return false;
    for (size_t i = 0; i < all.len; i++) {
        const int64_t last = all.at[i].last;

        if (!put_number(act, all.at[i].issuer, all.at[i].shard,
                        now_ms > last ? now_ms : last + NUMBERS_LOST_MAX, err))
            return false;
    }
    return true;
}

bool store_put_crl(struct store *store, const struct store_crl *crl, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *detail =
        ps_asprintf("shard %d, number %lld, %lld entries", crl->shard, (long long)crl->number,
                    (long long)crl->entries);
    int64_t last = 0;
    struct value row[] = {
        value_int(0), value_text(crl->issuer), value_int(crl->shard), value_int(crl->number),
        value_int(crl->entries), value_int(crl->this_update), value_int(crl->next_update),
        value_text(crl->digest), value_blob(crl->der, crl->der_len),
    };

    if (!act_begin(store, &act, err)
        || !RUN(store, err, take_int, &last,
                "SELECT max(number) FROM crl WHERE issuer = $1 AND shard = $2",
                value_text(crl->issuer), value_int(crl->shard)))
        return false;
    if (crl->number <= last) {
        ps_fail(err, PS_E_VALUE, _("CRL number %lld is not above the last one"),
                (long long)crl->number);
        return ps_detail(err, _("The ledger has a CRL of \"%s\" with number %lld."), crl->issuer,
                         (long long)last);
    }
    return act_rows(&act, PART_CRL, row, 1, err) && act_end(&act, "crl", crl->issuer, detail, err);
}

bool store_crl_is_out(struct store *store, const char *issuer, int shard, int64_t number,
                      struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *detail = ps_asprintf("shard %d, number %lld", shard, (long long)number);
    struct value row[] = { value_int(0), value_text(issuer), value_int(shard), value_int(number) };

    return act_begin(store, &act, err) && act_rows(&act, PART_CRL_OUT, row, 1, err)
        && act_end(&act, "crl-out", issuer, detail, err);
}

/* ---- what the ledger thinks of a list ---- */

static bool ask_number(struct store *store, const char *sql, const char *issuer, int shard,
                       int64_t number, int64_t *out, struct ps_err *err)
{
    return RUN(store, err, take_int, out, sql, value_text(issuer), value_int(shard),
               value_int(number));
}

/* By the number of the row, not by the issuer: what is newer is little. */
static bool changed_since(struct store *store, const char *table, const char *issuer, int shard,
                          int64_t id, bool *out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sql = ps_asprintf(
        "SELECT 1 FROM %s WHERE id > $1 AND (issuer || '') = $2 AND shard = $3 ORDER BY id LIMIT 1",
        table);
    int64_t found = 0;

    if (!RUN(store, err, take_int, &found, sql, value_int(id), value_text(issuer),
             value_int(shard)))
        return false;
    *out |= found != 0;
    return true;
}

struct recorded {
    const char *digest;             /* that is looked for */
    bool found, same;
};

static bool take_recorded(void *arg, const struct value *columns, struct ps_err *err)
{
    struct recorded *recorded = arg;

    (void)err;
    recorded->found = true;
    recorded->same = strcmp(value_str(&columns[0]), recorded->digest) == 0;
    return true;
}

bool store_look_at_crl(struct store *store, const char *issuer, int shard, int64_t number,
                       const char *digest, struct store_crl_look *out, struct ps_err *err)
{
    struct store_crl_look look = { 0 };
    struct recorded recorded = { .digest = digest };
    int64_t taken = 0, floor = 0, first = INT64_MAX;

    if (!RUN(store, err, take_recorded, &recorded,
             "SELECT digest FROM crl WHERE issuer = $1 AND shard = $2 AND number = $3",
             value_text(issuer), value_int(shard), value_int(number))
        || !ask_number(store, "SELECT id FROM crl_number WHERE issuer = $1 AND shard = $2"
                              " AND number = $3", issuer, shard, number, &taken, err)
        || !ask_number(store, "SELECT max(number) FROM crl_number n, audit a"
                              " WHERE issuer = $1 AND shard = $2 AND a.id = n.id / $3"
                              " AND a.act = 'adopt'", issuer, shard, ROWS_OF_ACT, &floor, err)
        || !ask_number(store, "SELECT min(number) FROM crl WHERE issuer = $1 AND shard = $2"
                              " AND number <> $3", issuer, shard, number, &first, err)
        || !ask_number(store, "SELECT max(number) FROM crl_out WHERE issuer = $1 AND shard = $2"
                              " AND number > $3", issuer, shard, number, &look.newer, err)
        /* (a number that was not given here has no place among what happened) */
        || (taken && !changed_since(store, "revocation", issuer, shard, taken, &look.outdated, err))
        || (taken && !changed_since(store, "hold_end", issuer, shard, taken, &look.outdated, err)))
        return false;
    /* made by a pgseal that did not record lists yet: its number alone is known */
    look.recorded = recorded.same || (!recorded.found && taken > 0 && number < first);
    look.restored = number < floor;
    look.outdated |= look.restored;
    *out = look;
    return true;
}

struct crl_list_walk {
    store_crl_fn fn;
    void *arg;
};

static bool give_crl(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct crl_list_walk *walk = arg;
    const struct store_crl crl = {
        .issuer = value_str(&columns[0]), .shard = (int)columns[1].number,
        .number = columns[2].number, .entries = columns[3].number,
        .this_update = columns[4].number, .next_update = columns[5].number,
        .digest = value_str(&columns[6]), .der = columns[7].bytes, .der_len = columns[7].len,
    };

    return walk->fn(walk->arg, &crl, err);
}

bool store_each_crl(struct store *store, const char *issuer, store_crl_fn fn, void *arg,
                    struct ps_err *err)
{
    static const char all[] =
        "SELECT issuer, shard, number, entries, this_update, next_update, digest, der FROM crl l"
        " WHERE number = (SELECT max(number) FROM crl n WHERE n.issuer = l.issuer"
        " AND n.shard = l.shard)%s ORDER BY issuer, shard";
    PS_AUTO(ps_freep) char *sql = ps_asprintf(all, issuer ? " AND issuer = $1" : "");
    const struct value wanted = value_text(issuer);
    struct crl_list_walk walk = { fn, arg };

    return store_run(store, sql, &wanted, issuer ? 1 : 0, give_crl, &walk, err);
}

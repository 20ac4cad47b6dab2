/* revoke.c - revocations, and the CRLs that carry them; see store.h. */
#include "store/internal.h"

#include "base/clock.h"

enum { REVOCATION_LEN = 8 };

/* ---- revoke ---- */

struct victim {
    int64_t cert, shard, not_after;
    char *issuer, *serial;
};

struct victims {
    struct victim *at;
    size_t len, cap;
};

static void victims_free(struct victims *victims)
{
    for (size_t i = 0; i < victims->len; i++) {
        free(victims->at[i].issuer);
        free(victims->at[i].serial);
    }
    free(victims->at);
}

static bool take_victim(void *arg, const struct value *columns, struct ps_err *err)
{
    struct victims *victims = arg;

    (void)err;
    PS_PUSH(victims->at, victims->len, victims->cap) = (struct victim){
        .cert = columns[0].number, .shard = columns[1].number, .not_after = columns[2].number,
        .issuer = ps_strdup(value_str(&columns[3])), .serial = ps_strdup(value_str(&columns[4])),
    };
    return true;
}

static bool write_revocations(struct act *act, const struct victims *victims, time_t when,
                              int reason, struct ps_err *err)
{
    PS_AUTO(ps_freep) struct value *rows = ps_calloc(victims->len + 1,
                                                     REVOCATION_LEN * sizeof(*rows));

    for (size_t i = 0; i < victims->len; i++) {
        const struct victim *victim = &victims->at[i];
        const struct value row[REVOCATION_LEN] = {
            value_int(0), value_int(victim->cert), value_text(victim->issuer),
            value_int(victim->shard), value_text(victim->serial), value_int(victim->not_after),
            value_int(when), value_int(reason),
        };
        memcpy(rows + i * REVOCATION_LEN, row, sizeof(row));
    }
    return act_rows(act, PART_REVOCATION, rows, victims->len, err);
}

static bool revoke_and_say(struct act *act, const struct victims *victims, time_t when, int reason,
                           struct ps_err *err)
{
    const struct victim *first = &victims->at[0];
    PS_AUTO(ps_freep) char *detail =
        victims->len == 1 ? ps_asprintf("serial %s, reason %d", first->serial, reason)
                          : ps_asprintf("%zu certificates, reason %d", victims->len, reason);

    return write_revocations(act, victims, when, reason, err)
        && act_end(act, "revoke", first->issuer, detail, err);
}

bool store_revoke(struct store *store, const char *issuer, const char *serial_hex, time_t when,
                  int reason, struct ps_err *err)
{
    const struct store_filter one = { .issuer = issuer, .serial_hex = serial_hex };
    int64_t known = 0, revoked;

    /* two questions are enough: a certificate is never taken out of the ledger */
    if (!store_count(store, &one, &known, err))
        return false;
    if (known > 0)
        return store_revoke_all(store, &one, when, reason, &revoked, err);
    ps_fail(err, PS_E_NOT_FOUND, _("certificate %s is not in the ledger"), serial_hex);
    return ps_detail(err, _("\"%s\" has not issued it here."), issuer);
}

bool store_revoke_all(struct store *store, const struct store_filter *filter, time_t when,
                      int reason, int64_t *out, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(victims_free) struct victims victims = { 0 };

    if (!act_begin(store, &act, err)
        || !store_find_unrevoked(store, filter, take_victim, &victims, err)
        || (victims.len > 0 && !revoke_and_say(&act, &victims, when, reason, err)))
        return false;
    *out = (int64_t)victims.len;
    return true;
}

/* ---- the stream for a CRL ---- */

struct crl_walk {
    store_revoked_fn fn;
    void *arg;
};

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t serial_bytes(const char *hex, size_t len, unsigned char out[STORE_SERIAL_MAX])
{
    size_t n = 0;

    for (; n < STORE_SERIAL_MAX && 2 * n + 1 < len; n++)
        out[n] = (unsigned char)(nibble(hex[2 * n]) << 4 | nibble(hex[2 * n + 1]));
    return n;
}

static bool give_revoked(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct crl_walk *walk = arg;
    unsigned char serial[STORE_SERIAL_MAX];
    const struct store_revoked entry = {
        .serial = serial,
        .serial_len = serial_bytes(value_str(&columns[0]), columns[0].len, serial),
        .when = columns[1].number, .not_after = columns[2].number,
        .reason = (int)columns[3].number,
    };

    return walk->fn(walk->arg, &entry, err);
}

struct listed {
    int64_t until, before_id;   /* expired until then, revoked before: a CRL has listed it */
};

static bool take_listed(void *arg, const struct value *columns, struct ps_err *err)
{
    struct listed *listed = arg;

    (void)err;
    *listed = (struct listed){ columns[0].number, columns[1].number };
    return true;
}

bool store_each_revoked(struct store *store, const char *issuer, int shard, store_revoked_fn fn,
                        void *arg, struct ps_err *err)
{
    struct crl_walk walk = { fn, arg };
    struct listed listed = { 0 };

    /* The act that took the number saw every revocation of earlier acts, and so did its CRL. */
    return RUN(store, err, take_listed, &listed,
               "SELECT l.this_update, n.id FROM crl l JOIN crl_number n ON n.issuer = l.issuer"
               " AND n.shard = l.shard AND n.number = l.number"
               " WHERE l.issuer = $1 AND l.shard = $2 ORDER BY l.number DESC LIMIT 1",
               value_text(issuer), value_int(shard))
        && RUN(store, err, give_revoked, &walk,
               "SELECT serial, revoked_at, not_after, reason FROM revocation"
               " WHERE issuer = $1 AND shard = $2 AND NOT (not_after < $3 AND id < $4)"
               " ORDER BY length(serial), serial",
               value_text(issuer), value_int(shard), value_int(listed.until),
               value_int(listed.before_id));
}

/* ---- CRLs ---- */

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
        (struct series){ ps_strdup(value_str(&columns[0])), (int)columns[1].number };
    return true;
}

bool store_raise_crl_numbers(struct act *act, struct ps_err *err)
{
    PS_AUTO(all_series_free) struct all_series all = { 0 };
    const int64_t now = clock_now();

    if (!RUN(act->store, err, take_series, &all,
             "SELECT issuer, shard FROM crl_number GROUP BY issuer, shard"
             " HAVING max(number) < $1 ORDER BY issuer, shard", value_int(now)))
        return false;
    for (size_t i = 0; i < all.len; i++)
        if (!put_number(act, all.at[i].issuer, all.at[i].shard, now, err))
            return false;
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

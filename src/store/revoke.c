/* revoke.c - revocations, and the CRLs that carry them; see store.h. */
#include "store/internal.h"

#include "base/clock.h"

enum { REVOCATION_LEN = 8, HOLD_END_LEN = 5 };

/* ---- revoke ---- */

struct victim {
    int64_t cert, shard, not_after;
    int64_t hold;           /* the revocation that is in force; 0: none */
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
        .hold = columns[5].number,
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

/* "serial 4e5a..., reason 1", or how many. */
static char *what_happened(const struct victims *victims, const char *more)
{
    return victims->len == 1 ? ps_asprintf("serial %s%s", victims->at[0].serial, more)
                             : ps_asprintf("%zu certificates%s", victims->len, more);
}

static bool revoke_and_say(struct store *store, const struct victims *victims, time_t when,
                           int reason, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *more = ps_asprintf(", reason %d", reason);
    PS_AUTO(ps_freep) char *detail = what_happened(victims, more);

    return act_begin(store, &act, err) && write_revocations(&act, victims, when, reason, err)
        && act_end(&act, "revoke", victims->at[0].issuer, detail, err);
}

/* ---- holds ---- */

static size_t put_hold_ends(const struct victims *victims, time_t when, struct value *rows)
{
    size_t len = 0;

    for (size_t i = 0; i < victims->len; i++) {
        const struct victim *victim = &victims->at[i];
        const struct value row[HOLD_END_LEN] = {
            value_int(0), value_int(victim->hold), value_text(victim->issuer),
            value_int(victim->shard), value_int(when),
        };
        if (victim->hold)
            memcpy(rows + len++ * HOLD_END_LEN, row, sizeof(row));
    }
    return len;
}

/* Nothing happens when none is on hold. */
static bool end_holds(struct store *store, const struct victims *victims, time_t when,
                      const char *name, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) struct value *rows = ps_calloc(victims->len + 1,
                                                     HOLD_END_LEN * sizeof(*rows));
    PS_AUTO(ps_freep) char *detail = what_happened(victims, "");
    const size_t len = put_hold_ends(victims, when, rows);

    return len == 0
        || (act_begin(store, &act, err) && act_rows(&act, PART_HOLD_END, rows, len, err)
            && act_end(&act, name, victims->at[0].issuer, detail, err));
}

/* Two acts at most, in one transaction: the caller's group, or one of our own. */
struct own_group {
    struct store *store;
};

static bool own_begin(struct store *store, struct own_group *group, struct ps_err *err)
{
    if (!store_may_change(store, err))
        return false;
    if (store->grouped)
        return true;
    if (!store_begin(store, err))
        return false;
    group->store = store;
    return true;
}

static bool own_commit(struct own_group *group, struct ps_err *err)
{
    struct store *store = PS_TAKE(group->store);

    return !store || store_commit(store, err);
}

static void own_cancel(struct own_group *group)
{
    if (group->store)
        store_cancel(group->store);
}

bool store_release_all(struct store *store, const struct store_filter *filter, time_t when,
                       int64_t *out, struct ps_err *err)
{
    PS_AUTO(own_cancel) struct own_group group = { 0 };
    PS_AUTO(victims_free) struct victims victims = { 0 };

    if (!own_begin(store, &group, err)
        || !store_find_held(store, filter, take_victim, &victims, err)
        || !end_holds(store, &victims, when, "release", err) || !own_commit(&group, err))
        return false;
    *out = (int64_t)victims.len;
    return true;
}

/* ---- revoke, for good or on hold ---- */

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
    PS_AUTO(own_cancel) struct own_group group = { 0 };
    PS_AUTO(victims_free) struct victims victims = { 0 };

    if (!own_begin(store, &group, err)
        || !store_find_revocable(store, filter, reason, take_victim, &victims, err)
        || !end_holds(store, &victims, when, "hold-end", err)
        || (victims.len > 0 && !revoke_and_say(store, &victims, when, reason, err))
        || !own_commit(&group, err))
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

/* The last list that got out; the act that took its number saw every revocation of earlier acts. */
static bool find_listed(struct store *store, const char *issuer, int shard, struct listed *out,
                        struct ps_err *err)
{
    return RUN(store, err, take_listed, out,
               "SELECT l.this_update, n.id FROM crl_out o JOIN crl l ON l.issuer = o.issuer"
               " AND l.shard = o.shard AND l.number = o.number"
               " JOIN crl_number n ON n.issuer = o.issuer AND n.shard = o.shard"
               " AND n.number = o.number"
               " WHERE o.issuer = $1 AND o.shard = $2 ORDER BY o.number DESC LIMIT 1",
               value_text(issuer), value_int(shard));
}

/* Few issuers ever had a hold: the others do not pay for looking at each entry. */
static bool had_holds(struct store *store, const char *issuer, int shard, bool *out,
                      struct ps_err *err)
{
    int64_t found = 0;

    if (!RUN(store, err, take_int, &found,
             "SELECT 1 FROM hold_end WHERE issuer = $1 AND shard = $2 LIMIT 1", value_text(issuer),
             value_int(shard)))
        return false;
    *out = found != 0;
    return true;
}

bool store_each_revoked(struct store *store, const char *issuer, int shard, store_revoked_fn fn,
                        void *arg, struct ps_err *err)
{
    struct crl_walk walk = { fn, arg };
    struct listed listed = { 0 };
    bool holds = false;

    if (!find_listed(store, issuer, shard, &listed, err)
        || !had_holds(store, issuer, shard, &holds, err))
        return false;
    PS_AUTO(ps_freep) char *sql = ps_asprintf(
        "SELECT serial, revoked_at, not_after, reason FROM revocation r"
        " WHERE issuer = $1 AND shard = $2 AND NOT (not_after < $3 AND id < $4)%s"
        " ORDER BY length(serial), serial",
        holds ? " AND NOT EXISTS (SELECT 1 FROM hold_end h WHERE h.revocation = r.id)" : "");
    return RUN(store, err, give_revoked, &walk, sql, value_text(issuer), value_int(shard),
               value_int(listed.until), value_int(listed.before_id));
}

/* act.c - changes with their row in the audit log, and groups of them; see internal.h. */
#include "store/internal.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "base/clock.h"

const struct part_info parts[PART_LEN] = {
    [PART_NONE] = { .name = NULL },
    [PART_CERT] = {
        .name = "cert", .len = 13,
        .columns = "id, issuer, serial, subject, kind, fingerprint, not_before, not_after,"
                   " recorded_at, common_name, hosts, shard, der",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    },
    [PART_REVOCATION] = {
        .name = "revocation", .len = 8,
        .columns = "id, cert, issuer, shard, serial, not_after, revoked_at, reason",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    },
    [PART_HOLD_END] = {
        .name = "hold_end", .len = 5, .columns = "id, revocation, issuer, shard, ended_at",
        .insert = "VALUES ($1, $2, $3, $4, $5)",
    },
    [PART_CRL_NUMBER] = {
        .name = "crl_number", .len = 4, .columns = "id, issuer, shard, number",
        .insert = "VALUES ($1, $2, $3, $4)",
    },
    [PART_CRL] = {
        .name = "crl", .len = 9,
        .columns = "id, issuer, shard, number, entries, this_update, next_update, digest, der",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    },
    [PART_CRL_OUT] = {
        .name = "crl_out", .len = 4, .columns = "id, issuer, shard, number",
        .insert = "VALUES ($1, $2, $3, $4)",
    },
    [PART_REQUEST] = {
        .name = "request", .len = 6, .columns = "id, kind, subject, digest, der, recorded_at",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6)",
    },
    [PART_AUTHORITY] = {
        .name = "authority", .len = 9,
        .columns = "id, name, state, parent, key, revoked, subject, der, recorded_at",
        .insert = "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    },
    [PART_SETTING] = {
        .name = "setting", .len = 3, .columns = "id, key, value", .insert = "VALUES ($1, $2, $3)",
    },
};

/* ---- groups ---- */

static bool is_there(struct store *store, bool *out, struct ps_err *err)
{
    int64_t found = 0;

    /* as a writer: a commit that the old connection is still at is waited for */
    if (!store->engine->again(store->db, err) || !store->engine->begin(store->db, true, err))
        return false;
    bool read = RUN(store, err, take_int, &found, "SELECT 1 FROM audit WHERE id = $1 AND hash = $2",
                    value_int(store->last_act), value_text(store->last_hash));
    store->engine->rollback(store->db);
    *out = found != 0;
    return read;
}

bool store_finish(struct store *store, struct ps_err *err)
{
    struct ps_err later = { 0 };
    bool unknown = false, done = false;

    if (store->engine->commit(store->db, &unknown, err))
        return true;
    if (!unknown) {
        store->engine->rollback(store->db);
        return false;
    }
    if (!is_there(store, &done, &later)) {
        ps_detail(err, _("Whether the last change was made could not be found out: %s."),
                  later.message);
        return ps_hint(err, _("Look for act %lld in the audit log before you do it again."),
                       (long long)store->last_act);
    }
    if (done)
        ps_err_clear(err);
    return done;
}

bool store_begin(struct store *store, struct ps_err *err)
{
    if (store->grouped)
        return ps_fail(err, PS_E_BUG, "a group is open already");
    store->grouped = store->engine->begin(store->db, true, err);
    return store->grouped;
}

bool store_commit(struct store *store, struct ps_err *err)
{
    if (!store->grouped)
        return ps_fail(err, PS_E_BUG, "no group is open");
    store->grouped = false;
    return store_finish(store, err);
}

void store_cancel(struct store *store)
{
    if (store->grouped)
        store->engine->rollback(store->db);
    store->grouped = false;
}

/* ---- one act ---- */

static bool take_head(void *arg, const struct value *columns, struct ps_err *err)
{
    struct act *act = arg;

    (void)err;
    act->id = columns[0].number + 1;
    snprintf(act->before, sizeof(act->before), "%s", value_str(&columns[1]));
    return true;
}

void act_cancel(struct act *act)
{
    if (act->store && !act->store->grouped)
        act->store->engine->rollback(act->store->db);
    act->store = NULL;
}

bool act_join(struct store *store, struct act *act, struct ps_err *err)
{
    *act = (struct act){ .store = store };
    return store->engine->run(store->db, "SELECT id, hash FROM audit_head", NULL, 0, take_head, act,
                              err);
}

bool act_begin_unguarded(struct store *store, struct act *act, struct ps_err *err)
{
    if (!store->grouped && !store->engine->begin(store->db, true, err))
        return false;
    return act_join(store, act, err);
}

bool store_may_change(const struct store *store, struct ps_err *err)
{
    if (!store->info.copied)
        return true;
    ps_fail(err, PS_E_UNSAFE, _("the ledger \"%s\" is a copy"), store->where);
    ps_detail(err, _("It belongs to: %s. It is at: %s. Two authorities that issue from one ledger "
                     "do not know what the other one revoked."),
              store->home, store->place);
    return ps_hint(err, _("If the other one is gone for good, run: pgseal ca restore --adopt"));
}

bool act_begin(struct store *store, struct act *act, struct ps_err *err)
{
    return store_may_change(store, err) && act_begin_unguarded(store, act, err);
}

bool act_rows(struct act *act, enum part part, struct value *values, size_t rows,
              struct ps_err *err)
{
    const struct part_info *info = &parts[part];
    PS_AUTO(ps_freep) char *sql = ps_asprintf("INSERT INTO %s (%s) %s", info->name, info->columns,
                                              info->insert);

    if (act->part != PART_NONE && act->part != part)
        return ps_fail(err, PS_E_BUG, "an act writes into one table");
    if (rows > (size_t)(ROWS_OF_ACT - act->rows))
        return ps_fail(err, PS_E_TOO_BIG, _("more than %d rows at once"), ROWS_OF_ACT);
    act->part = part;
    for (size_t i = 0; i < rows; i++) {
        struct value *row = values + i * (size_t)info->len;

        row[0] = value_int(act->id * ROWS_OF_ACT + act->rows++);
        chain_add(&act->covers, row, info->len);
    }
    return act->store->engine->run_many(act->store->db, sql, values, info->len, rows, err);
}

static void user_name(char *out, size_t size)
{
    char room[4096];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) == 0 && found)
        snprintf(out, size, "%s", found->pw_name);
    else
        snprintf(out, size, "uid %u", (unsigned)geteuid());
}

/* The row of the log, in the order of its columns; `before` and all but the hash are hashed. */
bool act_end(struct act *act, const char *name, const char *object, const char *detail,
             struct ps_err *err)
{
    struct store *store = act->store;
    struct chain hash = { "" };
    char who[64], host[256] = "?";

    user_name(who, sizeof(who));
    gethostname(host, sizeof(host) - 1);
    const struct value row[] = {
        value_int(act->id), value_int(clock_now()), value_text(who), value_text(host),
        value_int(getpid()), value_text(name), value_text(object), value_text(detail),
        value_text(parts[act->part].name), value_int(act->rows), value_text(act->covers.hex),
    };
    memcpy(hash.hex, act->before, sizeof(hash.hex));
    chain_add(&hash, row, PS_COUNT(row));

    struct value full[PS_COUNT(row) + 1];
    memcpy(full, row, sizeof(row));
    full[PS_COUNT(row)] = value_text(hash.hex);
    if (!store_run(store, "INSERT INTO audit (id, at, who, host, pid, act, object, detail, part,"
                          " part_rows, covers, hash)"
                          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                   full, PS_COUNT(full), NULL, NULL, err)
        || !RUN(store, err, NULL, NULL, "UPDATE audit_head SET id = $1, hash = $2",
                value_int(act->id), value_text(hash.hex)))
        return false;
    store->last_act = act->id;
    memcpy(store->last_hash, hash.hex, sizeof(hash.hex));
    if (store->grouped) {
        act->store = NULL;
        return true;
    }
    act->store = NULL;      /* a commit that fails has undone it */
    return store_finish(store, err);
}

bool store_note(struct store *store, const char *name, const char *object, const char *detail,
                struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };

    return act_begin(store, &act, err) && act_end(&act, name, object, detail, err);
}

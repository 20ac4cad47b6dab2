/* open.c - a ledger opened, brought up to date, and known to be where it belongs; see store.h. */
#include "store/internal.h"

#include <strings.h>
#include <sys/random.h>

static const struct store_engine *engine_of(const char *where)
{
    return store_is_remote(where) ? &engine_postgresql : &engine_sqlite;
}

/* A path may hold "=", but not in its first word before any slash: that is libpq's "host=...". */
bool store_is_remote(const char *where)
{
    size_t word = strspn(where, "abcdefghijklmnopqrstuvwxyz_");

    if (strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0)
        return true;
    return word > 0 && where[word + strspn(where + word, " ")] == '=';
}

bool store_run(struct store *store, const char *sql, const struct value *values, int len, row_fn fn,
               void *arg, struct ps_err *err)
{
    return store->engine->run(store->db, sql, values, len, fn, arg, err);
}

bool take_int(void *arg, const struct value *columns, struct ps_err *err)
{
    (void)err;
    if (columns[0].type == VALUE_INT)
        *(int64_t *)arg = columns[0].number;
    return true;
}

void store_free(struct store *store)
{
    if (store->db) {
        store_cancel(store);
        store->engine->close(store->db);
    }
    free(store->where);
    free(store->place);
    free(store->home);
    free(store);
}

/* ---- migrations ---- */

static bool fail_newer(const struct store *store, int64_t version, struct ps_err *err)
{
    ps_fail(err, PS_E_UNSUPPORTED, _("the ledger \"%s\" was written by a newer pgseal"),
            store->where);
    ps_detail(err, _("Its format is %lld; this pgseal knows %d."), (long long)version,
              store->engine->migrations_len);
    return ps_hint(err, _("Use that pgseal, or a newer one."));
}

static bool set_id(struct store *store, struct ps_err *err)
{
    unsigned char bytes[(STORE_ID_HEX - 1) / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return ps_fail(err, PS_E_CRYPTO, _("could not get random bytes: %m"));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(store->id + 2 * i, 3, "%02x", bytes[i]);
    return RUN(store, err, NULL, NULL, "INSERT INTO ledger (key, value) VALUES ('id', $1)",
               value_text(store->id));
}

static bool migrate_from(struct store *store, int64_t version, struct ps_err *err)
{
    const struct store_engine *engine = store->engine;

    if (version > engine->migrations_len)
        return fail_newer(store, version, err);
    for (int64_t i = version; i < engine->migrations_len; i++)
        if (engine->migrations[i] && !engine->script(store->db, engine->migrations[i], err))
            return false;
    if (version == engine->migrations_len)
        return true;
    if (!engine->set_version(store->db, engine->migrations_len, err))
        return false;
    /* what has an identity keeps it: a copy stays a copy */
    return version < VERSION_WITH_ACTS
        ? set_id(store, err) && store_fix_home(store, err) && store_first_acts(store, version, err)
        : store_note_migration(store, version, err);
}

/* Two may open a new ledger at once: the version is read again inside the transaction. */
static bool migrate(struct store *store, struct ps_err *err)
{
    const struct store_engine *engine = store->engine;
    int64_t version = 0;
    bool unknown;

    if (!engine->version(store->db, &version, err))
        return false;
    if (version == engine->migrations_len)
        return true;
    if (!engine->begin_migration(store->db, err))
        return false;
    if (engine->version(store->db, &version, err) && migrate_from(store, version, err)
        && engine->commit(store->db, &unknown, err))
        return true;
    engine->rollback(store->db);
    return false;
}

/* ---- identity ---- */

bool store_fix_home(struct store *store, struct ps_err *err)
{
    return RUN(store, err, NULL, NULL,
               "INSERT INTO ledger (key, value) VALUES ('home', $1)"
               " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
               value_text(store->place));
}

static bool take_identity(void *arg, const struct value *columns, struct ps_err *err)
{
    struct store *store = arg;

    (void)err;
    if (strcmp(value_str(&columns[0]), "id") == 0)
        snprintf(store->id, sizeof(store->id), "%s", value_str(&columns[1]));
    else if (strcmp(value_str(&columns[0]), "home") == 0) {
        free(store->home);
        store->home = ps_strdup(value_str(&columns[1]));
    }
    return true;
}

bool store_reread(struct store *store, struct ps_err *err)
{
    if (!store->engine->run(store->db, "SELECT key, value FROM ledger", NULL, 0, take_identity,
                            store, err))
        return false;
    if (!store->home)
        store->home = ps_strdup("");
    store->info = (struct store_info){
        .engine = store->engine->name, .where = store->where, .id = store->id,
        .version = store->engine->migrations_len, .place = store->place, .home = store->home,
        .copied = strcmp(store->place, store->home) != 0,
    };
    return true;
}

bool store_open(const char *where, struct store **out, struct ps_err *err)
{
    PS_AUTO(store_freep) struct store *store = ps_calloc(1, sizeof(*store));

    store->engine = engine_of(where);
    if (!store->engine->open(where, &store->db, err))
        return false;
    store->where = store->engine->where(store->db);
    if (!store->engine->place(store->db, &store->place, err) || !migrate(store, err)
        || !store_reread(store, err))
        return false;
    *out = PS_TAKE(store);
    return true;
}

const struct store_info *store_info(const struct store *store)
{
    return &store->info;
}

bool store_hold(struct store *store, struct ps_err *err)
{
    return store->engine->hold(store->db, true, err);
}

void store_unhold(struct store *store)
{
    struct ps_err broken = { 0 };       /* then it holds nothing any more */

    (void)!store->engine->hold(store->db, false, &broken);
}

static bool adopt(struct act *act, const char *before, struct ps_err *err)
{
    return store_fix_home(act->store, err) && store_raise_crl_numbers(act, err)
        && act_end(act, "adopt", act->store->place, before, err);
}

bool store_adopt(struct store *store, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *before = ps_strdup(store->home);

    return act_begin_unguarded(store, &act, err) && adopt(&act, before, err)
        && store_reread(store, err);
}

bool store_adopt_inside(struct store *store, const char *before, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };

    store->grouped = true;      /* the caller commits */
    bool adopted = act_join(store, &act, err) && adopt(&act, before, err);
    store->grouped = false;
    return adopted;
}

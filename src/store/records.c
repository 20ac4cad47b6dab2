/* records.c - requests, authorities and settings; see store.h. */
#include "store/internal.h"

#include "base/clock.h"

/* ---- requests ---- */

bool store_put_request(struct store *store, const struct store_request *request,
                       struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    struct value row[] = {
        value_int(0), value_text(request->kind), value_text(request->subject),
        value_text(request->digest), value_blob(request->der, request->der_len),
        value_int(clock_now()),
    };

    return act_begin(store, &act, err) && act_rows(&act, PART_REQUEST, row, 1, err)
        && act_end(&act, "request", request->subject, request->digest, err);
}

struct request_walk {
    store_request_fn fn;
    void *arg;
};

static bool give_request(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct request_walk *walk = arg;
    const struct store_request request = {
        .id = columns[0].number, .kind = value_str(&columns[1]),
        .subject = value_str(&columns[2]), .digest = value_str(&columns[3]),
        .der = columns[4].bytes, .der_len = columns[4].len, .recorded_at = columns[5].number,
    };

    return walk->fn(walk->arg, &request, err);
}

bool store_each_request(struct store *store, store_request_fn fn, void *arg, struct ps_err *err)
{
    struct request_walk walk = { fn, arg };

    return store_run(store, "SELECT id, kind, subject, digest, der, recorded_at FROM request"
                            " ORDER BY id", NULL, 0, give_request, &walk, err);
}

/* ---- authorities: the last row of a name and generation says how it is ---- */

static const char *const state_names[] = {
    [STORE_ACTIVE] = "active", [STORE_RETIRED] = "retired", [STORE_OFFLINE] = "offline",
};

bool store_put_authority(struct store *store, const struct store_authority *authority,
                         struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    PS_AUTO(ps_freep) char *detail =
        ps_asprintf("generation %d, %s", authority->generation, state_names[authority->state]);
    struct value row[] = {
        value_int(0), value_text(authority->name), value_int(authority->generation),
        value_int(authority->state), value_text(authority->key ? authority->key : ""),
        value_blob(authority->der, authority->der_len), value_int(clock_now()),
    };

    return act_begin(store, &act, err) && act_rows(&act, PART_AUTHORITY, row, 1, err)
        && act_end(&act, "authority", authority->name, detail, err);
}

struct authority_walk {
    store_authority_fn fn;
    void *arg;
};

static bool give_authority(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct authority_walk *walk = arg;
    const struct store_authority authority = {
        .name = value_str(&columns[0]), .generation = (int)columns[1].number,
        .state = (enum store_authority_state)columns[2].number, .key = value_str(&columns[3]),
        .der = columns[4].bytes, .der_len = columns[4].len, .recorded_at = columns[5].number,
    };

    return walk->fn(walk->arg, &authority, err);
}

bool store_each_authority(struct store *store, const char *name, store_authority_fn fn, void *arg,
                          struct ps_err *err)
{
    PS_AUTO(ps_freep) char *sql = ps_asprintf(
        "SELECT name, generation, state, key, der, recorded_at FROM authority a"
        " WHERE id = (SELECT max(id) FROM authority n WHERE n.name = a.name"
        " AND n.generation = a.generation)%s ORDER BY name, generation",
        name ? " AND name = $1" : "");
    const struct value wanted = value_text(name);
    struct authority_walk walk = { fn, arg };

    return store_run(store, sql, &wanted, name ? 1 : 0, give_authority, &walk, err);
}

/* ---- settings: the last value of a key is in force ---- */

bool store_set(struct store *store, const char *key, const char *value, struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    struct value row[] = { value_int(0), value_text(key), value_text(value) };

    return act_begin(store, &act, err) && act_rows(&act, PART_SETTING, row, 1, err)
        && act_end(&act, "set", key, value, err);
}

static bool take_text(void *arg, const struct value *columns, struct ps_err *err)
{
    char **out = arg;

    (void)err;
    free(*out);
    *out = ps_strdup(value_str(&columns[0]));
    return true;
}

bool store_get(struct store *store, const char *key, char **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *value = NULL;

    if (!RUN(store, err, take_text, &value,
             "SELECT value FROM setting WHERE key = $1 ORDER BY id DESC LIMIT 1", value_text(key)))
        return false;
    *out = PS_TAKE(value);
    return true;
}

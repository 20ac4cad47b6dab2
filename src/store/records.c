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

/* ---- authorities: the last row of a name says how it is ---- */

static const char *const state_names[] = {
    [STORE_WAITING] = "waiting", [STORE_NEXT] = "next", [STORE_ACTIVE] = "active",
    [STORE_OLD] = "old", [STORE_RETIRED] = "retired",
};

bool store_put_authority(struct store *store, const struct store_authority *authority,
                         struct ps_err *err)
{
    PS_AUTO(act_cancel) struct act act = { 0 };
    struct value row[] = {
        value_int(0), value_text(authority->name), value_int(authority->state),
        value_text(authority->parent), value_text(authority->key), value_int(authority->revoked),
        value_text(authority->subject), value_blob(authority->der, authority->der_len),
        value_int(clock_now()),
    };

    return act_begin(store, &act, err) && act_rows(&act, PART_AUTHORITY, row, 1, err)
        && act_end(&act, "authority", authority->name, state_names[authority->state], err);
}

struct authority_walk {
    store_authority_fn fn;
    void *arg;
};

static bool give_authority(void *arg, const struct value *columns, struct ps_err *err)
{
    const struct authority_walk *walk = arg;
    const struct store_authority authority = {
        .name = value_str(&columns[0]), .state = (enum store_authority_state)columns[1].number,
        .parent = value_str(&columns[2]), .key = value_str(&columns[3]),
        .revoked = columns[4].number != 0, .subject = value_str(&columns[5]),
        .der = columns[6].bytes, .der_len = columns[6].len, .recorded_at = columns[7].number,
        .host = value_str(&columns[8]),
    };

    if (columns[1].number < 0 || columns[1].number > STORE_RETIRED)
        return ps_fail(err, PS_E_STORE, _("the ledger has an authority in an unknown state"));
    return walk->fn(walk->arg, &authority, err);
}

bool store_each_authority(struct store *store, store_authority_fn fn, void *arg,
                          struct ps_err *err)
{
    struct authority_walk walk = { fn, arg };

    return RUN(store, err, give_authority, &walk,
               "SELECT a.name, a.state, a.parent, a.key, a.revoked, a.subject, a.der,"
               " a.recorded_at, u.host FROM authority a"
               " JOIN (SELECT min(id) AS made, max(id) AS now FROM authority GROUP BY name) s"
               " ON s.now = a.id JOIN audit u ON u.id = s.made / $1 ORDER BY s.made",
               value_int(ROWS_OF_ACT));
}

bool store_authorities_version(struct store *store, int64_t *out, struct ps_err *err)
{
    int64_t newest = 0;

    if (!store_run(store, "SELECT max(id) FROM authority", NULL, 0, take_int, &newest, err))
        return false;
    *out = newest;
    return true;
}

bool store_may_issue(struct store *store, const char *issuer, struct ps_err *err)
{
    int64_t state = STORE_ACTIVE;

    if (!RUN(store, err, take_int, &state,
             "SELECT state FROM authority WHERE subject = $1 ORDER BY id DESC LIMIT 1",
             value_text(issuer)))
        return false;
    return state != STORE_RETIRED
        || ps_fail(err, PS_E_UNSAFE, _("the authority \"%s\" was retired: it issues no more"),
                   issuer);
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

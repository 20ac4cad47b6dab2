/* target.c - prove.h's other question: which attacks does this connection string withstand? */
#include "base/clock.h"
#include "pg/conninfo.h"
#include "pg/libpq.h"
#include "prove/siege.h"
#include "prove/stop.h"

enum { TIMEOUT_MS = 5000 };

/* What libpq makes of the string: what it says, and what environment, service and defaults add. */
struct resolved {
    PQconninfoOption *said, *defaults;
};

static void resolved_free(struct resolved *resolved)
{
    if (!resolved->said)            /* nor need libpq be there */
        return;
    pq.conninfoFree(resolved->said);
    pq.conninfoFree(resolved->defaults);
}

static const char *option_in(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && *options->val ? options->val : NULL;
    return NULL;
}

static const char *option(const struct resolved *resolved, const char *keyword)
{
    const char *said = option_in(resolved->said, keyword);

    return said ? said : option_in(resolved->defaults, keyword);
}

static bool resolve(const char *dsn, struct resolved *out, struct ps_err *err)
{
    char *words = NULL;

    if (!pq_load(err))
        return false;
    out->said = pq.conninfoParse(dsn, &words);
    if (!out->said) {
        ps_fail(err, PS_E_USAGE, _("cannot read the connection string"));
        ps_detail(err, "%s", words ? words : "");
        pq.freemem(words);
        return false;
    }
    /* conndefaults() reads the service that PGSERVICE names, as a connection would */
    const char *service = option_in(out->said, "service");
    if (service)
        setenv("PGSERVICE", service, 1);
    out->defaults = pq.conndefaults();
    return true;
}

static const char *whence(const struct resolved *resolved, struct arena *arena)
{
    const char *sslmode = option(resolved, "sslmode");
    const char *set = getenv("PGSSLMODE"), *service = option(resolved, "service");

    if (option_in(resolved->said, "sslmode"))
        return _("the connection string");
    if (set && sslmode && strcmp(set, sslmode) == 0)
        return _("PGSSLMODE in the environment");
    return service ? arena_printf(arena, _("the service \"%s\", or libpq's default"), service)
                   : _("libpq's default");
}

/* The first of several hosts. */
static const char *first_of(const char *list, struct arena *arena)
{
    return list ? arena_strndup(arena, list, strcspn(list, ",")) : NULL;
}

static bool over_network(const struct resolved *resolved, const char *host, struct ps_err *err)
{
    bool name = host && *host && *host != '/' && *host != '@';

    if (name || option(resolved, "hostaddr"))
        return true;
    ps_fail(err, PS_E_NET, _("the connection string goes to a Unix-domain socket"));
    ps_detail(err, _("There is no network in between, and so no place for an attacker; PostgreSQL "
                     "speaks no TLS there."));
    return ps_hint(err, _("Name a host in it, as the application on another machine does."));
}

/* What belongs to the true server, holds a secret, or would leave traces. */
static bool left_out(const char *keyword)
{
    static const char *const words[] = { "host", "hostaddr", "port", "password", "passfile",
                                         "service", "servicefile", "sslkeylogfile",
                                         "sslnegotiation", "scram_client_key",
                                         "scram_server_key", "oauth_client_secret" };

    for (size_t i = 0; i < PS_COUNT(words); i++)
        if (strcmp(keyword, words[i]) == 0)
            return true;
    return false;
}

static void as_the_application(const struct resolved *resolved, const char *host,
                               struct attempt *client)
{
    for (const PQconninfoOption *one = resolved->said; one->keyword; one++)
        if (!left_out(one->keyword))
            attempt_set(client, one->keyword, option(resolved, one->keyword));
    attempt_set(client, "host", host);
}

/* The same string with sslmode=verify-full, without what is secret. */
static const char *better(const struct resolved *resolved, struct arena *arena)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    for (const PQconninfoOption *one = resolved->said; one->keyword; one++)
        if (one->val && *one->val && strcmp(one->keyword, "sslmode") != 0
            && !strstr(one->keyword, "password") && !strstr(one->keyword, "secret")
            && strncmp(one->keyword, "scram_", 6) != 0)
            conninfo_add(&out, one->keyword, one->val);
    conninfo_add(&out, "sslmode", "verify-full");
    if (!option(resolved, "sslrootcert"))
        conninfo_add(&out, "sslrootcert", "/path/to/root.crt");
    return arena_strdup(arena, out.p);
}

static bool besiege(const struct resolved *resolved, struct material *material, int timeout_ms,
                    struct prove_result *result, struct ps_err *err)
{
    PS_AUTO(arms_free) struct arms arms = { 0 };
    struct prove_siege siege = { .sslmode = arena_strdup(result->arena,
                                                         option(resolved, "sslmode")) };

    arms_forge(material, result->host ? result->host : "localhost", &arms);
    for (enum attack attack = ATTACK_STRIP; attack < ATTACK_COUNT; attack++) {
        struct attempt client = { .timeout_ms = timeout_ms };
        struct prove_stand *stand = &siege.against[attack];

        if (!stop_none(err))
            return false;
        as_the_application(resolved, result->host, &client);
        if (attack == ATTACK_WRONG_NAME && arms.stray) {
            attempt_set(&client, "sslrootcert", material->stranger_root);
            attempt_set(&client, "sslcrl", material->nothing);
            attempt_set(&client, "sslcrldir", NULL);
        }
        siege_one(&arms, attack, &client, material->nothing, result->arena, stand);
        stand->expected = true;
        if (stand->verdict == PROVE_PASS && !stand->withstood)
            stand->verdict = PROVE_FAIL;
    }
    if (arms.stray)
        result->note = _("For the wrong name a throw-away CA stood in for sslrootcert, for no CA "
                         "that could sign was given (--ca).");
    PS_PUSH(result->sieges, result->sieges_len, result->sieges_cap) = siege;
    return true;
}

static void tell(const struct resolved *resolved, struct prove_result *result)
{
    struct arena *arena = result->arena;
    const char *user = option(resolved, "user"), *database = option(resolved, "dbname");

    result->is_target = true;
    result->role = user ? arena_strdup(arena, user) : NULL;
    result->database = database ? arena_strdup(arena, database) : result->role;
    result->sslmode_from = whence(resolved, arena);
    if (strcmp(option(resolved, "sslmode"), "verify-full") != 0)
        result->write_instead = better(resolved, arena);
}

bool prove_target(const struct prove_target_spec *spec, struct prove_result **out,
                  struct ps_err *err)
{
    PS_AUTO(prove_result_freep) struct prove_result *result = prove_result_new();
    PS_AUTO(attempt_env_show) struct attempt_env env = { 0 };
    PS_AUTO(resolved_free) struct resolved resolved = { 0 };
    PS_AUTO(stop_release) struct stop stop;
    PS_AUTO(material_free) struct material material = { 0 };
    int64_t begin = clock_mono_us();

    stop_catch(&stop);
    if (!resolve(spec->dsn, &resolved, err))
        return false;
    result->host = first_of(option(&resolved, "host"), result->arena);
    if (!over_network(&resolved, result->host, err))
        return false;
    tell(&resolved, result);
    attempt_env_hide(&env);         /* it is in `resolved` now */
    if (!material_make(spec->ca, NULL, &material, err)
        || !besiege(&resolved, &material, spec->timeout_ms ? spec->timeout_ms : TIMEOUT_MS, result,
                    err))
        return false;
    result->ms = (double)(clock_mono_us() - begin) / 1000;
    *out = PS_TAKE(result);
    return true;
}

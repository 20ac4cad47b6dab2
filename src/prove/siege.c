/* siege.c - see siege.h. */
#include "prove/siege.h"

#include "prove/attack.h"
#include "prove/stop.h"

void arms_free(struct arms *arms)
{
    for (size_t i = 0; i < ATTACK_COUNT; i++)
        tls_ctx_freep(&arms->ctx[i]);
}

void arms_forge(struct material *material, const char *host, struct arms *out)
{
    struct ps_err err = { 0 };

    *out = (struct arms){ .stray = !material->ca };
    for (enum attack attack = ATTACK_SELF_SIGNED; attack < ATTACK_COUNT; attack++) {
        struct tls_ctx **ctx = &out->ctx[attack];

        if (material_forge(material, attack, material->ca, host, ctx, &err))
            continue;
        /* a CA whose keys are offline: the stranger stands in */
        if (attack == ATTACK_WRONG_NAME
            && material_forge(material, attack, NULL, host, ctx, &err))
            out->stray = true;
        else
            snprintf(out->why_not, sizeof(out->why_not), "%s", err.message);
    }
}

static const char *loot(const struct attack_seen *seen, struct arena *arena)
{
    return arena_printf(arena, *seen->password
                        ? _("the attacker saw role \"%s\" and database \"%s\" %s, and the password")
                        : _("the attacker saw role \"%s\" and database \"%s\" %s, but no password"),
                        seen->user, seen->database,
                        seen->tls ? _("inside its own TLS") : _("on plaintext"));
}

void siege_one(struct arms *arms, enum attack attack, struct attempt *client,
               const char *nothing, struct arena *arena, struct prove_stand *out)
{
    PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
    struct attacker *attacker;
    struct attack_seen seen;
    struct ps_err err;
    char port[8];
    int number;

    *out = (struct prove_stand){ .verdict = PROVE_NOT_EXAMINED };
    if (attack != ATTACK_STRIP && !arms->ctx[attack]) {
        out->why = arena_strdup(arena, arms->why_not);
        return;
    }
    if (!attacker_start(arms->ctx[attack], client->timeout_ms, &attacker, &number, &err)) {
        out->why = arena_strdup(arena, err.message);
        return;
    }
    snprintf(port, sizeof(port), "%d", number);
    attempt_set(client, "hostaddr", "127.0.0.1");
    attempt_set(client, "port", port);
    attempt_set(client, "password", SIEGE_PASSWORD);
    attempt_set(client, "passfile", nothing);
    attempt_run(client, &result);
    attempt_set(client, "port", NULL);          /* `port` goes out of scope */
    attacker_stop(attacker, &seen);

    out->ms = result.ms;
    out->withstood = !seen.startup;
    out->evidence = seen.startup ? loot(&seen, arena) : arena_strdup(arena, buf_text(&result.words));
    if (seen.startup || (seen.tried && result.end == WAY_REFUSED))
        out->verdict = PROVE_PASS;
    else
        out->why = arena_strdup(arena, _("The client did not come so far that it could be attacked."));
}

static void besiege(struct material *material, struct arms *arms, const char *sslmode, bool root,
                    struct prove_result *result, int timeout_ms)
{
    struct prove_siege siege = { .sslmode = sslmode, .root = root };
    const char *anchor = material->root ? material->root : material->stranger_root;

    for (enum attack attack = ATTACK_STRIP; attack < ATTACK_COUNT; attack++) {
        struct prove_stand *stand = &siege.against[attack];
        struct attempt client = { .timeout_ms = timeout_ms };
        bool stray = attack == ATTACK_WRONG_NAME && arms->stray;

        attempt_set(&client, "host", result->host);
        attempt_set(&client, "user", result->role);
        attempt_set(&client, "dbname", result->database);
        attempt_set(&client, "sslmode", sslmode);
        attempt_set(&client, "sslrootcert", !root ? material->nothing
                                            : stray ? material->stranger_root : anchor);
        attempt_set(&client, "sslcrl", stray || !material->crl ? material->nothing : material->crl);
        attempt_set(&client, "sslcert", material->nothing);
        attempt_set(&client, "sslkey", material->nothing);
        attempt_set(&client, "gssencmode", "disable");
        attempt_set(&client, "application_name", "pgseal_prove");
        siege_one(arms, attack, &client, material->nothing, result->arena, stand);
        stand->expected = attack_withstood(attack, sslmode, root);
        if (stand->verdict == PROVE_PASS && stand->withstood != stand->expected)
            stand->verdict = PROVE_FAIL;
    }
    PS_PUSH(result->sieges, result->sieges_len, result->sieges_cap) = siege;
}

bool siege_all(struct material *material, struct prove_result *result, int timeout_ms,
               struct ps_err *err)
{
    PS_AUTO(arms_free) struct arms arms = { 0 };

    arms_forge(material, result->host, &arms);
    for (size_t i = 0; i < SSLMODE_COUNT; i++) {
        bool verify = strncmp(sslmodes[i], "verify-", 7) == 0;

        if (!stop_none(err))
            return false;
        besiege(material, &arms, sslmodes[i], verify, result, timeout_ms);
    }
    /* once more for the two whose meaning a root.crt in ~/.postgresql changes, or seems to */
    besiege(material, &arms, "prefer", true, result, timeout_ms);
    besiege(material, &arms, "require", true, result, timeout_ms);
    return stop_none(err);
}

/* prove.c - see prove.h: a server's proof, way after way. */
#include "prove/prove.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "pg/libpq.h"
#include "prove/expect.h"
#include "prove/material.h"
#include "prove/raw.h"
#include "prove/role.h"
#include "prove/siege.h"
#include "prove/stop.h"

enum { TIMEOUT_MS = 5000, TRIES = 4 };

/* What a run works with. */
struct run {
    const struct prove_spec *spec;
    struct prove_result *result;
    struct material material;
    struct expect expect;
    struct raw_spec raw;
    bool nobody;                    /* the role or the database cannot be entered at all */
    const char *const *hosts;       /* right names, NULL at the end; never empty */
};

static void run_free(struct run *run)
{
    material_free(&run->material);
    expect_free(&run->expect);
}

/* ---- verdicts ---- */

static const char *explain(const struct run *run, const struct prove_row *row)
{
    PS_AUTO(buf_free) struct buf why = BUF(4096);

    expect_explain(&run->expect, row->seen, row->cert, &why);
    return why.len ? arena_strdup(run->result->arena, why.p) : NULL;
}

/* `words`: what the refusal must say; NULL: anything. */
static void judge(const struct run *run, const char *words, struct prove_row *row)
{
    bool maybe_no_role = row->seen == WAY_REFUSED
                         && (row->expected == WAY_IN_TLS || row->expected == WAY_IN_PLAIN)
                         && run->expect.spec.known.can_login == FACT_UNKNOWN;

    row->verdict = PROVE_NOT_EXAMINED;
    if (row->seen == WAY_UNKNOWN) {
        row->why = row->why ? row->why : _("The way could not be tried to its end.");
    } else if (row->expected == WAY_UNKNOWN && run->nobody) {
        row->why = _("It would be refused anyway, for the role or the database is not there.");
    } else if (row->expected == WAY_UNKNOWN) {
        row->why = _("What to expect cannot be worked out from the server's files.");
    } else if (maybe_no_role) {
        row->why = _("It is not known whether the role and the database exist.");
    } else if (row->seen != row->expected) {
        row->verdict = PROVE_FAIL;
        row->why = explain(run, row);
    } else if (row->seen == WAY_REFUSED && words && !strstr(row->evidence, words)) {
        row->verdict = PROVE_FAIL;
        row->why = explain(run, row);
        row->why = row->why ? row->why : _("It was refused, but for another reason.");
    } else {
        row->verdict = PROVE_PASS;
        row->why = row->seen == WAY_REFUSED ? NULL : explain(run, row);
    }
}

static void add_row(struct run *run, const struct prove_row *row)
{
    PS_PUSH(run->result->rows, run->result->rows_len, run->result->rows_cap) = *row;
}

/* ---- through libpq ---- */

static void set_certificate(const struct run *run, enum way_cert cert, struct attempt *attempt)
{
    const struct material_card *card = &run->material.cards[cert];
    const char *nothing = run->material.nothing;

    attempt_set(attempt, "sslcert", card->cert ? card->cert : nothing);
    attempt_set(attempt, "sslkey", card->key ? card->key : nothing);
}

static void set_trust(const struct run *run, const char *sslmode, struct attempt *attempt)
{
    bool verify = strncmp(sslmode, "verify-", 7) == 0;
    const struct material *material = &run->material;

    attempt_set(attempt, "sslmode", sslmode);
    attempt_set(attempt, "sslrootcert", verify ? material->root : material->nothing);
    attempt_set(attempt, "sslcrl", verify ? material->crl : material->nothing);
}

/*
 * In TLS 1.3 the server judges the certificate after the client believes to be done; when it closes at
 * once, its alert may be lost with the connection.  Over TLS 1.2 the alert comes inside the handshake.
 */
static void try_until_words(struct attempt *attempt, const char *words,
                            struct attempt_ports *ports, struct attempt_result *result)
{
    for (int i = 0; i < TRIES; i++) {
        attempt_result_free(result);
        attempt_set(attempt, "ssl_max_protocol_version", i == 1 ? "TLSv1.2" : NULL);
        attempt_run(attempt, result);
        for (size_t j = 0; j < result->ports.len; j++)
            attempt_port_add(ports, result->ports.at[j]);
        const char *text = buf_text(&result->words);
        bool told = strstr(text, "alert") && !strstr(text, "protocol version");
        if (!words || result->end != WAY_REFUSED || told || strstr(text, words))
            return;
    }
}

/* Why this way cannot be gone; NULL: it can. */
static const char *obstacle(const struct run *run, const struct way *way)
{
    const struct material *material = &run->material;
    bool verify = strncmp(way->sslmode, "verify-", 7) == 0;

    if (verify && !material->root)
        return _("No CA was given (--ca), so there is nothing to verify the server with.");
    if (way->cert == CARD_NONE || material->cards[way->cert].cert)
        return NULL;
    return material->ca ? material->cards[way->cert].why_not
                        : _("No CA was given (--ca) to issue the certificate.");
}

static void go(const struct run *run, const struct way *way, struct prove_row *row)
{
    PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
    struct attempt attempt = { .timeout_ms = run->raw.timeout_ms };
    char port[8];

    snprintf(port, sizeof(port), "%d", run->raw.port);
    attempt_set(&attempt, "host", row->host);
    attempt_set(&attempt, "hostaddr", run->raw.address);
    attempt_set(&attempt, "port", port);
    attempt_set(&attempt, "user", run->raw.role);
    attempt_set(&attempt, "dbname", run->raw.database);
    attempt_set(&attempt, "gssencmode", "disable");
    attempt_set(&attempt, "passfile", run->material.nothing);
    attempt_set(&attempt, "application_name", "pgseal_prove");
    set_trust(run, way->sslmode, &attempt);
    set_certificate(run, way->cert, &attempt);
    try_until_words(&attempt, way->words, &row->ports, &result);

    row->seen = result.end;
    row->evidence = arena_strdup(run->result->arena, buf_text(&result.words));
    row->ms = result.ms;
}

/*
 * Why a refusal would prove nothing: a server that asks for no certificate looks at none, and one
 * without TLS is refused by the client.
 */
static const char *pointless(const struct run *run, const struct way *way)
{
    bool odd = way->cert != CARD_NONE && way->cert != CARD_GOOD;

    if (!run->expect.tls && (odd || way->host == HOST_WRONG))
        return _("The server speaks no TLS: ssl is off.");
    if (!run->expect.asks_certificate && odd)
        return _("The server asks for no certificate: ssl_ca_file is empty.");
    return NULL;
}

static void run_way(struct run *run, const struct way *way, const char *host)
{
    struct prove_row row = {
        .group = way->group, .key = way->key, .label = way->label, .sslmode = way->sslmode,
        .host = host, .cert = way->cert, .verdict = PROVE_NOT_EXAMINED,
    };

    row.expected = way->host == HOST_WRONG ? WAY_REFUSED
                   : expect_way(&run->expect, way->sslmode, way->cert);
    row.why = obstacle(run, way);
    if (!row.why)
        row.why = pointless(run, way);
    if (row.why) {
        row.expected = WAY_UNKNOWN;
    } else {
        go(run, way, &row);
        judge(run, way->words, &row);
    }
    add_row(run, &row);
}

static bool run_ways(struct run *run, struct ps_err *err)
{
    for (size_t i = 0; i < ways_len; i++) {
        const struct way *way = &ways[i];

        if (!stop_none(err))
            return false;
        if (way->host == HOST_WRONG)
            run_way(run, way, WAY_WRONG_NAME);
        else if (way->group != WAYS_NAMES)
            run_way(run, way, run->hosts[0]);
        else
            for (size_t j = 0; run->hosts[j]; j++)
                run_way(run, way, run->hosts[j]);
    }
    return true;
}

/* ---- through our own wire code ---- */

static enum way_end expect_protocol(const struct run *run, const struct protocol_way *way)
{
    if (way->plain)
        return expect_plain(&run->expect);
    if (way->stuffed)
        return WAY_REFUSED;
    return way->direct ? expect_direct(&run->expect, way->alpn)
                       : expect_version(&run->expect, way->version);
}

static bool run_protocols(struct run *run, struct ps_err *err)
{
    for (size_t i = 0; i < protocol_ways_len; i++) {
        const struct protocol_way *way = &protocol_ways[i];
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };

        if (!stop_none(err))
            return false;
        raw_run(&run->raw, way, &result);
        struct prove_row row = {
            .group = WAYS_PROTOCOLS, .key = way->key, .label = way->label,
            .expected = expect_protocol(run, way), .seen = result.end, .ms = result.ms,
            .evidence = arena_strdup(run->result->arena, buf_text(&result.words)),
            .ports = result.ports,
        };
        judge(run, NULL, &row);
        add_row(run, &row);
    }
    return true;
}

/* ---- preparation ---- */

/* Where the server can be reached over TCP from here: loopback first, otherwise what it listens on. */
static const char *pick_address(const struct server *server, struct arena *arena)
{
    static const char *const loopback[] = { "*", "0.0.0.0", "localhost", "127.0.0.1" };
    PS_AUTO(ps_freep) char *copy = ps_strdup(server->listen ? server->listen : "localhost");
    const char *first = NULL;

    for (char *rest = copy, *word; (word = strsep(&rest, ", ")) != NULL;) {
        unsigned char bytes[16];

        for (size_t i = 0; i < PS_COUNT(loopback); i++)
            if (strcmp(word, loopback[i]) == 0)
                return "127.0.0.1";
        if (!first && strcmp(word, "::") == 0)
            first = "::1";
        if (!first && (inet_pton(AF_INET, word, bytes) || inet_pton(AF_INET6, word, bytes)))
            first = arena_strdup(arena, word);
    }
    return first;
}

/* The server sees us come from the address that we go to: it is one of this machine's. */
static void as_sockaddr(const char *address, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    *out = (struct sockaddr_storage){ 0 };
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1)
        out->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1)
        out->ss_family = AF_INET6;
}

/* The names in the certificate that the server shows; a wildcard is no name to call. */
static const char *const *names_shown(const struct run *run)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct arena *arena = run->result->arena;
    size_t len = 0, room = 2;

    raw_server_chain(&run->raw, &chain);
    const struct cert_info *info = chain.len ? cert_info(chain.at[0]) : NULL;
    for (const char *const *at = info ? info->dns : NULL; at && *at; at++)
        room++;
    for (const char *const *at = info ? info->ip : NULL; at && *at; at++)
        room++;

    const char **names = arena_alloc(arena, room * sizeof(*names));
    for (const char *const *at = info ? info->dns : NULL; at && *at; at++)
        if (!strchr(*at, '*'))
            names[len++] = arena_strdup(arena, *at);
    for (const char *const *at = info ? info->ip : NULL; at && *at; at++)
        names[len++] = arena_strdup(arena, *at);
    if (len == 0)
        names[len++] = info && *info->common_name ? arena_strdup(arena, info->common_name)
                                                  : "localhost";
    return names;
}

static bool find_server(struct run *run, struct ps_err *err)
{
    const struct prove_spec *spec = run->spec;
    const struct server *server = spec->server;
    struct prove_result *result = run->result;

    if (!server->running) {
        ps_fail(err, PS_E_NET, _("the server of \"%s\" is not running"), server->data_dir);
        return ps_hint(err, _("A proof goes in from outside: start the server first."));
    }
    result->address = pick_address(server, result->arena);
    if (!result->address) {
        ps_fail(err, PS_E_NET, _("the server listens on no TCP address that is known"));
        return ps_detail(err, _("listen_addresses is \"%s\"."), server->listen);
    }
    result->port = server->port;
    result->role = arena_strdup(result->arena, spec->role);
    result->database = arena_strdup(result->arena, spec->database ? spec->database : "postgres");
    run->raw = (struct raw_spec){ .address = result->address, .port = result->port,
                                  .role = result->role, .database = result->database,
                                  .timeout_ms = spec->timeout_ms ? spec->timeout_ms
                                                                 : TIMEOUT_MS };
    run->hosts = spec->hosts && spec->hosts[0] ? spec->hosts : names_shown(run);
    result->host = arena_strdup(result->arena, run->hosts[0]);
    return true;
}

static void prepare_expectations(struct run *run)
{
    struct prove_result *result = run->result;
    struct expect_spec spec = { .server = run->spec->server, .role = result->role,
                                .database = result->database,
                                .plaintext_allowed = run->spec->plaintext_allowed };

    as_sockaddr(result->address, &spec.addr);
    role_look_up(spec.server, result->role, result->database, result->arena, &spec.known);
    expect_prepare(&spec, &run->expect);
    run->nobody = spec.known.can_login == FACT_NO || spec.known.database_open == FACT_NO;
    if (spec.known.can_login == FACT_NO)
        result->note = _("The role does not exist on the server, or may not log in: the best that "
                         "can be seen is a refusal for that reason.");
    else if (spec.known.database_open == FACT_NO)
        result->note = _("The database does not exist, or the role may not connect to it: the best "
                         "that can be seen is a refusal for that reason.");
}

bool prove_run(const struct prove_spec *spec, struct prove_result **out, struct ps_err *err)
{
    PS_AUTO(prove_result_freep) struct prove_result *result = prove_result_new();
    PS_AUTO(attempt_env_show) struct attempt_env env = { 0 };
    PS_AUTO(stop_release) struct stop stop;
    PS_AUTO(run_free) struct run run = { .spec = spec, .result = result };
    int64_t begin = clock_mono_us();

    result->wire_needed = spec->wire_needed;
    stop_catch(&stop);
    if (!pq_load(err))
        return false;
    attempt_env_hide(&env);
    if (!find_server(&run, err) || !material_make(spec->ca, spec->role, &run.material, err))
        return false;
    prepare_expectations(&run);
    if (!run_ways(&run, err) || !run_protocols(&run, err)
        || !siege_all(&run.material, result, run.raw.timeout_ms, err))
        return false;
    result->ms = (double)(clock_mono_us() - begin) / 1000;
    *out = PS_TAKE(result);
    return true;
}

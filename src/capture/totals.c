/* totals.c - see totals.h. */
#include "capture/totals.h"

#include "capture/places.h"
#include "tls/names.h"

enum { PG_PORT = 5432, CERT_NUMBER_MAX = 4096 };

static bool is_loopback(const struct conn *conn)
{
    static const uint8_t one[16] = { [15] = 1 };

    return conn->v6 ? memcmp(conn->address[SIDE_CLIENT], one, 16) == 0
                    : conn->address[SIDE_CLIENT][0] == 127;
}

static struct total_key server_key(const struct totals *totals, const struct conn *conn)
{
    return (struct total_key){ { place_endpoint(totals->places, conn) } };
}

static bool is_on_port(const struct totals *totals, const struct conn *conn)
{
    for (int side = 0; side < SIDES; side++) {
        if (!totals->ports_count && conn->port[side] == PG_PORT)
            return true;
        for (size_t i = 0; i < totals->ports_count; i++)
            if (totals->ports[i] == conn->port[side])
                return true;
    }
    return false;
}

static const struct total *server_of(const struct totals *totals, const struct conn *conn)
{
    const struct total_key key = server_key(totals, conn);

    return total_find(&totals->servers, &key);
}

bool totals_concerns(const struct totals *totals, const struct conn *conn)
{
    return conn->recognised || is_on_port(totals, conn) || server_of(totals, conn);
}

/* ---- for the rules ---- */

/* Versions, suites and verdicts have one text each, wherever they come from. */
static struct traffic_fact *traffic_for(struct totals *totals, const struct conn *conn)
{
    const struct tls_suite *suite = conn->facts.server_hello ? tls_suite_find(conn->facts.cipher) : NULL;
    const char *name = suite ? suite->name : NULL;
    const char *version = conn->facts.server_hello ? tls_version_name(conn->facts.tls_version) : NULL;
    const char *verdict = verdict_word(conn->verdict);
    const char *reason = verdict_is_readable(conn->verdict) ? reason_word(conn->reason) : NULL;
    const char *server = place_endpoint(totals->places, conn);
    bool loopback = is_loopback(conn);

    for (size_t i = 0; i < totals->traffic_len; i++) {
        struct traffic_fact *fact = &totals->traffic[i];

        if (fact->verdict == verdict && fact->reason == reason && fact->suite == name && fact->version == version
            && fact->loopback == loopback && strcmp(fact->server, server) == 0)
            return fact;
    }
    if (totals->traffic_len >= TOTALS_MAX)
        return NULL;
    PS_PUSH(totals->whos, totals->whos_len, totals->whos_cap) = (struct total_whos){ 0 };
    PS_PUSH(totals->traffic, totals->traffic_len, totals->traffic_cap) = (struct traffic_fact){
        .server = arena_strdup(totals->arena, server), .verdict = verdict, .reason = reason, .version = version,
        .suite = name, .cipher = suite ? suite->code : 0, .loopback = loopback };
    return &totals->traffic[totals->traffic_len - 1];
}

/* Whether they are among the first few of that fact, and were not there yet. */
static bool is_new_who(struct total_whos *whos, const struct total_key *who)
{
    uint64_t hash = total_hash(who);

    for (size_t i = 0; i < whos->len; i++)
        if (whos->hash[i] == hash)
            return false;
    if (whos->len == PS_COUNT(whos->hash))
        return false;
    whos->hash[whos->len++] = hash;
    return true;
}

/* "app@shop from 10.0.0.0/24", the first few of them. */
static void note_who(struct totals *totals, struct traffic_fact *fact, const struct conn *conn)
{
    enum { WHO_MAX = 160 };
    const char *network = place_network(totals->places, conn);
    const char *role = conn->text[TEXT_USER], *database = role ? conn->text[TEXT_DATABASE] : NULL;
    PS_AUTO(ps_freep) char *mine = NULL;

    if (!is_new_who(&totals->whos[fact - totals->traffic], &(struct total_key){ { network, role, database } })
        || (fact->who && strlen(fact->who) > WHO_MAX))
        return;
    mine = role ? ps_asprintf(_("%s@%s from %s"), role, database ? database : "", network)
                : ps_strdup(network);
    if (!fact->who)
        fact->who = arena_strdup(totals->arena, mine);
    else if (!strstr(fact->who, mine))
        fact->who = arena_printf(totals->arena, "%s, %s", fact->who, mine);
}

static void add_traffic(struct totals *totals, struct traffic_fact *fact, const struct conn *conn)
{
    if (!fact) {
        totals->traffic_refused++;
        return;
    }
    fact->connections++;
    fact->passwords += conn->facts.password == PASSWORD_CLEARTEXT;
    fact->tokens += conn->facts.password == PASSWORD_TOKEN;
    fact->md5 += conn->facts.password == PASSWORD_MD5;
    fact->replication += conn->facts.replication != 0;
    fact->refused += conn->facts.sqlstate[0] && !conn->facts.authenticated;
}

/* ---- the rows in which a connection counts ---- */

enum { KIN = 4096 };

#define NO_ROW UINT32_MAX

/* What all connections have in common that count in the same rows; the texts are those of the rows. */
struct total_kin {
    bool known, loopback, server_hello;
    uint8_t verdict, reason;
    uint16_t tls_version, cipher, group;
    uint32_t row[TOTAL_KINDS];  /* number of it; NO_ROW: in none */
    uint32_t traffic;           /* number of the fact; NO_ROW: there was no room for it */
};

static uint32_t row_of(struct totals *totals, enum total_kind kind, const struct total_key *key)
{
    return (uint32_t)(total_row(&totals->by[kind], totals->arena, key) - totals->by[kind].at);
}

static uint32_t owner_row(struct totals *totals, const struct conn *conn)
{
    const char *role = conn->text[TEXT_USER], *database = conn->text[TEXT_DATABASE];

    return row_of(totals, BY_OWNER,
                  &(struct total_key){ { place_endpoint(totals->places, conn), role ? role : "",
                                         database ? database : "", place_network(totals->places, conn) } });
}

static uint32_t tls_row(struct totals *totals, const struct conn *conn)
{
    const struct tls_suite *suite = tls_suite_find(conn->facts.cipher);

    return row_of(totals, BY_TLS,
                  &(struct total_key){ { tls_version_name(conn->facts.tls_version),
                                         suite ? suite->openssl ? suite->openssl : suite->name : NULL,
                                         tls_group_name(conn->facts.group) } });
}

static void find_rows(struct totals *totals, const struct conn *conn, const struct total_key *names,
                      struct total_kin *kin)
{
    const struct traffic_fact *fact = traffic_for(totals, conn);

    kin->known = fact != NULL;
    for (enum total_kind kind = 0; kind <= BY_NETWORK; kind++) {
        kin->row[kind] = row_of(totals, kind, &(struct total_key){ { names->part[kind] } });
        kin->known &= !totals->by[kind].at[kin->row[kind]].rest;        /* its text is not theirs */
    }
    kin->row[BY_OWNER] = verdict_is_readable(conn->verdict) ? owner_row(totals, conn) : NO_ROW;
    kin->row[BY_TLS] = conn->verdict == V_TLS ? tls_row(totals, conn) : NO_ROW;
    kin->traffic = fact ? (uint32_t)(fact - totals->traffic) : NO_ROW;
    if (fact)
        note_who(totals, &totals->traffic[kin->traffic], conn);
}

static bool is_kin(const struct totals *totals, const struct total_kin *a, const struct total_kin *b,
                   const struct total_key *names, const char *server)
{
    if (!a->known || a->verdict != b->verdict || a->reason != b->reason || a->loopback != b->loopback
        || a->server_hello != b->server_hello || a->tls_version != b->tls_version || a->cipher != b->cipher
        || a->group != b->group || strcmp(totals->traffic[a->traffic].server, server) != 0)
        return false;
    for (enum total_kind kind = 0; kind <= BY_NETWORK; kind++)
        if (!total_same_text(totals->by[kind].at[a->row[kind]].key.part[0], names->part[kind]))
            return false;
    return true;
}

/* Most connections are like one before them, of which it is remembered where it counts: five tables less to search. */
static const struct total_kin *kin_of(struct totals *totals, const struct conn *conn)
{
    const struct talk_facts *facts = &conn->facts;
    const struct total_key names = { {
        [BY_ROLE] = conn->text[TEXT_USER], [BY_DATABASE] = conn->text[TEXT_DATABASE],
        [BY_APPLICATION] = conn->text[TEXT_APPLICATION], [BY_NETWORK] = place_network(totals->places, conn),
    } };
    const struct total_kin mine = { .loopback = is_loopback(conn), .server_hello = facts->server_hello,
                                    .verdict = conn->verdict, .reason = conn->reason,
                                    .tls_version = facts->tls_version, .cipher = facts->cipher, .group = facts->group };
    uint64_t hash = total_hash(&names)
                    + ((conn->verdict * 31u + conn->reason) * 31u + facts->cipher) * 31u + facts->group;
    struct total_kin *kin = &totals->kin[hash % KIN];

    if (!is_kin(totals, kin, &mine, &names, place_endpoint(totals->places, conn))) {
        *kin = mine;
        find_rows(totals, conn, &names, kin);
    }
    return kin;
}

/* ---- all ---- */

static void add_conn(struct totals *totals, const struct conn *conn)
{
    const struct total_kin *kin = kin_of(totals, conn);

    totals->verdicts[conn->verdict]++;
    totals->reasons[conn->reason] += conn->verdict == V_UNKNOWN;
    totals->connections++;
    totals->encrypted += verdict_is_encrypted(conn->verdict);
    totals->readable += verdict_is_readable(conn->verdict);
    totals->undecided += conn->verdict == V_UNKNOWN;
    totals->passwords += conn_password_exposed(conn);
    for (enum total_kind kind = 0; kind < TOTAL_KINDS; kind++)
        if (kin->row[kind] != NO_ROW)
            total_add(&totals->by[kind].at[kin->row[kind]], conn);
    add_traffic(totals, kin->traffic == NO_ROW ? NULL : &totals->traffic[kin->traffic], conn);
    histogram_add(&totals->handshake, conn_handshake_ms(conn));
    histogram_add(&totals->setup, conn_setup_ms(conn));
}

static void add_cert(struct totals *totals, const struct spool_item *item)
{
    struct cert *cert = NULL;
    struct ps_err ignored;

    if (item->cert == 0 || item->cert > CERT_NUMBER_MAX)
        return;
    while (totals->certs.len < item->cert)
        PS_PUSH(totals->certs.at, totals->certs.len, totals->certs.cap) = NULL;
    if (!totals->certs.at[item->cert - 1] && cert_from_der(item->der.p, item->der.len, &cert, &ignored))
        totals->certs.at[item->cert - 1] = cert;
}

const struct cert_info *totals_cert(const struct totals *totals, uint32_t number)
{
    if (number == 0 || number > totals->certs.len || !totals->certs.at[number - 1])
        return NULL;
    return cert_info(totals->certs.at[number - 1]);
}

/* It is about something else, as far as is known now. */
static void add_other(struct totals *totals, const struct conn *conn)
{
    totals->others++;
    totals->others_undecided += conn->verdict == V_UNKNOWN;
}

static void take_conn(struct totals *totals, const struct conn *conn, uint64_t number)
{
    if (conn->recognised) {
        const struct total_key key = server_key(totals, conn);
        struct total *server = total_row(&totals->servers, totals->arena, &key);

        if (!server->since)
            server->since = number;
    }
    if (totals_concerns(totals, conn))
        add_conn(totals, conn);
    else
        add_other(totals, conn);
}

static void take_all(struct totals *totals, struct spool *spool)
{
    struct spool_item item;
    uint64_t number = 0;

    while (spool_next(spool, &item) != SPOOL_END) {
        if (item.kind == SPOOL_CONN)
            take_conn(totals, &item.conn, ++number);
        if (item.kind == SPOOL_CERT)
            add_cert(totals, &item);
        if (item.kind == SPOOL_COUNTS) {
            totals->counts = item.counts;
            totals->complete = true;
        }
    }
    spool_rewind(spool);
}

/* Of those that were about something else, some went to a server that spoke PostgreSQL later. */
static void look_again(struct totals *totals, struct spool *spool)
{
    struct spool_item item;
    uint64_t number = 0;

    while (spool_next(spool, &item) != SPOOL_END) {
        const struct conn *conn = &item.conn;
        const struct total *server;

        if (item.kind != SPOOL_CONN)
            continue;
        number++;
        server = conn->recognised || is_on_port(totals, conn) ? NULL : server_of(totals, conn);
        if (!server || server->since < number)
            continue;
        totals->others--;
        totals->others_undecided -= conn->verdict == V_UNKNOWN;
        add_conn(totals, conn);
    }
    spool_rewind(spool);
}

void totals_make(struct spool *spool, const uint16_t *ports, size_t ports_count, struct totals *out)
{
    *out = (struct totals){ .arena = arena_new(), .places = places_new(), .ports = ports,
                            .ports_count = ports_count, .kin = ps_calloc(KIN, sizeof(*out->kin)) };
    take_all(out, spool);
    if (out->others && out->servers.len)
        look_again(out, spool);
    for (int i = 0; i < TOTAL_KINDS; i++)
        total_sort(&out->by[i]);
}

void totals_free(struct totals *totals)
{
    for (int i = 0; i < TOTAL_KINDS; i++)
        total_table_free(&totals->by[i]);
    total_table_free(&totals->servers);
    free(totals->kin);
    free(totals->traffic);
    free(totals->whos);
    for (size_t i = 0; i < totals->certs.len; i++)
        if (totals->certs.at[i])
            cert_free(totals->certs.at[i]);
    free(totals->certs.at);
    arena_free(totals->arena);
    if (totals->places)
        places_free(totals->places);
    *totals = (struct totals){ 0 };
}

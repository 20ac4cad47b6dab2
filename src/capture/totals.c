/* totals.c - see totals.h. */
#include "capture/totals.h"

#include "tls/names.h"

#include <arpa/inet.h>

enum { SLOTS = 4096, PG_PORT = 5432, CERT_NUMBER_MAX = 4096 };

/* ---- tables ---- */

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static struct total *find(struct total_table *table, const char *key, size_t *slot)
{
    if (!table->slots)
        table->slots = ps_calloc(SLOTS, sizeof(*table->slots));
    for (*slot = hash_text(key) % SLOTS; table->slots[*slot]; *slot = (*slot + 1) % SLOTS) {
        struct total *total = &table->at[table->slots[*slot] - 1];

        if (strcmp(total->name ? total->name : "\x01", key) == 0)
            return total;
    }
    return NULL;
}

/* The row of that name; when the table is full, its last one. */
static struct total *row(struct totals *totals, struct total_table *table, const char *name)
{
    const char *key = name ? name : "\x01";
    size_t slot;
    struct total *found = find(table, key, &slot);

    if (found)
        return found;
    if (table->len >= TOTALS_MAX)
        return &table->at[TOTALS_MAX - 1];
    if (table->len == TOTALS_MAX - 1)
        name = "";
    PS_PUSH(table->at, table->len, table->cap) =
        (struct total){ .name = name ? arena_strdup(totals->arena, name) : NULL };
    table->slots[slot] = (uint32_t)table->len;
    return &table->at[table->len - 1];
}

static void add(struct total *total, const struct conn *conn)
{
    const struct talk_facts *facts = &conn->facts;

    total->connections++;
    total->encrypted += verdict_is_encrypted(conn->verdict);
    total->readable += verdict_is_readable(conn->verdict);
    total->undecided += conn->verdict == V_UNKNOWN;
    total->passwords += conn_password_exposed(conn);
    total->queries += facts->queries;
    total->rows += facts->rows;
    total->bytes += conn->bytes[SIDE_CLIENT] + conn->bytes[SIDE_SERVER];
    if (!total->first_us || conn->first_us < total->first_us)
        total->first_us = conn->first_us;
    if (conn->last_us > total->last_us)
        total->last_us = conn->last_us;
}

static int compare(const void *left, const void *right)
{
    const struct total *a = left, *b = right;

    if (a->readable != b->readable)
        return a->readable < b->readable ? 1 : -1;
    if (a->connections != b->connections)
        return a->connections < b->connections ? 1 : -1;
    return strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static void sort(struct total_table *table)
{
    if (table->len)
        qsort(table->at, table->len, sizeof(*table->at), compare);
    free(table->slots);             /* they point to the old places */
    table->slots = NULL;
}

/* ---- times ---- */

enum { STEPS = 32, OCTAVES = 1024 / STEPS };

void histogram_add(struct histogram *histogram, double ms)
{
    uint64_t us = ms < 0 ? 0 : (uint64_t)(ms * 1000);
    int octave = 0;

    if (ms < 0)
        return;
    while ((us >> octave) >= 2 * STEPS && octave < OCTAVES - 2)
        octave++;

    /* below 2 * STEPS microseconds each has a slot; above, STEPS slots for each doubling */
    size_t slot = octave == 0 ? (size_t)us
                              : (size_t)(octave + 1) * STEPS + (size_t)((us >> octave) - STEPS);
    histogram->slot[slot < PS_COUNT(histogram->slot) ? slot : PS_COUNT(histogram->slot) - 1]++;
    histogram->count++;
    if (ms > histogram->most_ms)
        histogram->most_ms = ms;
}

double histogram_percentile(const struct histogram *histogram, double percent)
{
    uint64_t before = 0;
    double want = (double)histogram->count * percent / 100;

    for (size_t i = 0; i < PS_COUNT(histogram->slot); i++) {
        before += histogram->slot[i];
        if (histogram->slot[i] && (double)before >= want) {
            size_t octave = i < 2 * STEPS ? 0 : i / STEPS - 1;
            double us = octave == 0 ? (double)i
                                    : (double)((uint64_t)(i % STEPS + STEPS) << octave);
            return us / 1000;
        }
    }
    return histogram->most_ms;
}

/* ---- who ---- */

static void set_texts(struct totals *totals, const struct conn *conn)
{
    struct conn base = *conn;
    char address[CONN_ADDRESS];

    conn_address(conn, SIDE_SERVER, address);
    snprintf(totals->last.server, sizeof(totals->last.server), conn->v6 ? "[%s]:%u" : "%s:%u", address,
             conn->port[SIDE_SERVER]);
    memset(base.address[SIDE_CLIENT] + (conn->v6 ? 8 : 3), 0, conn->v6 ? 8 : 1);
    conn_address(&base, SIDE_CLIENT, address);
    snprintf(totals->last.network, sizeof(totals->last.network), "%s/%d", address, conn->v6 ? 64 : 24);
}

static void look_at(struct totals *totals, const struct conn *conn)
{
    size_t of_network = conn->v6 ? 8 : 3;

    if (totals->last.any && totals->last.v6 == conn->v6 && totals->last.port == conn->port[SIDE_SERVER]
        && memcmp(totals->last.address[SIDE_SERVER], conn->address[SIDE_SERVER], 16) == 0
        && memcmp(totals->last.address[SIDE_CLIENT], conn->address[SIDE_CLIENT], of_network) == 0)
        return;
    totals->last.any = true;
    totals->last.v6 = conn->v6;
    totals->last.port = conn->port[SIDE_SERVER];
    memcpy(totals->last.address, conn->address, sizeof(totals->last.address));
    set_texts(totals, conn);
}

/* "10.0.0.1:5432", "[2001:db8::1]:5432" */
static const char *endpoint(struct totals *totals, const struct conn *conn)
{
    look_at(totals, conn);
    return totals->last.server;
}

/* "10.0.0.0/24", "2001:db8::/64" */
static const char *network(struct totals *totals, const struct conn *conn)
{
    look_at(totals, conn);
    return totals->last.network;
}

static bool is_loopback(const struct conn *conn)
{
    static const uint8_t one[16] = { [15] = 1 };

    return conn->v6 ? memcmp(conn->address[SIDE_CLIENT], one, 16) == 0
                    : conn->address[SIDE_CLIENT][0] == 127;
}

bool totals_concerns(struct totals *totals, const struct conn *conn)
{
    size_t slot;

    if (conn->recognised)
        return true;
    for (int side = 0; side < SIDES; side++) {
        if (!totals->ports_count && conn->port[side] == PG_PORT)
            return true;
        for (size_t i = 0; i < totals->ports_count; i++)
            if (totals->ports[i] == conn->port[side])
                return true;
    }
    return find(&totals->servers, endpoint(totals, conn), &slot) != NULL;
}

/* ---- for the rules ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct traffic_fact *traffic_for(struct totals *totals, const struct conn *conn)
{
    const struct tls_suite *suite = conn->facts.server_hello ? tls_suite_find(conn->facts.cipher) : NULL;
    const char *version = conn->facts.server_hello ? tls_version_name(conn->facts.tls_version) : NULL;
    const char *verdict = verdict_word(conn->verdict);
    const char *server = endpoint(totals, conn);

    for (size_t i = 0; i < totals->traffic_len; i++) {
        struct traffic_fact *fact = &totals->traffic[i];

        if (fact->loopback == is_loopback(conn) && strcmp(fact->verdict, verdict) == 0
            && same_text(fact->version, version) && same_text(fact->suite, suite ? suite->name : NULL)
            && strcmp(fact->server, server) == 0)
            return fact;
    }
    if (totals->traffic_len >= TOTALS_MAX)
        return NULL;
    PS_PUSH(totals->traffic, totals->traffic_len, totals->traffic_cap) = (struct traffic_fact){
        .server = arena_strdup(totals->arena, server), .verdict = verdict, .version = version,
        .suite = suite ? suite->name : NULL, .loopback = is_loopback(conn) };
    return &totals->traffic[totals->traffic_len - 1];
}

/* "app@shop from 10.0.0.0/24", the first few of them. */
static void note_who(struct totals *totals, struct traffic_fact *fact, const struct conn *conn)
{
    enum { WHO_MAX = 160 };
    PS_AUTO(ps_freep) char *mine = NULL;

    if (fact->who && strlen(fact->who) > WHO_MAX)
        return;
    mine = conn->text[TEXT_USER]
        ? ps_asprintf(_("%s@%s from %s"), conn->text[TEXT_USER],
                      conn->text[TEXT_DATABASE] ? conn->text[TEXT_DATABASE] : "", network(totals, conn))
        : ps_strdup(network(totals, conn));
    if (!fact->who)
        fact->who = arena_strdup(totals->arena, mine);
    else if (!strstr(fact->who, mine))
        fact->who = arena_printf(totals->arena, "%s, %s", fact->who, mine);
}

static void add_traffic(struct totals *totals, const struct conn *conn)
{
    struct traffic_fact *fact = traffic_for(totals, conn);

    if (!fact)
        return;
    fact->connections++;
    fact->passwords += conn->facts.password == PASSWORD_CLEARTEXT;
    fact->tokens += conn->facts.password == PASSWORD_TOKEN;
    fact->md5 += conn->facts.password == PASSWORD_MD5;
    fact->replication += conn->facts.replication != 0;
    fact->refused += conn->facts.sqlstate[0] && !conn->facts.authenticated;
    note_who(totals, fact, conn);
}

/* ---- all ---- */

static void add_owner(struct totals *totals, const struct conn *conn)
{
    const char *role = conn->text[TEXT_USER] ? conn->text[TEXT_USER] : "";
    const char *database = conn->text[TEXT_DATABASE] ? conn->text[TEXT_DATABASE] : "";
    PS_AUTO(ps_freep) char *key = NULL;

    if (!verdict_is_readable(conn->verdict))
        return;
    const char *parts[] = { endpoint(totals, conn), role, database, network(totals, conn) };
    key = ps_asprintf("%s\x02%s\x02%s\x02%s", parts[0], role, database, parts[3]);

    struct total *owner = row(totals, &totals->by[BY_OWNER], key);
    if (!owner->part[0] && owner->name && owner->name[0]) {
        for (size_t i = 0; i < PS_COUNT(parts); i++)
            owner->part[i] = arena_strdup(totals->arena, parts[i]);
    }
    add(owner, conn);
}

static void add_tls(struct totals *totals, const struct conn *conn)
{
    const struct tls_suite *suite = tls_suite_find(conn->facts.cipher);
    const char *version = tls_version_name(conn->facts.tls_version);
    const char *group = tls_group_name(conn->facts.group);
    PS_AUTO(ps_freep) char *key = NULL;

    if (conn->verdict != V_TLS)
        return;
    key = ps_asprintf("%s\x02%s\x02%s", version ? version : "", suite ? suite->name : "",
                      group ? group : "");

    struct total *tls = row(totals, &totals->by[BY_TLS], key);
    tls->part[0] = version;
    tls->part[1] = suite ? suite->openssl ? suite->openssl : suite->name : NULL;
    tls->part[2] = group;
    add(tls, conn);
}

static void add_conn(struct totals *totals, const struct conn *conn)
{
    const char *const names[] = {
        [BY_ROLE] = conn->text[TEXT_USER], [BY_DATABASE] = conn->text[TEXT_DATABASE],
        [BY_APPLICATION] = conn->text[TEXT_APPLICATION], [BY_NETWORK] = network(totals, conn),
    };

    totals->verdicts[conn->verdict]++;
    totals->reasons[conn->reason] += conn->verdict == V_UNKNOWN;
    totals->connections++;
    totals->encrypted += verdict_is_encrypted(conn->verdict);
    totals->readable += verdict_is_readable(conn->verdict);
    totals->undecided += conn->verdict == V_UNKNOWN;
    totals->passwords += conn_password_exposed(conn);
    for (size_t i = 0; i < PS_COUNT(names); i++)
        add(row(totals, &totals->by[i], names[i]), conn);
    add_owner(totals, conn);
    add_tls(totals, conn);
    add_traffic(totals, conn);
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

static void find_servers(struct totals *totals, struct spool *spool)
{
    struct spool_item item;

    while (spool_next(spool, &item) != SPOOL_END) {
        if (item.kind == SPOOL_CONN && item.conn.recognised)
            (void)row(totals, &totals->servers, endpoint(totals, &item.conn));
        if (item.kind == SPOOL_CERT)
            add_cert(totals, &item);
        if (item.kind == SPOOL_COUNTS) {
            totals->counts = item.counts;
            totals->complete = true;
        }
    }
    spool_rewind(spool);
}

static void add_other(struct totals *totals, const struct conn *conn)
{
    totals->others++;
    totals->others_undecided += conn->verdict == V_UNKNOWN;
}

void totals_make(struct spool *spool, const uint16_t *ports, size_t ports_count, struct totals *out)
{
    struct spool_item item;

    *out = (struct totals){ .arena = arena_new(), .ports = ports, .ports_count = ports_count };
    find_servers(out, spool);
    while (spool_next(spool, &item) != SPOOL_END) {
        if (item.kind != SPOOL_CONN)
            continue;
        if (totals_concerns(out, &item.conn))
            add_conn(out, &item.conn);
        else
            add_other(out, &item.conn);
    }
    spool_rewind(spool);
    for (int i = 0; i < TOTAL_KINDS; i++)
        sort(&out->by[i]);
}

void totals_free(struct totals *totals)
{
    for (int i = 0; i < TOTAL_KINDS; i++) {
        free(totals->by[i].at);
        free(totals->by[i].slots);
    }
    free(totals->servers.at);
    free(totals->servers.slots);
    free(totals->traffic);
    for (size_t i = 0; i < totals->certs.len; i++)
        if (totals->certs.at[i])
            cert_free(totals->certs.at[i]);
    free(totals->certs.at);
    arena_free(totals->arena);
    *totals = (struct totals){ 0 };
}

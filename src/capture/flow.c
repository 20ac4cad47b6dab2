/* flow.c - see flow.h. */
#include "capture/flow.h"

#include <sys/random.h>

#include "base/mem.h"

enum { SLAB = 512, FIRST_BUCKETS = 1024, EVICT_PROBES = 64 };
#define NONE UINT32_MAX

struct end {                    /* one end of a connection */
    uint64_t high, low;
    uint32_t port;
};

struct kept {                   /* a packet that may be written later */
    struct kept *next;
    size_t captured, header_len;
    uint8_t bytes[];            /* the header of libpcap, then the packet */
};

enum keep { KEEP_HOLD, KEEP_WRITE, KEEP_DROP };

struct flow {
    struct end end[2];          /* 0: the sender of the first packet */
    struct stream stream[2];
    struct talk talk;
    int64_t first_us, last_us, closed_us;
    uint64_t packets;
    struct kept *kept, **kept_last;
    uint32_t kept_bytes, part_bytes;
    uint32_t chain;             /* next of its bucket, or of the free ones */
    uint32_t lingers;           /* next of those that are over */
    bool used, v6, from_start, closed, reset, cut, recognised;
    uint8_t client;             /* which end it is */
    uint8_t keep;               /* enum keep */
    bool seen[2];               /* packets of that end */
};

_Static_assert(sizeof(struct flow) + TALK_TEXTS * 32 <= 1024, "a connection takes at most 1 KB");

struct flows {
    struct flows_spec spec;
    struct flow_counts counts;
    struct stream_pool pool;
    size_t parts_bytes, kept_bytes;
    struct flow **slabs;
    size_t slabs_len, slabs_cap;
    uint32_t *buckets;
    size_t buckets_len, open;
    uint32_t free_flow, hand;
    uint32_t linger_first, linger_last;
    uint32_t latest;            /* the flow of the last packet: the next one is mostly of it too */
    uint64_t seed[2];
    uint64_t ports[65536 / 64];
    uint64_t verdicts[VERDICTS];
    int64_t now_us;
};

static struct flow *at(const struct flows *flows, uint32_t i)
{
    return &flows->slabs[i / SLAB][i % SLAB];
}

struct flows *flows_new(const struct flows_spec *spec)
{
    struct flows *flows = ps_calloc(1, sizeof(*flows));

    flows->spec = *spec;
    flows->buckets_len = FIRST_BUCKETS;
    flows->buckets = ps_malloc(FIRST_BUCKETS * sizeof(*flows->buckets));
    memset(flows->buckets, 0xFF, FIRST_BUCKETS * sizeof(*flows->buckets));
    flows->free_flow = flows->linger_first = flows->linger_last = flows->latest = NONE;
    for (size_t i = 0; i < spec->ports_count; i++)
        flows->ports[spec->ports[i] / 64] |= 1ull << (spec->ports[i] % 64);
    /* Who can choose addresses and ports must not be able to fill one bucket. */
    if (getrandom(flows->seed, sizeof(flows->seed), 0) != sizeof(flows->seed))
        flows->seed[0] = (uint64_t)(uintptr_t)flows;
    return flows;
}

const struct flow_counts *flows_counts(const struct flows *flows)
{
    return &flows->counts;
}

const uint64_t *flows_verdicts(const struct flows *flows)
{
    return flows->verdicts;
}

size_t flows_open(const struct flows *flows)
{
    return flows->open;
}

/* ---- the table ---- */

static void read_end(struct end *end, bool v6, const uint8_t *address, uint16_t port)
{
    *end = (struct end){ .port = port };
    if (v6) {
        memcpy(&end->high, address, 8);
        memcpy(&end->low, address + 8, 8);
    } else {
        memcpy(&end->low, address, 4);
    }
}

static bool same_end(const struct end *a, const struct end *b)
{
    return a->low == b->low && a->high == b->high && a->port == b->port;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_end(const struct flows *flows, const struct end *end)
{
    return mix(end->low ^ flows->seed[0] ^ 0x9E3779B97F4A7C15ull,
               end->high ^ ((uint64_t)end->port << 40) ^ flows->seed[1] ^ 0xD1B54A32D192ED03ull);
}

/* The same for both directions. */
static uint64_t hash_of(const struct flows *flows, const struct end end[2])
{
    uint64_t sum = hash_end(flows, &end[0]) + hash_end(flows, &end[1]);

    return mix(sum ^ flows->seed[1], 0xA0761D6478BD642Full);
}

/* Which end sent the packet; -1: it is not of this connection. */
static int direction(const struct flow *flow, const struct end end[2], bool v6)
{
    if (flow->v6 != v6)
        return -1;
    if (same_end(&flow->end[0], &end[0]) && same_end(&flow->end[1], &end[1]))
        return 0;
    return same_end(&flow->end[0], &end[1]) && same_end(&flow->end[1], &end[0]) ? 1 : -1;
}

static uint32_t find(const struct flows *flows, const struct end end[2], bool v6, uint64_t hash,
                     int *dir)
{
    if (flows->latest != NONE && (*dir = direction(at(flows, flows->latest), end, v6)) >= 0)
        return flows->latest;
    for (uint32_t i = flows->buckets[hash & (flows->buckets_len - 1)]; i != NONE;
         i = at(flows, i)->chain)
        if ((*dir = direction(at(flows, i), end, v6)) >= 0)
            return i;
    return NONE;
}

static void grow_buckets(struct flows *flows)
{
    size_t len = flows->buckets_len * 2;
    uint32_t *bigger = ps_malloc(len * sizeof(*bigger));

    memset(bigger, 0xFF, len * sizeof(*bigger));
    for (size_t b = 0; b < flows->buckets_len; b++)
        for (uint32_t i = flows->buckets[b], next; i != NONE; i = next) {
            struct flow *flow = at(flows, i);
            uint32_t *bucket = &bigger[hash_of(flows, flow->end) & (len - 1)];

            next = flow->chain;
            flow->chain = *bucket;
            *bucket = i;
        }
    free(flows->buckets);
    flows->buckets = bigger;
    flows->buckets_len = len;
}

static void add_slab(struct flows *flows)
{
    uint32_t first = (uint32_t)(flows->slabs_len * SLAB);

    PS_PUSH(flows->slabs, flows->slabs_len, flows->slabs_cap) =
        ps_calloc(SLAB, sizeof(struct flow));
    for (uint32_t i = SLAB; i-- > 0; ) {
        at(flows, first + i)->chain = flows->free_flow;
        flows->free_flow = first + i;
    }
}

static void unlink_flow(struct flows *flows, uint32_t i)
{
    struct flow *flow = at(flows, i);
    uint32_t *link = &flows->buckets[hash_of(flows, flow->end) & (flows->buckets_len - 1)];

    while (*link != i)
        link = &at(flows, *link)->chain;
    *link = flow->chain;
}

/* ---- packets kept for writing ---- */

static void drop_kept(struct flows *flows, struct flow *flow, bool write)
{
    while (flow->kept) {
        struct kept *first = flow->kept;

        flow->kept = first->next;
        if (write)
            flows->spec.write(flows->spec.of, first->bytes, first->bytes + first->header_len);
        flows->kept_bytes -= sizeof(*first) + first->header_len + first->captured;
        free(first);
    }
    flow->kept_bytes = 0;
}

enum { HEADER_BYTES = 24 };     /* of struct pcap_pkthdr, which this file does not know */

static void keep_packet(struct flows *flows, struct flow *flow, const struct frame *frame)
{
    size_t bytes = sizeof(struct kept) + HEADER_BYTES + frame->captured;
    struct kept *mine;

    if (flow->kept_bytes + bytes > FLOW_KEPT_MAX || flows->kept_bytes + bytes > FLOWS_KEPT_MAX) {
        flows->counts.kept_refused++;
        return;
    }
    mine = ps_malloc(bytes);
    *mine = (struct kept){ .captured = frame->captured, .header_len = HEADER_BYTES };
    memcpy(mine->bytes, frame->header, HEADER_BYTES);
    memcpy(mine->bytes + HEADER_BYTES, frame->bytes, frame->captured);
    if (!flow->kept)
        flow->kept_last = &flow->kept;
    *flow->kept_last = mine;
    flow->kept_last = &mine->next;
    flow->kept_bytes += (uint32_t)bytes;
    flows->kept_bytes += bytes;
}

static void decide_keep(struct flows *flows, struct flow *flow, enum verdict verdict)
{
    flow->keep = verdict_is_suspicious(verdict) ? KEEP_WRITE : KEEP_DROP;
    drop_kept(flows, flow, flow->keep == KEEP_WRITE);
}

static void write_packet(struct flows *flows, struct flow *flow, const struct frame *frame)
{
    enum reason reason;

    if (flow->keep == KEEP_HOLD) {
        bool clear = flow->talk.facts.protocol || talk_is_settled(&flow->talk);

        keep_packet(flows, flow, frame);
        if (clear)
            decide_keep(flows, flow, talk_verdict(&flow->talk, false, &reason));
    } else if (flow->keep == KEEP_WRITE) {
        flows->spec.write(flows->spec.of, frame->header, frame->bytes);
    }
}

/* ---- bytes into the conversation ---- */

struct delivery {
    struct flows *flows;
    struct flow *flow;
    int dir;
};

static enum talk_side side_of(const struct flow *flow, int dir)
{
    return dir == flow->client ? SIDE_CLIENT : SIDE_SERVER;
}

static int64_t acked_of(const struct delivery *to, const struct piece *piece)
{
    const struct stream *other = &to->flow->stream[!to->dir];

    return piece->has_ack && other->known ? (int64_t)(uint32_t)(piece->ack - other->start) : -1;
}

static void count_part(struct flows *flows, struct flow *flow)
{
    size_t bytes = talk_part_bytes(&flow->talk);

    flows->parts_bytes += bytes;
    flows->parts_bytes -= flow->part_bytes;
    flow->part_bytes = (uint32_t)bytes;
}

static void deliver(void *of, const struct piece *piece)
{
    const struct delivery *to = of;
    struct flow *flow = to->flow;

    if (!piece->p) {
        talk_gap(&flow->talk, side_of(flow, to->dir), piece->len);
    } else if (!flow->from_start && flow->talk.facts.start == START_UNKNOWN) {
        if (!talk_looks_like_start(piece->p, piece->len)) {
            talk_give_up(&flow->talk, R_BEGAN_BEFORE);
            return;
        }
        flow->client = (uint8_t)to->dir;
        talk_data(&flow->talk, SIDE_CLIENT, piece->p, piece->len, -1, to->flows->now_us);
    } else {
        talk_data(&flow->talk, side_of(flow, to->dir), piece->p, piece->len, acked_of(to, piece),
                  to->flows->now_us);
    }
    if (flow->part_bytes || flow->talk.part || flow->talk.walk[0].body.cap
        || flow->talk.walk[1].body.cap)
        count_part(to->flows, flow);
}

/* ---- the life of a connection ---- */

static void fill_conn(const struct flow *flow, struct conn *conn)
{
    const int client = flow->client;

    *conn = (struct conn){
        .v6 = flow->v6, .from_start = flow->from_start, .reset = flow->reset,
        .closed = flow->closed || flow->stream[0].fin || flow->stream[1].fin,
        .one_direction = !flow->seen[0] || !flow->seen[1],
        .first_us = flow->first_us, .last_us = flow->last_us, .packets = flow->packets,
        .facts = flow->talk.facts,
    };
    for (int side = 0; side < SIDES; side++) {
        int dir = side == SIDE_CLIENT ? client : !client;
        const struct end *end = &flow->end[dir];

        conn->port[side] = (uint16_t)end->port;
        if (flow->v6) {
            memcpy(conn->address[side], &end->high, 8);
            memcpy(conn->address[side] + 8, &end->low, 8);
        } else {
            memcpy(conn->address[side], &end->low, 4);
        }
        conn->bytes[side] = flow->stream[dir].bytes;
        conn->lost[side] = flow->stream[dir].lost;
    }
    for (int i = 0; i < TALK_TEXTS; i++)
        conn->text[i] = flow->talk.text[i];
}

static void judge(const struct flow *flow, struct conn *conn)
{
    enum reason reason;
    enum verdict verdict = talk_verdict(&flow->talk, conn->closed, &reason);

    if (verdict == V_UNKNOWN && reason != R_BEGAN_BEFORE && conn->one_direction)
        reason = R_ONE_DIRECTION;
    if (reason == R_LOST && flow->cut)
        reason = R_CUT;
    conn->verdict = (uint8_t)verdict;
    conn->reason = (uint8_t)reason;
    conn->recognised = !conn->facts.not_postgres && conn->facts.start != START_UNKNOWN;
}

static void end_flow(struct flows *flows, uint32_t i)
{
    struct flow *flow = at(flows, i);
    struct conn conn;

    for (int dir = 0; dir < 2; dir++) {
        struct delivery to = { flows, flow, dir };

        stream_end(&flow->stream[dir], &flows->pool,
                   talk_is_settled(&flow->talk) ? NULL : deliver, &to);
    }
    talk_end(&flow->talk);
    fill_conn(flow, &conn);
    judge(flow, &conn);
    flows->verdicts[conn.verdict]++;
    if (flows->spec.write && flow->keep == KEEP_HOLD)
        decide_keep(flows, flow, (enum verdict)conn.verdict);
    flows->spec.done(flows->spec.of, &conn);

    unlink_flow(flows, i);
    flows->parts_bytes -= flow->part_bytes;
    stream_free(&flow->stream[0], &flows->pool);
    stream_free(&flow->stream[1], &flows->pool);
    talk_free(&flow->talk);
    flow->used = false;
    flow->chain = flows->free_flow;
    flows->free_flow = i;
    flows->open--;
    if (flows->latest == i)
        flows->latest = NONE;
}

static void close_flow(struct flows *flows, uint32_t i)
{
    struct flow *flow = at(flows, i);

    if (flow->closed)
        return;
    flow->closed = true;
    flow->closed_us = flows->now_us;
    flow->lingers = NONE;
    if (flows->linger_last == NONE)
        flows->linger_first = i;
    else
        at(flows, flows->linger_last)->lingers = i;
    flows->linger_last = i;
}

static void end_first_lingering(struct flows *flows)
{
    uint32_t i = flows->linger_first;

    flows->linger_first = at(flows, i)->lingers;
    if (flows->linger_first == NONE)
        flows->linger_last = NONE;
    end_flow(flows, i);
}

static void end_lingering(struct flows *flows)
{
    while (flows->linger_first != NONE) {
        int64_t passed = flows->now_us - at(flows, flows->linger_first)->closed_us;

        /* a clock that was set back must not make them stay for ever */
        if (passed <= FLOW_LINGER_US && passed >= -FLOW_LINGER_US)
            return;
        end_first_lingering(flows);
    }
}

/* One that is over, or the quietest of a few. */
static void evict(struct flows *flows)
{
    uint32_t quietest = NONE, all = (uint32_t)(flows->slabs_len * SLAB);

    flows->counts.evicted++;
    if (flows->linger_first != NONE) {
        end_first_lingering(flows);
        return;
    }
    for (int probes = 0; probes < EVICT_PROBES; flows->hand = (flows->hand + 1) % all) {
        const struct flow *flow = at(flows, flows->hand);

        if (!flow->used)
            continue;
        probes++;
        if (quietest == NONE || flow->last_us < at(flows, quietest)->last_us)
            quietest = flows->hand;
    }
    talk_give_up(&at(flows, quietest)->talk, R_OVER_BOUND);
    end_flow(flows, quietest);
}

/* Without a SYN the lower port is taken for the server's, until the first bytes say better. */
static uint8_t guess_client(const struct packet *packet)
{
    if (packet->flags & TCP_SYN)
        return packet->flags & TCP_ACK ? 1 : 0;
    return packet->sport < packet->dport ? 1 : 0;
}

static uint32_t new_flow(struct flows *flows, const struct packet *packet, const struct end end[2],
                         uint64_t hash)
{
    struct flow *flow;
    uint32_t i;

    if (flows->open >= FLOWS_MAX)
        evict(flows);
    if (flows->free_flow == NONE)
        add_slab(flows);
    if (flows->open > flows->buckets_len)
        grow_buckets(flows);
    i = flows->free_flow;
    flow = at(flows, i);
    flows->free_flow = flow->chain;

    uint32_t *bucket = &flows->buckets[hash & (flows->buckets_len - 1)];
    *flow = (struct flow){ .end = { end[0], end[1] }, .used = true, .v6 = packet->v6,
                           .from_start = (packet->flags & TCP_SYN) != 0, .chain = *bucket,
                           .client = guess_client(packet), .first_us = flows->now_us };
    *bucket = i;
    talk_begin(&flow->talk, flow->from_start, flows->spec.want_samples, flows->spec.shelf);
    flows->counts.connections++;
    if (++flows->open > flows->counts.most_open)
        flows->counts.most_open = flows->open;
    return i;
}

/* A SYN with another number: the ports are used again. */
static bool begins_anew(const struct flow *flow, int dir, const struct packet *packet)
{
    const struct stream *stream = &flow->stream[dir];

    return (packet->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && flow->packets > 0
        && (!stream->known || stream->start != packet->seq + 1 || flow->closed);
}

static void end_now(struct flows *flows, uint32_t i)
{
    /* those that are over stand in a list: take it out of there */
    if (at(flows, i)->closed) {
        uint32_t *link = &flows->linger_first, before = NONE;

        while (*link != i) {
            before = *link;
            link = &at(flows, *link)->lingers;
        }
        *link = at(flows, i)->lingers;
        if (flows->linger_last == i)
            flows->linger_last = before;
    }
    end_flow(flows, i);
}

static void begin_streams(struct flow *flow, int dir, const struct packet *packet)
{
    struct stream *mine = &flow->stream[dir], *other = &flow->stream[!dir];

    if ((packet->flags & TCP_SYN) && !mine->known)
        stream_begin(mine, packet->seq + 1);
    if ((packet->flags & TCP_ACK) && flow->from_start && !other->known)
        stream_begin(other, packet->ack);
}

static void take_segment(struct flows *flows, struct flow *flow, int dir,
                         const struct packet *packet)
{
    struct delivery mine = { flows, flow, dir }, other = { flows, flow, !dir };
    bool settled = talk_is_settled(&flow->talk);

    begin_streams(flow, dir, packet);
    if (packet->flags & TCP_ACK && !settled && flow->stream[!dir].known)
        stream_acked(&flow->stream[!dir], &flows->pool, packet->ack, deliver, &other);
    if (packet->captured < packet->len) {
        flows->counts.cut_packets++;
        flow->cut |= !settled;
    }
    stream_take(&flow->stream[dir], &flows->pool, packet, settled ? NULL : deliver, &mine);
    if (flows->parts_bytes > FLOWS_PARTS_MAX && flow->talk.part) {
        flows->counts.parts_refused++;
        talk_give_up(&flow->talk, R_OVER_BOUND);
        talk_drop_part(&flow->talk);
        count_part(flows, flow);
    }
}

static bool is_wanted(const struct flows *flows, const struct packet *packet)
{
    return !flows->spec.ports_count
        || (flows->ports[packet->sport / 64] >> (packet->sport % 64) & 1)
        || (flows->ports[packet->dport / 64] >> (packet->dport % 64) & 1);
}

static void take_packet(struct flows *flows, const struct packet *packet, const struct frame *frame)
{
    struct end end[2];
    uint64_t hash;
    int dir = 0;
    uint32_t i;

    read_end(&end[0], packet->v6, packet->src, packet->sport);
    read_end(&end[1], packet->v6, packet->dst, packet->dport);
    hash = hash_of(flows, end);
    i = find(flows, end, packet->v6, hash, &dir);
    if (i != NONE && begins_anew(at(flows, i), dir, packet)) {
        end_now(flows, i);
        i = NONE;
    }
    if (i == NONE) {
        if (packet->flags & TCP_RST)
            return;
        i = new_flow(flows, packet, end, hash);
        dir = 0;
    }
    flows->latest = i;

    struct flow *flow = at(flows, i);
    flow->packets++;
    flow->last_us = flows->now_us;
    flow->seen[dir] = true;
    take_segment(flows, flow, dir, packet);
    if (flows->spec.write)
        write_packet(flows, flow, frame);
    if (packet->flags & TCP_RST)
        flow->reset = true;
    if ((packet->flags & TCP_RST) || (flow->stream[0].fin && flow->stream[1].fin))
        close_flow(flows, i);
}

void flows_packet(struct flows *flows, int link_type, const struct frame *frame)
{
    struct packet packet;
    enum link_kind kind = link_parse(link_type, frame->bytes, frame->captured, frame->len, &packet);

    flows->now_us = frame->when_us;
    flows->counts.packets++;
    flows->counts.kinds[kind]++;
    if (flows->linger_first != NONE)
        end_lingering(flows);
    if (kind != LINK_TCP)
        return;
    flows->counts.tcp_bytes += packet.len;
    if (!is_wanted(flows, &packet)) {
        flows->counts.other_ports++;
        return;
    }
    take_packet(flows, &packet, frame);
    flows->counts.early_refused = flows->pool.refused;
}

void flows_end(struct flows *flows)
{
    while (flows->linger_first != NONE)
        end_first_lingering(flows);
    for (uint32_t i = 0; i < flows->slabs_len * SLAB; i++)
        if (at(flows, i)->used)
            end_flow(flows, i);
}

void flows_free(struct flows *flows)
{
    for (uint32_t i = 0; i < flows->slabs_len * SLAB; i++) {
        struct flow *flow = at(flows, i);

        if (!flow->used)
            continue;
        drop_kept(flows, flow, false);
        stream_free(&flow->stream[0], &flows->pool);
        stream_free(&flow->stream[1], &flows->pool);
        talk_free(&flow->talk);
    }
    for (size_t i = 0; i < flows->slabs_len; i++)
        free(flows->slabs[i]);
    free(flows->slabs);
    free(flows->buckets);
    free(flows);
}

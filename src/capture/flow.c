/* flow.c - from packets to conversations; see flow.h. */
#include "capture/flow_part.h"

#include <pcap/dlt.h>

struct flows *flows_new(const struct flows_spec *spec)
{
    struct flows *flows = ps_calloc(1, sizeof(*flows));

    flows->spec = *spec;
    flow_table_init(&flows->table);
    flows->linger_first = flows->linger_last = NO_FLOW;
    for (size_t i = 0; i < spec->ports_count; i++)
        flows->ports[spec->ports[i] / 64] |= 1ull << (spec->ports[i] % 64);
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
    return flows->table.open;
}

/* ---- bytes into the conversation ---- */

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

/* Who greets is the client, whoever's SYN was seen last: one that is forged must not turn them round. */
static bool is_other_way_round(const struct flow *flow, int dir, const struct piece *piece)
{
    return dir != flow->client && flow->stream[!dir].bytes == 0 && flow->talk.offset[SIDE_SERVER] == 0
        && talk_looks_like_start(piece->p, piece->len);
}

void flow_deliver(void *of, const struct piece *piece)
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
        if (is_other_way_round(flow, to->dir, piece))
            flow->client = (uint8_t)to->dir;
        talk_data(&flow->talk, side_of(flow, to->dir), piece->p, piece->len, acked_of(to, piece),
                  to->flows->now_us);
    }
    if (flow->part_bytes || flow->talk.part || flow->talk.walk[0].body.cap
        || flow->talk.walk[1].body.cap)
        count_part(to->flows, flow);
}

/* ---- packets ---- */

/* Without a SYN the lower port is taken for the server's, until the first bytes say better. */
static uint8_t guess_client(const struct packet *packet)
{
    if (packet->flags & TCP_SYN)
        return packet->flags & TCP_ACK ? 1 : 0;
    return packet->sport < packet->dport ? 1 : 0;
}

static struct flow *new_flow(struct flows *flows, const struct packet *packet, const struct flow_key *key,
                             bool swapped)
{
    struct flow *flow;

    if (flows->table.open >= FLOWS_MAX)
        flow_evict(flows);
    flow = flow_table_add(&flows->table, key);
    flow->swapped = swapped;
    flow->from_start = (packet->flags & TCP_SYN) != 0;
    flow->client = guess_client(packet);
    flow->first_us = flows->now_us;
    talk_begin(&flow->talk, flow->from_start, flows->spec.want_samples, flows->spec.shelf);
    flows->counts.connections++;
    if (flows->table.open > flows->counts.most_open)
        flows->counts.most_open = flows->table.open;
    return flow;
}

static bool has_bytes(const struct flow *flow)
{
    return flow->stream[0].bytes > 0 || flow->stream[1].bytes > 0;
}

/*
 * Where nobody reads any more, a request: of another connection, whose SYN was lost, or of one that goes on behind
 * a failure, a greeting of something else, or a request to cancel.  In what is encrypted and followed such bytes do
 * not come by chance out of order and far from the first one.
 */
static bool is_start_of_another(const struct flow *flow, int dir, const struct packet *packet)
{
    enum { NEAR = 65536 };      /* late and repeated segments of its own beginning */
    const struct stream *stream = &flow->stream[dir];

    if (!packet->captured || !stream->known || packet->payload[0] != 0)
        return false;

    bool far = packet->seq - stream->start + NEAR > 2 * NEAR && packet->seq != stream->next;
    bool next = (int32_t)(packet->seq - stream->next) >= 0;
    return ((far && talk_is_settled(&flow->talk)) || (next && talk_is_deaf_to(&flow->talk, side_of(flow, dir))))
        && talk_looks_like_start(packet->payload, packet->captured);
}

/* The ports are used again: a SYN with another number, or where it was lost, the answer to it or what follows. */
static bool begins_anew(const struct flow *flow, int dir, const struct packet *packet)
{
    const struct stream *stream = &flow->stream[dir];

    if (!(packet->flags & TCP_SYN))
        return is_start_of_another(flow, dir, packet);
    if (packet->flags & TCP_ACK)
        return stream->known && stream->start != packet->seq + 1 && (flow->closed || has_bytes(flow));
    return flow->packets > 0
        && (!stream->known || stream->start != packet->seq + 1 || flow->closed);
}

static void begin_streams(struct flow *flow, int dir, const struct packet *packet)
{
    struct stream *mine = &flow->stream[dir], *other = &flow->stream[!dir];

    /* a SYN that was answered twice, the second time with another number (SYN cookies) */
    if ((packet->flags & TCP_SYN) && (!mine->known || (mine->bytes == 0 && !mine->early)))
        stream_begin(mine, packet->seq + 1);
    if ((packet->flags & TCP_ACK) && flow->from_start && !other->known)
        stream_begin(other, packet->ack);
}

/* In order, and inside one frame of what is encrypted: nobody needs to see it. */
static bool pass_frame(struct flow *flow, int dir, const struct packet *packet)
{
    struct stream *stream = &flow->stream[dir];

    if (stream->early || packet->seq != stream->next || (packet->flags & (TCP_SYN | TCP_FIN))
        || !talk_pass(&flow->talk, side_of(flow, dir), packet->len))
        return false;
    stream->next += packet->len;
    stream->bytes += packet->len;
    return true;
}

/*
 * A copy of what was taken already says something else: nobody can tell which one the receiver took.  The one
 * byte 0 in front of the next is no copy, but asks whether the other side is alive (RFC 9293 3.8.4).
 */
static void compare_copy(struct flow *flow, int dir, const struct packet *packet)
{
    const struct stream *stream = &flow->stream[dir];
    uint32_t seq = packet->seq + ((packet->flags & TCP_SYN) != 0), old = stream->next - seq;
    size_t len = packet->captured < old ? packet->captured : old;

    if (old == 1 && packet->len == 1 && len == 1 && packet->payload[0] == 0)
        return;
    if (talk_contradicts(&flow->talk, side_of(flow, dir), seq - stream->start, packet->payload, len))
        flow->doubted = R_COPIES;
}

static bool is_copy(const struct stream *stream, const struct packet *packet)
{
    return stream->known && packet->captured && (int32_t)(stream->next - packet->seq) > 0;
}

/* What is encrypted must not take the room of handshakes that are not decided. */
static bool waits_too_long(const struct flows *flows, const struct stream *stream)
{
    enum { SETTLED_EARLY_MAX = 64 };

    return stream->early_count > SETTLED_EARLY_MAX
        || (stream->early && flows->pool.bytes > STREAM_POOL_MAX / 2);
}

static void take_segment(struct flows *flows, struct flow *flow, int dir,
                         const struct packet *packet)
{
    struct delivery mine = { flows, flow, dir }, other = { flows, flow, !dir };
    bool settled = talk_is_settled(&flow->talk), deaf = settled && talk_is_deaf(&flow->talk);

    begin_streams(flow, dir, packet);
    if (packet->flags & TCP_ACK && flow->stream[!dir].known && (!settled || flow->stream[!dir].early))
        stream_acked(&flow->stream[!dir], &flows->pool, packet->ack, flow_deliver, &other);
    if (packet->captured < packet->len) {
        flows->counts.cut_packets++;
        flow->cut |= !settled;
    }
    if (settled && !deaf && pass_frame(flow, dir, packet))
        return;
    if (is_copy(&flow->stream[dir], packet) && !deaf && !flow->doubted)
        compare_copy(flow, dir, packet);
    if (packet->len || (packet->flags & TCP_FIN) || !flow->stream[dir].known)
        stream_take(&flow->stream[dir], &flows->pool, packet, deaf ? NULL : flow_deliver, &mine);
    if (settled && !deaf && waits_too_long(flows, &flow->stream[dir]))
        stream_hurry(&flow->stream[dir], &flows->pool, flow_deliver, &mine);
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

/* The connection of a packet; NULL: it has none, and is not the beginning of one. */
static struct flow *flow_of(struct flows *flows, const struct packet *packet, int *dir)
{
    struct flow_key key;
    struct flow *flow;
    bool swapped;

    flow_key_of(packet, &key, &swapped);
    flow = flow_table_find(&flows->table, &key);
    if (flow) {
        *dir = flow->swapped ^ swapped;
        if (!begins_anew(flow, *dir, packet))
            return flow;
        flow_end_now(flows, flow->number);
    }
    *dir = 0;
    return packet->flags & TCP_RST ? NULL : new_flow(flows, packet, &key, swapped);
}

static void take_packet(struct flows *flows, const struct packet *packet, int link_type, const struct frame *frame)
{
    int dir;
    struct flow *flow = flow_of(flows, packet, &dir);

    if (!flow)
        return;
    flow->packets++;
    flow->last_us = flows->now_us;
    flow->seen[dir] = true;
    take_segment(flows, flow, dir, packet);
    if (flows->spec.write)
        flow_keep_packet(flows, flow, link_type, frame);
    if (packet->flags & TCP_RST)
        flow->reset = true;
    if ((packet->flags & TCP_RST) || (flow->stream[0].fin && flow->stream[1].fin))
        flow_linger(flows, flow->number);
}

static void doubt(void *of, const struct packet *ends)
{
    struct flows *flows = of;
    struct flow_key key;
    bool swapped;

    flow_key_of(ends, &key, &swapped);

    struct flow *flow = flow_table_find(&flows->table, &key);
    if (flow)
        flow->doubted = R_OVERLAP;
}

/* True: the packet is whole now, and *packet and *frame are it. */
static bool take_fragment(struct flows *flows, int *link_type, struct packet *packet,
                          const struct frame **frame, struct frame *whole)
{
    if (!flows->frags)
        flows->frags = frags_new(doubt, flows);
    if (!frags_take(flows->frags, *link_type, *frame, whole))
        return false;
    *frame = whole;
    *link_type = DLT_RAW;
    return link_parse(*link_type, whole->bytes, whole->captured, whole->len, packet) == LINK_TCP;
}

void flows_packet(struct flows *flows, int link_type, const struct frame *frame)
{
    struct packet packet;
    struct frame whole;
    enum link_kind kind = link_parse(link_type, frame->bytes, frame->captured, frame->len, &packet);

    flows->now_us = frame->when_us;
    flows->counts.packets++;
    flows->counts.kinds[kind]++;
    flow_end_lingering(flows);
    if (kind == LINK_UNKNOWN)
        flows->counts.unknown_link = link_type;
    if (kind != LINK_TCP
        && (kind != LINK_FRAGMENT || !take_fragment(flows, &link_type, &packet, &frame, &whole)))
        return;
    flows->counts.tcp_bytes += packet.len;
    if (!is_wanted(flows, &packet)) {
        flows->counts.other_ports++;
        return;
    }
    take_packet(flows, &packet, link_type, frame);
    flows->counts.early_refused = flows->pool.refused;
}

/* ---- the end ---- */

void flows_end(struct flows *flows)
{
    if (flows->frags) {
        frags_end(flows->frags);
        flows->counts.frags = *frags_counts(flows->frags);
    }
    for (uint32_t i = flows->linger_first; i != NO_FLOW; i = flows->linger_first)
        flow_end_now(flows, i);
    for (uint32_t i = 0; i < flow_table_all(&flows->table); i++)
        if (flow_at(flows, i)->used)
            flow_end(flows, i);
}

void flows_free(struct flows *flows)
{
    for (uint32_t i = 0; i < flow_table_all(&flows->table); i++) {
        struct flow *flow = flow_at(flows, i);

        if (!flow->used)
            continue;
        flow_keep_drop(flows, flow);
        stream_free(&flow->stream[0], &flows->pool);
        stream_free(&flow->stream[1], &flows->pool);
        talk_free(&flow->talk);
    }
    if (flows->frags)
        frags_free(flows->frags);
    flow_table_free(&flows->table);
    free(flows);
}

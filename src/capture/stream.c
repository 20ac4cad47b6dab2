/* stream.c - see stream.h. */
#include "capture/stream.h"

#include "base/mem.h"

struct segment {
    struct segment *next;
    uint32_t seq, ack, len, captured;
    bool has_ack;
    uint8_t bytes[];
};

#define WINDOW_MAX (1 << 30)    /* RFC 7323 2.3 */

/* Sequence numbers go round: RFC 9293 3.4. */
static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

static void drop_first(struct stream *stream, struct stream_pool *pool)
{
    struct segment *first = stream->early;

    stream->early = first->next;
    stream->early_bytes -= first->captured;
    stream->early_count--;
    pool->bytes -= sizeof(*first) + first->captured;
    free(first);
}

void stream_free(struct stream *stream, struct stream_pool *pool)
{
    while (stream->early)
        drop_first(stream, pool);
}

void stream_begin(struct stream *stream, uint32_t seq)
{
    stream->start = stream->next = seq;
    stream->known = true;
}

static void gap(struct stream *stream, uint32_t len, stream_fn to, void *of)
{
    stream->next += len;
    stream->bytes += len;
    stream->lost += len;
    if (to)
        to(of, &(struct piece){ .len = len });
}

/* What begins at or before `next`: the part that is new goes out. */
static void deliver(struct stream *stream, const struct segment *head, const uint8_t *bytes,
                    stream_fn to, void *of)
{
    uint32_t old = stream->next - head->seq;
    uint32_t len = head->len - old, have;

    if (old >= head->len)
        return;
    have = head->captured > old ? head->captured - old : 0;
    stream->next += have;
    stream->bytes += have;
    if (have && to)
        to(of, &(struct piece){ bytes + old, have, head->ack, head->has_ack });
    if (len > have)                 /* the packet was cut when it was captured */
        gap(stream, len - have, to, of);
}

static void deliver_early(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of)
{
    while (stream->early && distance(stream->next, stream->early->seq) <= 0) {
        deliver(stream, stream->early, stream->early->bytes, to, of);
        drop_first(stream, pool);
    }
}

/* Give the hole up: what waits behind it is next. */
static void jump(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of)
{
    gap(stream, stream->early->seq - stream->next, to, of);
    deliver_early(stream, pool, to, of);
}

static bool has_room(const struct stream *stream, const struct stream_pool *pool, size_t bytes)
{
    return stream->early_bytes + bytes <= STREAM_EARLY_MAX
        && stream->early_count < STREAM_EARLY_COUNT_MAX && pool->bytes + bytes <= STREAM_POOL_MAX;
}

static void keep(struct stream *stream, struct stream_pool *pool, const struct segment *head,
                 const uint8_t *bytes)
{
    struct segment **at = &stream->early;
    struct segment *mine;

    /* A copy of what waits already changes nothing; the first one counts. */
    while (*at && distance((*at)->seq, head->seq) >= 0) {
        if ((*at)->seq == head->seq && (*at)->len >= head->len)
            return;
        at = &(*at)->next;
    }
    mine = ps_malloc(sizeof(*mine) + head->captured);
    *mine = *head;
    if (head->captured)
        memcpy(mine->bytes, bytes, head->captured);
    mine->next = *at;
    *at = mine;
    stream->early_bytes += mine->captured;
    stream->early_count++;
    pool->bytes += sizeof(*mine) + mine->captured;
}

static void take_early(struct stream *stream, struct stream_pool *pool, const struct segment *head,
                       const uint8_t *bytes, stream_fn to, void *of)
{
    if (distance(stream->next, head->seq) > WINDOW_MAX) {
        stream->strange = true;
        return;
    }
    if (!has_room(stream, pool, head->captured)) {
        pool->refused++;
        if (stream->early && distance(stream->early->seq, head->seq) >= 0)
            jump(stream, pool, to, of);
        if (distance(stream->next, head->seq) > 0 && has_room(stream, pool, head->captured))
            keep(stream, pool, head, bytes);
        else if (distance(stream->next, head->seq) > 0)
            gap(stream, head->seq - stream->next, to, of);
    } else {
        keep(stream, pool, head, bytes);
    }
    if (distance(stream->next, head->seq) <= 0) {
        deliver(stream, head, bytes, to, of);
        deliver_early(stream, pool, to, of);
    }
}

/* Nobody reads: the end of what was seen is all that counts. */
static void count_only(struct stream *stream, struct stream_pool *pool, uint32_t end)
{
    int32_t more = distance(stream->next, end);

    if (stream->early)
        stream_free(stream, pool);
    if (more > 0 && more < WINDOW_MAX) {
        stream->next += (uint32_t)more;
        stream->bytes += (uint32_t)more;
    }
}

/* Sequence numbers from the first one's. */
static bool agrees(const struct segment *a, const uint8_t *bytes, const struct segment *b)
{
    int32_t from = distance(a->seq, b->seq), a_end = (int32_t)a->captured, b_end = from + (int32_t)b->captured;
    int32_t begin = from > 0 ? from : 0, end = a_end < b_end ? a_end : b_end;

    return begin >= end || memcmp(bytes + begin, b->bytes + (begin - from), (size_t)(end - begin)) == 0;
}

static void compare(struct stream *stream, const struct segment *head, const uint8_t *bytes)
{
    for (const struct segment *at = stream->early; at && !stream->differs; at = at->next) {
        if (distance(head->seq + head->captured, at->seq) >= 0)
            return;
        stream->differs = !agrees(head, bytes, at);
    }
}

static void take_bytes(struct stream *stream, struct stream_pool *pool, const struct packet *packet,
                       uint32_t seq, stream_fn to, void *of)
{
    struct segment head = { .seq = seq, .ack = packet->ack, .len = packet->len,
                            .captured = packet->captured < packet->len ? packet->captured : packet->len,
                            .has_ack = (packet->flags & TCP_ACK) != 0 };

    if (stream->early && !stream->differs)
        compare(stream, &head, packet->payload);
    if (distance(stream->next, seq) > 0) {
        take_early(stream, pool, &head, packet->payload, to, of);
        return;
    }
    /* the byte before the first one may ask whether the other side is alive */
    stream->strange |= stream->bytes < WINDOW_MAX && distance(seq, stream->start) > 1;
    deliver(stream, &head, packet->payload, to, of);
    if (stream->early)
        deliver_early(stream, pool, to, of);
}

void stream_take(struct stream *stream, struct stream_pool *pool, const struct packet *packet,
                 stream_fn to, void *of)
{
    uint32_t seq = packet->seq + ((packet->flags & TCP_SYN) != 0);

    if (!stream->known)
        stream_begin(stream, seq);
    if (packet->flags & TCP_FIN) {
        stream->fin = true;
        stream->fin_at = seq + packet->len;
    }
    if (packet->len == 0)
        return;
    if (to)
        take_bytes(stream, pool, packet, seq, to, of);
    else
        count_only(stream, pool, seq + packet->len);
}

void stream_skip_to(struct stream *stream, struct stream_pool *pool, uint32_t ack, stream_fn to, void *of)
{
    /* Only with something behind the hole: an acknowledgement may be captured before what it is for. */
    while (stream->early && distance(stream->early->seq, ack) > 0)
        jump(stream, pool, to, of);
}

void stream_hurry(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of)
{
    while (stream->early)
        jump(stream, pool, to, of);
}

void stream_end(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of)
{
    stream_hurry(stream, pool, to, of);
    if (stream->known && stream->fin && distance(stream->next, stream->fin_at) > 0
        && distance(stream->next, stream->fin_at) < WINDOW_MAX)
        gap(stream, stream->fin_at - stream->next, to, of);
    /* Received, never seen; one alone may be the number of a FIN. */
    if (stream->known && stream->was_acked && distance(stream->next, stream->acked) > 1
        && distance(stream->next, stream->acked) < WINDOW_MAX)
        gap(stream, stream->acked - stream->next, to, of);
}

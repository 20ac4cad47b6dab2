/* frag.c - see frag.h. */
#include "capture/frag.h"

#include "base/mem.h"

enum { DATAGRAM_MAX = 65535, V6_HEAD = 40, V6_FRAGMENT_HEAD = 8, PROTO_TCP = 6 };

struct shard {
    struct shard *next;         /* by place, rising */
    uint32_t at, len, captured;
    bool more;
    uint8_t bytes[];
};

enum state { FREE, WAITS, SPOILED, DONE };

struct datagram {
    uint8_t state;              /* enum state */
    struct fragment key;        /* of the first fragment that came; its pointers are not used */
    uint8_t src[16], dst[16];
    int64_t when_us;            /* of that fragment; DONE: of the last one */
    struct shard *pieces;
    uint32_t count, bytes;      /* bytes: of memory */
    uint32_t have, total;       /* bytes on the wire; total 0: the last one has not come */
    uint8_t *head;              /* what stands before the fragment at 0 */
    size_t head_len, next_at;
};

struct frags {
    struct datagram at[FRAGS_MAX];
    size_t bytes;
    struct frag_counts counts;
    void (*doubt)(void *of, const struct packet *ends);
    void *of;
    uint8_t *whole;             /* what was handed out last */
};

struct frags *frags_new(void (*doubt)(void *of, const struct packet *ends), void *of)
{
    struct frags *frags = ps_calloc(1, sizeof(*frags));

    frags->doubt = doubt;
    frags->of = of;
    return frags;
}

static void empty(struct frags *frags, struct datagram *datagram)
{
    while (datagram->pieces) {
        struct shard *first = datagram->pieces;

        datagram->pieces = first->next;
        free(first);
    }
    free(datagram->head);
    frags->bytes -= datagram->bytes;
    datagram->head = NULL;
    datagram->bytes = datagram->count = 0;
}

static void release(struct frags *frags, struct datagram *datagram)
{
    empty(frags, datagram);
    datagram->state = FREE;
}

void frags_free(struct frags *frags)
{
    for (size_t i = 0; i < FRAGS_MAX; i++)
        empty(frags, &frags->at[i]);
    free(frags->whole);
    free(frags);
}

const struct frag_counts *frags_counts(const struct frags *frags)
{
    return &frags->counts;
}

size_t frags_bytes(const struct frags *frags)
{
    return frags->bytes;
}

void frags_end(struct frags *frags)
{
    for (size_t i = 0; i < FRAGS_MAX; i++) {
        frags->counts.incomplete += frags->at[i].state == WAITS;
        release(frags, &frags->at[i]);
    }
}

/* ---- which datagram ---- */

static bool is_over(const struct datagram *datagram, int64_t now_us)
{
    int64_t passed = now_us - datagram->when_us;
    int64_t limit = datagram->state == DONE ? FRAG_COPIES_US : FRAG_TIMEOUT_US;

    return passed > limit || passed < -limit;       /* or the clock was set back */
}

static bool is_of(const struct datagram *datagram, const struct fragment *fragment)
{
    size_t len = fragment->v6 ? 16 : 4;

    return datagram->key.v6 == fragment->v6 && datagram->key.id == fragment->id
        && (fragment->v6 || datagram->key.next == fragment->next)
        && memcmp(datagram->src, fragment->src, len) == 0
        && memcmp(datagram->dst, fragment->dst, len) == 0;
}

static void drop_oldest(struct frags *frags)
{
    struct datagram *oldest = NULL;

    for (size_t i = 0; i < FRAGS_MAX; i++)
        if (frags->at[i].state != FREE && (!oldest || frags->at[i].when_us < oldest->when_us))
            oldest = &frags->at[i];
    if (!oldest)
        return;
    frags->counts.dropped += oldest->state == WAITS;
    release(frags, oldest);
}

static struct datagram *new_datagram(struct frags *frags, const struct fragment *fragment,
                                     int64_t now_us)
{
    struct datagram *free_one = NULL;

    while (!free_one) {
        for (size_t i = 0; !free_one && i < FRAGS_MAX; i++)
            if (frags->at[i].state == FREE)
                free_one = &frags->at[i];
        if (!free_one)
            drop_oldest(frags);
    }
    *free_one = (struct datagram){ .state = WAITS, .key = *fragment, .when_us = now_us };
    memcpy(free_one->src, fragment->src, fragment->v6 ? 16 : 4);
    memcpy(free_one->dst, fragment->dst, fragment->v6 ? 16 : 4);
    return free_one;
}

static struct datagram *find(struct frags *frags, const struct fragment *fragment, int64_t now_us)
{
    struct datagram *found = NULL;

    for (size_t i = 0; i < FRAGS_MAX; i++) {
        struct datagram *datagram = &frags->at[i];

        if (datagram->state == FREE)
            continue;
        if (is_over(datagram, now_us)) {
            frags->counts.incomplete += datagram->state == WAITS;
            release(frags, datagram);
        } else if (is_of(datagram, fragment)) {
            found = datagram;
        }
    }
    return found ? found : new_datagram(frags, fragment, now_us);
}

/* ---- fragments that contradict each other ---- */

/* `next`, `p`: of a first fragment, whose bytes begin with the ports. */
static void doubt(const struct frags *frags, const struct fragment *fragment, uint8_t next,
                  const uint8_t *p, size_t captured)
{
    struct packet ends = { .v6 = fragment->v6, .src = fragment->src, .dst = fragment->dst };

    if (next != PROTO_TCP || captured < 4)
        return;
    ends.sport = (uint16_t)(p[0] << 8 | p[1]);
    ends.dport = (uint16_t)(p[2] << 8 | p[3]);
    frags->doubt(frags->of, &ends);
}

static void spoil(struct frags *frags, struct datagram *datagram, const struct fragment *fragment)
{
    const struct shard *first = datagram->pieces;

    if (datagram->state == WAITS)
        frags->counts.overlapping++;
    if (first && first->at == 0)
        doubt(frags, fragment, datagram->key.next, first->bytes, first->captured);
    if (fragment->at == 0)
        doubt(frags, fragment, fragment->next, fragment->payload, fragment->captured);
    datagram->state = SPOILED;
    empty(frags, datagram);
}

/* ---- one more piece ---- */

static bool is_copy(const struct shard *shard, const struct fragment *fragment)
{
    return shard->at == fragment->at && shard->len == fragment->len
        && shard->captured == fragment->captured && shard->more == fragment->more
        && memcmp(shard->bytes, fragment->payload, shard->captured) == 0;
}

enum place { NEW, COPY, CLASH };

/* Where it belongs; *link is what it goes before. */
static enum place find_place(struct datagram *datagram, const struct fragment *fragment,
                             struct shard ***link)
{
    uint32_t end = fragment->at + fragment->len;

    *link = &datagram->pieces;
    while (**link && (**link)->at + (**link)->len <= fragment->at)
        *link = &(**link)->next;
    if (**link && is_copy(**link, fragment))
        return COPY;
    if ((**link && (**link)->at < end) || (datagram->total && end > datagram->total)
        || (!fragment->more && (**link || datagram->total)))
        return CLASH;
    return NEW;
}

/* Of the one that has the beginning, from its IP head on: links and tunnels of the others may differ. */
static void keep_head(struct datagram *datagram, const struct fragment *fragment)
{
    datagram->head_len = (size_t)(fragment->payload - fragment->ip);
    datagram->head = ps_memdup(fragment->ip, datagram->head_len);
    datagram->next_at = fragment->v6 ? (size_t)(fragment->next_at - fragment->ip) : 0;
    datagram->key.next = fragment->next;
    datagram->bytes += (uint32_t)datagram->head_len;
}

static void keep_piece(struct frags *frags, struct datagram *datagram, struct shard **link,
                       const struct fragment *fragment)
{
    struct shard *mine = ps_malloc(sizeof(*mine) + fragment->captured);
    uint32_t before = datagram->bytes;

    *mine = (struct shard){ *link, fragment->at, fragment->len, fragment->captured,
                            fragment->more };
    memcpy(mine->bytes, fragment->payload, fragment->captured);
    *link = mine;
    datagram->count++;
    datagram->have += fragment->len;
    datagram->bytes += (uint32_t)sizeof(*mine) + fragment->captured;
    if (!fragment->more)
        datagram->total = fragment->at + fragment->len;
    if (fragment->at == 0)
        keep_head(datagram, fragment);
    frags->bytes += datagram->bytes - before;
}

/* ---- whole ---- */

static void put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* RFC 1071, for whoever reads what --write kept. */
static void put_checksum(uint8_t *ip, size_t len)
{
    uint32_t sum = 0;

    put16(ip + 10, 0);
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    put16(ip + 10, ~sum & 0xFFFF);
}

/* The head as it was before the datagram was cut up; its length, 0: no datagram can be so long. */
static size_t mend_head(const struct datagram *datagram, uint8_t *ip)
{
    size_t ip_len = datagram->head_len;

    if (datagram->key.v6) {
        size_t behind = ip_len - V6_HEAD - V6_FRAGMENT_HEAD + datagram->total;

        ip[datagram->next_at] = datagram->key.next;
        put16(ip + 4, behind);
        return behind > DATAGRAM_MAX ? 0 : datagram->head_len - V6_FRAGMENT_HEAD;
    }
    put16(ip + 2, ip_len + datagram->total);
    put16(ip + 6, 0);
    put_checksum(ip, ip_len);
    return ip_len + datagram->total > DATAGRAM_MAX ? 0 : datagram->head_len;
}

static bool assemble(struct frags *frags, const struct datagram *datagram, const struct frame *last,
                     struct frame *whole)
{
    size_t head_len, have;

    free(frags->whole);
    frags->whole = ps_malloc(datagram->head_len + datagram->total);
    memcpy(frags->whole, datagram->head, datagram->head_len);
    head_len = have = mend_head(datagram, frags->whole);
    if (!head_len)
        return false;
    for (const struct shard *shard = datagram->pieces; shard; shard = shard->next) {
        memcpy(frags->whole + have, shard->bytes, shard->captured);
        have += shard->captured;
        if (shard->captured < shard->len)
            break;
    }
    *whole = (struct frame){ .when_us = last->when_us, .bytes = frags->whole, .captured = have,
                             .len = head_len + datagram->total };
    return true;
}

static bool finish(struct frags *frags, struct datagram *datagram, const struct frame *frame,
                   struct frame *whole)
{
    bool good = assemble(frags, datagram, frame, whole);

    frags->counts.joined += good;
    frags->counts.broken += !good;
    empty(frags, datagram);
    datagram->state = DONE;
    datagram->when_us = frame->when_us;
    return good;
}

static bool is_sane(const struct fragment *fragment)
{
    return fragment->len > 0 && fragment->at + fragment->len <= DATAGRAM_MAX
        && (!fragment->more || fragment->len % 8 == 0);
}

bool frags_take(struct frags *frags, int link_type, const struct frame *frame, struct frame *whole)
{
    struct fragment fragment;
    struct datagram *datagram;
    struct shard **link;

    if (!link_fragment(link_type, frame->bytes, frame->captured, frame->len, &fragment)
        || !is_sane(&fragment)) {
        frags->counts.broken++;
        return false;
    }
    datagram = find(frags, &fragment, frame->when_us);
    if (datagram->state == DONE)
        return false;
    enum place place = datagram->state == SPOILED ? CLASH : find_place(datagram, &fragment, &link);
    if (place == COPY)
        return false;
    if (place == CLASH) {
        spoil(frags, datagram, &fragment);
        return false;
    }
    if (datagram->count == FRAG_PIECES_MAX) {
        frags->counts.dropped++;
        empty(frags, datagram);
        datagram->state = SPOILED;
        return false;
    }
    keep_piece(frags, datagram, link, &fragment);
    if (datagram->total && datagram->have == datagram->total)
        return finish(frags, datagram, frame, whole);
    while (frags->bytes > FRAGS_BYTES_MAX)
        drop_oldest(frags);
    return false;
}

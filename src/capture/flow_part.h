/* flow_part.h - what the files of flow.h share; nobody else includes it. */
#ifndef CAPTURE_FLOW_PART_H
#define CAPTURE_FLOW_PART_H

#include "base/mem.h"
#include "capture/flow.h"
#include "capture/frag.h"

#define NO_FLOW UINT32_MAX

/* Who talks to whom, the same for both directions: which end is 0 depends on the two alone. */
struct flow_key {
    uint64_t address[2][2];     /* high and low half as they stand in the packet; IPv4 has a low one only */
    uint64_t ports;             /* that of end 0 in the low 16 bits, of end 1 above it; FLOW_V6 for IPv6 */
};

#define FLOW_V6 (1ull << 32)

static inline uint16_t flow_key_port(const struct flow_key *key, int end)
{
    return (uint16_t)(key->ports >> 16 * end);
}

enum keep { KEEP_HOLD, KEEP_WRITE, KEEP_DROP };

struct flow {
    struct flow_key key;
    struct stream stream[2];    /* 0: of the sender of the first packet */
    struct talk talk;
    int64_t first_us, last_us, closed_us;
    uint64_t packets;
    struct kept *kept, **kept_last;
    uint32_t kept_bytes, part_bytes;
    uint32_t number;            /* of itself */
    uint32_t next_free, lingers, lingers_before;    /* of those that are over, the next and the one before */
    bool used, swapped;         /* the sender of the first packet is end 1 of the key */
    bool from_start, closed, reset, cut;
    uint8_t doubted;            /* enum reason: why nobody can say what the receiver took; R_NONE: nothing */
    uint8_t client;             /* which direction is the client's */
    uint8_t keep;               /* enum keep */
    bool seen[2];               /* packets of that direction */
};

_Static_assert(sizeof(struct flow) + TALK_TEXTS * 32 + 32 <= 1024, "a connection takes at most 1 KB");

/* Flows by key: numbers into slabs that never move, found through a table of hashes. */
struct flow_table {
    struct flow **slabs;
    size_t slabs_len, slabs_cap;
    struct flow_slot *slots;    /* a power of two of them */
    size_t slots_len, open;
    uint32_t first_free;
    struct flow *latest;        /* of the last packet: the next one is mostly of it too */
    uint64_t seed[2];
};

struct flows {
    struct flows_spec spec;
    struct flow_counts counts;
    struct stream_pool pool;
    struct flow_table table;
    struct frags *frags;        /* NULL: there was no fragment yet */
    size_t parts_bytes, kept_bytes;
    uint32_t hand;
    uint32_t linger_first, linger_last;
    int64_t linger_us;          /* when the first of them was closed */
    uint64_t ports[65536 / 64];
    uint64_t verdicts[VERDICTS];
    int64_t now_us;
};

/* flow_table.c */
enum { FLOW_SLAB = 512 };

static inline struct flow *flow_at(const struct flows *flows, uint32_t i)
{
    return &flows->table.slabs[i / FLOW_SLAB][i % FLOW_SLAB];
}

void flow_table_init(struct flow_table *table);
void flow_table_free(struct flow_table *table);         /* the flows in it are empty */
uint32_t flow_table_all(const struct flow_table *table);        /* numbers are below it; some are not used */

/* *swapped: the packet's sender is end 1. */
void flow_key_of(const struct packet *packet, struct flow_key *key, bool *swapped);
/* NULL: there is none. */
struct flow *flow_table_find(struct flow_table *table, const struct flow_key *key);
/* One that is not there yet: all zero but for the key and `used`. */
struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key);
void flow_table_remove(struct flow_table *table, uint32_t i);

/* flow_keep.c: packets of a connection until its verdict says whether they are to be written */
void flow_keep_packet(struct flows *flows, struct flow *flow, int link_type, const struct frame *frame);
void flow_keep_end(struct flows *flows, struct flow *flow, enum verdict verdict);
void flow_keep_drop(struct flows *flows, struct flow *flow);

/* flow_end.c */
void flow_end(struct flows *flows, uint32_t i);             /* report it; it is gone */
void flow_end_now(struct flows *flows, uint32_t i);         /* also when it lingers */
void flow_linger(struct flows *flows, uint32_t i);          /* it is over: end it in a while */
void flow_end_lingering(struct flows *flows);               /* those whose time has come */
void flow_evict(struct flows *flows);                       /* make room for one */

/* flow.c: what the streams of a flow bring goes into its conversation */
struct delivery {
    struct flows *flows;
    struct flow *flow;
    int dir;
};
void flow_deliver(void *of, const struct piece *piece);

#endif

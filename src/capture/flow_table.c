/* flow_table.c - finding the connection of a packet; see flow_part.h. */
#include "capture/flow_part.h"

#include <sys/random.h>

enum { FIRST_SLOTS = 2048 };

struct flow_slot {
    uint32_t tag;               /* of the hash, so that few flows are looked at in vain */
    uint32_t number;            /* of the flow, plus one; 0: nothing is here */
};

void flow_table_init(struct flow_table *table)
{
    *table = (struct flow_table){ .slots_len = FIRST_SLOTS, .first_free = NO_FLOW };
    table->slots = ps_calloc(FIRST_SLOTS, sizeof(*table->slots));
    /* Who can choose addresses and ports must not be able to choose the slots. */
    if (getrandom(table->seed, sizeof(table->seed), 0) != sizeof(table->seed))
        table->seed[0] = (uint64_t)(uintptr_t)table->slots;
}

void flow_table_free(struct flow_table *table)
{
    for (size_t i = 0; i < table->slabs_len; i++)
        free(table->slabs[i]);
    free(table->slabs);
    free(table->slots);
}

uint32_t flow_table_all(const struct flow_table *table)
{
    return (uint32_t)(table->slabs_len * FLOW_SLAB);
}

static struct flow *at(const struct flow_table *table, uint32_t i)
{
    return &table->slabs[i / FLOW_SLAB][i % FLOW_SLAB];
}

/* ---- keys ---- */

static uint64_t both(uint16_t port0, uint16_t port1)
{
    return (uint64_t)port1 << 16 | port0;
}

/* Address and port are one number of 48 bits: the end with the lower one is 0. */
static inline bool order_v4(const struct packet *packet, struct flow_key *key)
{
    uint32_t src, dst;
    uint64_t from, to, low, high;

    memcpy(&src, packet->src, sizeof(src));
    memcpy(&dst, packet->dst, sizeof(dst));
    from = (uint64_t)src << 16 | packet->sport;
    to = (uint64_t)dst << 16 | packet->dport;
    low = from < to ? from : to;
    high = from < to ? to : from;
    *key = (struct flow_key){ .address = { { 0, low >> 16 }, { 0, high >> 16 } },
                              .ports = both((uint16_t)low, (uint16_t)high) };
    return from > to;
}

static inline bool order_v6(const struct packet *packet, struct flow_key *key)
{
    uint64_t src[2], dst[2];
    bool after;

    memcpy(src, packet->src, sizeof(src));
    memcpy(dst, packet->dst, sizeof(dst));
    after = src[1] != dst[1] ? src[1] > dst[1]
          : src[0] != dst[0] ? src[0] > dst[0] : packet->sport > packet->dport;
    memcpy(key->address[after], src, sizeof(src));
    memcpy(key->address[!after], dst, sizeof(dst));
    key->ports = FLOW_V6 | (after ? both(packet->dport, packet->sport) : both(packet->sport, packet->dport));
    return after;
}

void flow_key_of(const struct packet *packet, struct flow_key *key, bool *swapped)
{
    *swapped = packet->v6 ? order_v6(packet, key) : order_v4(packet, key);
}

/* All words at a time: most keys that are compared are the same, and a jump for each costs more. */
static inline bool same_key(const struct flow_key *a, const struct flow_key *b)
{
    return ((a->address[0][0] ^ b->address[0][0]) | (a->address[0][1] ^ b->address[0][1])
            | (a->address[1][0] ^ b->address[1][0]) | (a->address[1][1] ^ b->address[1][1])
            | (a->ports ^ b->ports)) == 0;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const struct flow_table *table, const struct flow_key *key)
{
    uint64_t low = mix(key->address[0][1] ^ table->seed[0],
                       key->address[1][1] ^ table->seed[1] ^ key->ports << 32);

    if (key->ports & FLOW_V6)
        low ^= mix(key->address[0][0] ^ table->seed[1], key->address[1][0] ^ table->seed[0]);
    return mix(low ^ 0xA0761D6478BD642Full, table->seed[0] ^ 0x9E3779B97F4A7C15ull);
}

/* ---- slots: the hash says where to look first, then one after the other ---- */

static size_t home_of(const struct flow_table *table, uint32_t tag)
{
    return tag & (table->slots_len - 1);
}

static size_t after(const struct flow_table *table, size_t slot)
{
    return (slot + 1) & (table->slots_len - 1);
}

struct flow *flow_table_find(struct flow_table *table, const struct flow_key *key)
{
    uint32_t tag;

    if (table->latest && same_key(&table->latest->key, key))
        return table->latest;
    tag = (uint32_t)hash_of(table, key);
    for (size_t slot = home_of(table, tag); table->slots[slot].number; slot = after(table, slot)) {
        struct flow *flow;

        if (table->slots[slot].tag != tag)
            continue;
        flow = at(table, table->slots[slot].number - 1);
        if (same_key(&flow->key, key))
            return table->latest = flow;
    }
    return NULL;
}

static void put_slot(struct flow_table *table, struct flow_slot put)
{
    size_t slot = home_of(table, put.tag);

    while (table->slots[slot].number)
        slot = after(table, slot);
    table->slots[slot] = put;
}

static void grow_slots(struct flow_table *table)
{
    struct flow_slot *old = table->slots;
    size_t len = table->slots_len;

    table->slots_len = len * 2;
    table->slots = ps_calloc(table->slots_len, sizeof(*table->slots));
    for (size_t slot = 0; slot < len; slot++)
        if (old[slot].number)
            put_slot(table, old[slot]);
    free(old);
}

static void add_slab(struct flow_table *table)
{
    uint32_t first = flow_table_all(table);

    PS_PUSH(table->slabs, table->slabs_len, table->slabs_cap) =
        ps_calloc(FLOW_SLAB, sizeof(struct flow));
    for (uint32_t i = FLOW_SLAB; i-- > 0; ) {
        at(table, first + i)->next_free = table->first_free;
        table->first_free = first + i;
    }
}

struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key)
{
    struct flow *flow;
    uint32_t i;

    if (table->first_free == NO_FLOW)
        add_slab(table);
    if (++table->open > table->slots_len / 2)
        grow_slots(table);
    i = table->first_free;
    flow = at(table, i);
    table->first_free = flow->next_free;
    *flow = (struct flow){ .key = *key, .number = i, .used = true };
    put_slot(table, (struct flow_slot){ (uint32_t)hash_of(table, key), i + 1 });
    return table->latest = flow;
}

/* What stands behind the hole moves up, as far as that brings it nearer to where it is sought. */
static void close_hole(struct flow_table *table, size_t hole)
{
    size_t mask = table->slots_len - 1;

    for (size_t slot = after(table, hole); table->slots[slot].number; slot = after(table, slot)) {
        size_t home = home_of(table, table->slots[slot].tag);

        if (((slot - home) & mask) < ((slot - hole) & mask))
            continue;
        table->slots[hole] = table->slots[slot];
        hole = slot;
    }
    table->slots[hole] = (struct flow_slot){ 0 };
}

void flow_table_remove(struct flow_table *table, uint32_t i)
{
    struct flow *flow = at(table, i);
    size_t slot = home_of(table, (uint32_t)hash_of(table, &flow->key));

    while (table->slots[slot].number != i + 1)
        slot = after(table, slot);
    close_hole(table, slot);
    flow->used = false;
    flow->next_free = table->first_free;
    table->first_free = i;
    table->open--;
    if (table->latest == flow)
        table->latest = NULL;
}

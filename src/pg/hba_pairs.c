/* hba_pairs.c - see hba_pairs.h. */
#include "pg/hba_pairs.h"

static struct pair_slot *slot_for(const struct pairs *pairs, uint32_t a, uint32_t b)
{
    uint64_t hash = (((uint64_t)a << 32) | b) * 0x9e3779b97f4a7c15u;    /* Fibonacci hashing */
    size_t mask = pairs->slots_len - 1, i = (size_t)(hash >> 32) & mask;

    while (pairs->slots[i].value != PAIR_NONE
           && (pairs->slots[i].a != a || pairs->slots[i].b != b))
        i = (i + 1) & mask;
    return &pairs->slots[i];
}

uint32_t pairs_find(const struct pairs *pairs, uint32_t a, uint32_t b)
{
    return pairs->slots_len ? slot_for(pairs, a, b)->value : PAIR_NONE;
}

static void grow(struct pairs *pairs)
{
    struct pairs bigger = { .slots_len = pairs->slots_len ? 2 * pairs->slots_len : 64 };

    bigger.slots = ps_malloc(bigger.slots_len * sizeof(*bigger.slots));
    memset(bigger.slots, 0xff, bigger.slots_len * sizeof(*bigger.slots));
    for (size_t i = 0; i < pairs->slots_len; i++)
        if (pairs->slots[i].value != PAIR_NONE)
            *slot_for(&bigger, pairs->slots[i].a, pairs->slots[i].b) = pairs->slots[i];
    bigger.len = pairs->len;
    free(pairs->slots);
    *pairs = bigger;
}

void pairs_add(struct pairs *pairs, uint32_t a, uint32_t b, uint32_t value)
{
    if (2 * (pairs->len + 1) > pairs->slots_len)
        grow(pairs);
    *slot_for(pairs, a, b) = (struct pair_slot){ a, b, value };
    pairs->len++;
}

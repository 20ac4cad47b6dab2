/*
 * hba_pairs.h - a hash table from two small numbers to a third; for hba_reach.c and hba_diff.c.
 */
#ifndef PS_HBA_PAIRS_H
#define PS_HBA_PAIRS_H

#include "base/mem.h"

#define PAIR_NONE UINT32_MAX

struct pair_slot {
    uint32_t a, b, value;       /* PAIR_NONE: a free slot */
};

struct pairs {                  /* zero: empty; free(slots) ends it */
    struct pair_slot *slots;
    size_t len, slots_len;      /* slots_len is a power of two, or 0 */
};

uint32_t pairs_find(const struct pairs *pairs, uint32_t a, uint32_t b);    /* PAIR_NONE: not there */
void pairs_add(struct pairs *pairs, uint32_t a, uint32_t b, uint32_t value);   /* is not there yet */

#endif

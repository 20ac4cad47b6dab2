/*
 * hash.h - a hash of bytes, for tables that are bounded whatever a stranger puts into them: it has no seed.
 */
#ifndef PS_HASH_H
#define PS_HASH_H

#include "base/defs.h"

/* `start` goes on from the hash of what stands before it; 0 for the first. */
static inline uint64_t ps_hash(uint64_t start, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t hash = start ^ (len + 1) * 0xD1B54A32D192ED03ull, word = 0;

    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
        hash ^= hash >> 32;
    }
    for (word = 0; len > 0; len--)
        word = word << 8 | *p++;
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 32;
}

#endif

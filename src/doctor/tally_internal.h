/* tally_internal.h - what tally.c counts and tally_doc.c shows; for these two only. */
#ifndef DOCTOR_TALLY_INTERNAL_H
#define DOCTOR_TALLY_INTERNAL_H

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/latin1.h"
#include "doctor/tally.h"

enum { SLOTS = 2 * TALLY_KEYS_MAX + 1, UNKNOWN_TEXT_MAX = 256 };

struct span_of_time {
    char first[TALLY_TIME_MAX], last[TALLY_TIME_MAX];   /* "": no time was said */
};

struct cause_count {
    const struct doctor_entry *entry;
    uint64_t count;
    struct span_of_time when;
};

struct key {                    /* an error by a role in a database, or from an address */
    uint32_t cause;             /* of tally.causes */
    char role[TALLY_NAME_MAX], database[TALLY_NAME_MAX], address[TALLY_NAME_MAX];   /* "": not said */
    uint64_t count;
    struct span_of_time when;
};

struct unknown {
    char text[UNKNOWN_TEXT_MAX];
    uint64_t count;
};

struct tally {
    const struct doctor *doctor;
    struct cause_count *causes;     /* one for each entry */
    struct key *keys;
    size_t keys_len, keys_cap;
    uint32_t *slots;                /* hash table: index of the key plus one, 0: free */
    uint64_t not_kept_apart;
    struct unknown *unknown;
    size_t unknown_len, unknown_cap;
    uint64_t known_count, unknown_count, unknown_not_kept;
    struct span_of_time when;
    struct buf utf8[4];             /* of the message at hand: its text, prefix, role and database */
};

#endif

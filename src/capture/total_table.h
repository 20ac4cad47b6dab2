/*
 * total_table.h - connections added up by the texts that they have in common.
 *
 * Bounds: a table has at most TOTALS_MAX rows; what does not fit is added up in a last one.
 */
#ifndef CAPTURE_TOTAL_TABLE_H
#define CAPTURE_TOTAL_TABLE_H

#include "base/mem.h"
#include "capture/conn.h"

enum { TOTALS_MAX = 2000, TOTAL_PARTS = 4 };

struct total_key {
    const char *part[TOTAL_PARTS];      /* NULL: not visible, or not used */
};

struct total {
    struct total_key key;       /* in the arena */
    bool rest;                  /* the last one, of all that did not fit: it has no key */
    uint64_t since;             /* what the owner of the table noted when it began */
    uint64_t connections, encrypted, readable, undecided;
    uint64_t passwords, queries, rows, bytes;
    int64_t first_us, last_us;
};

struct total_table {            /* begin with zeroes */
    struct total *at;
    size_t len, cap;
    struct total_slot *slots;   /* until it is sorted */
};

void total_table_free(struct total_table *table);

/* NULL: there is none of its own. */
struct total *total_find(const struct total_table *table, const struct total_key *key);

/* Its row, a new one where there is none; when the table is full, the last one.  Until the next call. */
struct total *total_row(struct total_table *table, struct arena *arena, const struct total_key *key);

void total_add(struct total *total, const struct conn *conn);

/* What is readable first, then by how many there are; nothing is found in it any more. */
void total_sort(struct total_table *table);

bool total_same_text(const char *a, const char *b);      /* both may be NULL */
uint64_t total_hash(const struct total_key *key);

#endif

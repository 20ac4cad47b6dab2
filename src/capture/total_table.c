/* total_table.c - see total_table.h. */
#include "capture/total_table.h"

#include "base/hash.h"

enum { SLOTS = 4096 };          /* more than twice as many as rows */

struct total_slot {
    uint32_t tag;               /* of the hash, so that few rows are compared in vain */
    uint32_t number;            /* of the row, plus one; 0: nothing is here */
};

void total_table_free(struct total_table *table)
{
    free(table->at);
    free(table->slots);
    *table = (struct total_table){ 0 };
}

uint64_t total_hash(const struct total_key *key)
{
    uint64_t hash = 0;

    for (int i = 0; i < TOTAL_PARTS; i++)
        if (key->part[i])
            hash = ps_hash(hash + (uint64_t)i, key->part[i], strlen(key->part[i]));
    return hash;
}

bool total_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_of(const struct total *total, const struct total_key *key)
{
    for (int i = 0; i < TOTAL_PARTS; i++)
        if (!total_same_text(total->key.part[i], key->part[i]))
            return false;
    return true;
}

/* Its slot, or the empty one where it would be. */
static struct total_slot *slot_of(const struct total_table *table, const struct total_key *key, uint32_t tag)
{
    size_t i = tag % SLOTS;

    while (table->slots[i].number
           && (table->slots[i].tag != tag || !is_of(&table->at[table->slots[i].number - 1], key)))
        i = (i + 1) % SLOTS;
    return &table->slots[i];
}

struct total *total_find(const struct total_table *table, const struct total_key *key)
{
    const struct total_slot *slot = table->slots ? slot_of(table, key, (uint32_t)total_hash(key)) : NULL;

    return slot && slot->number ? &table->at[slot->number - 1] : NULL;
}

struct total *total_row(struct total_table *table, struct arena *arena, const struct total_key *key)
{
    uint32_t tag = (uint32_t)total_hash(key);
    struct total_slot *slot;
    struct total *total;

    if (!table->slots)
        table->slots = ps_calloc(SLOTS, sizeof(*table->slots));
    slot = slot_of(table, key, tag);
    if (slot->number)
        return &table->at[slot->number - 1];
    if (table->len == TOTALS_MAX)
        return &table->at[TOTALS_MAX - 1];
    PS_PUSH(table->at, table->len, table->cap) = (struct total){ 0 };
    total = &table->at[table->len - 1];
    if (table->len == TOTALS_MAX) {
        total->rest = true;
        return total;
    }
    for (int i = 0; i < TOTAL_PARTS; i++)
        total->key.part[i] = key->part[i] ? arena_strdup(arena, key->part[i]) : NULL;
    *slot = (struct total_slot){ tag, (uint32_t)table->len };
    return total;
}

void total_add(struct total *total, const struct conn *conn)
{
    const struct talk_facts *facts = &conn->facts;

    total->connections++;
    total->encrypted += verdict_is_encrypted(conn->verdict);
    total->readable += verdict_is_readable(conn->verdict);
    total->undecided += conn->verdict == V_UNKNOWN;
    total->passwords += conn_password_exposed(conn);
    total->queries += facts->queries;
    total->rows += facts->rows;
    total->bytes += conn->bytes[SIDE_CLIENT] + conn->bytes[SIDE_SERVER];
    if (!total->first_us || conn->first_us < total->first_us)
        total->first_us = conn->first_us;
    if (conn->last_us > total->last_us)
        total->last_us = conn->last_us;
}

static int compare_parts(const struct total_key *a, const struct total_key *b)
{
    int order = 0;

    for (int i = 0; i < TOTAL_PARTS && order == 0; i++)
        order = strcmp(a->part[i] ? a->part[i] : "", b->part[i] ? b->part[i] : "");
    return order;
}

static int compare(const void *left, const void *right)
{
    const struct total *a = left, *b = right;

    if (a->readable != b->readable)
        return a->readable < b->readable ? 1 : -1;
    if (a->connections != b->connections)
        return a->connections < b->connections ? 1 : -1;
    return compare_parts(&a->key, &b->key);
}

void total_sort(struct total_table *table)
{
    if (table->len)
        qsort(table->at, table->len, sizeof(*table->at), compare);
    free(table->slots);         /* they know the old places */
    table->slots = NULL;
}

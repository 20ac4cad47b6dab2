/*
 * hba.c - how fast every dead line of a large pg_hba.conf is found, by union of lines above.
 *
 *   hba_bench [LINES]       default 10,000
 *
 * Beside it, of the same run: reading the lines into rules (what cannot be avoided), and the naive way: each
 * line compared with each line above it, which finds only what ONE line covers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "pg/hba_reach.h"
#include "pg/hba_sets.h"

#define TEXT_MAX (200u << 20)

static bool read_text(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct buf *text = arg;

    (void)path;
    (void)err;
    return buf_put(out, text->p, text->len);
}

/* ---- files ---- */

static void distinct(struct buf *out, unsigned i, unsigned lines)
{
    (void)lines;
    buf_printf(out, "hostssl db%u role%u 10.%u.%u.0/24 scram-sha-256\n", i % 50, i, i >> 8 & 255, i & 255);
}

/* Half of the lines are the /24 nets of larger ones, the other half those larger ones with one role. */
static void by_union(struct buf *out, unsigned i, unsigned lines)
{
    if (i < lines / 2)
        buf_printf(out, "host all all 10.%u.%u.0/24 scram-sha-256\n", i >> 8 & 255, i & 255);
    else
        buf_printf(out, "host db%u role%u 10.%u.%u.0/22 trust\n", i % 50, i, i % (lines / 2) >> 8 & 255,
                   i & 252);
}

static void groups(struct buf *out, unsigned i, unsigned lines)
{
    (void)lines;
    buf_printf(out, "host all +group%u,role%u samenet scram-sha-256\n", i % 3000, i);
}

/* Everybody from everywhere, under many small nets: the search for the hole that is left. */
static void wide(struct buf *out, unsigned i, unsigned lines)
{
    if (i < lines / 2)
        buf_printf(out, "host %s %s %u.%u.0.0/16 scram-sha-256\n", i % 2 ? "all" : "db1",
                   i % 3 ? "all" : "role1", i * 7 >> 8 & 255, i * 7 & 255);
    else
        buf_printf(out, "host db1 role1,role%u 0.0.0.0/0 trust\n", i);
}

static void expressions(struct buf *out, unsigned i, unsigned lines)
{
    if (i < lines / 10)
        buf_printf(out, "host all /^x%u[0-9]+$ all scram-sha-256\n", i);
    else
        buf_printf(out, "host all x%u5 10.0.0.0/8 trust\n", i % (lines / 9));
}

static const struct {
    const char *name;
    void (*line)(struct buf *out, unsigned i, unsigned lines);
} files[] = {
    { "all-different roles and nets", distinct }, { "covered by unions", by_union },
    { "groups and samenet", groups }, { "wide lines over small nets", wide },
    { "a tenth expressions", expressions },
};

/* ---- the naive way ---- */

static bool one_covers(struct sets *sets, size_t above, size_t rule)
{
    const struct set_rule *a = &sets->rules[above], *b = &sets->rules[rule];
    struct point point;
    uint64_t work = 0;

    if (b->kinds & ~a->kinds)
        return false;
    for (size_t i = 0; i < b->needs_len; i++) {
        bool in = false;

        for (size_t j = 0; j < a->takes_len; j++)
            in |= nets_contain(&a->takes[j], &b->needs[i]);
        if (!in)
            return false;
    }
    for (size_t d = 0; d < b->databases.len; d++)
        for (size_t r = 0; r < b->roles.len; r++) {
            sets_point(sets, b->databases.at[d], b->roles.at[r], &point, &work);
            if (!sets_rule_has(a, &point))
                return false;
        }
    return true;
}

static size_t naive(const struct hba *hba)
{
    PS_AUTO(sets_freep) struct sets *sets = sets_new(hba, NULL);
    size_t dead = 0;

    for (size_t i = 0; i < sets->len; i++)
        for (size_t j = 0; j < i; j++)
            if (one_covers(sets, j, i)) {
                dead++;
                break;
            }
    return dead;
}

/* ---- measuring ---- */

static double ms_since(int64_t from)
{
    return (double)(clock_mono_us() - from) / 1000;
}

static void measure(size_t file, unsigned lines)
{
    PS_AUTO(buf_free) struct buf text = BUF(TEXT_MAX);
    struct pg_source source = { &text, read_text, NULL };
    struct ps_err err = { 0 };
    PS_AUTO(hba_freep) struct hba *hba = NULL;
    size_t dead = 0, unsure = 0;

    for (unsigned i = 0; i < lines; i++)
        files[file].line(&text, i, lines);

    int64_t from = clock_mono_us();
    if (!hba_load(&source, "/pg_hba.conf", 17, &hba, &err) || hba_problems(hba) > 0)
        exit(1);
    double read_ms = ms_since(from);

    from = clock_mono_us();
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
    double reach_ms = ms_since(from);
    for (size_t i = 0; i < hba_rules(hba); i++) {
        dead += reach_rule(reach, i)->state == REACH_COVERED;
        unsure += reach_rule(reach, i)->state == REACH_UNSURE;
    }

    double naive_ms = 0;
    size_t naive_dead = 0;
    if (lines <= 20000) {
        from = clock_mono_us();
        naive_dead = naive(hba);
        naive_ms = ms_since(from);
    }
    printf("%-30s %7u lines  read %8.1f ms  by union %8.1f ms (%5.2f x reading, %zu dead, %zu unsure)"
           "  pairwise %8.1f ms (%.1f x ours, %zu dead)\n", files[file].name, lines, read_ms, reach_ms,
           reach_ms / read_ms, dead, unsure, naive_ms, naive_ms / reach_ms, naive_dead);
}

int main(int argc, char **argv)
{
    long lines = 10000;

    if (argc > 1 && !num_parse(argv[1], 100, 4000000, &lines))
        return 2;
    for (size_t i = 0; i < PS_COUNT(files); i++)
        measure(i, (unsigned)lines);
    return 0;
}

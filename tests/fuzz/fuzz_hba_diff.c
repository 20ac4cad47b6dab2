/*
 * fuzz_hba_diff.c - "no difference in access" is true, whoever asks.
 *
 * Two files from the bytes, often nearly the same.  Promises: a file does not differ from itself; when two
 * are said not to differ, every question that has a certain answer gets the same from both; when a
 * question gets another, it is said that they differ.
 */
#include "rules_of_bytes.h"

#include "pg/hba_diff.h"
#include "pg/hba_sets.h"

#define QUESTIONS 80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The second file: the lines of the first with some dropped, doubled or changed places. */
static char *shuffled(struct bytes *bytes, const char *text)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX), kept = BUF(BUF_TEXT_MAX);

    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\n") + 1;

        switch (next_below(bytes, 8)) {
        case 0:
            break;              /* dropped */
        case 1:
            buf_put(&kept, p, len);     /* comes one later */
            break;
        default:
            buf_put(&out, p, len);
            buf_puts(&out, buf_text(&kept));
            buf_clear(&kept);
        }
        p += len;
    }
    buf_puts(&out, buf_text(&kept));
    if (out.len == 0 || next_below(bytes, 3) == 0) {
        PS_AUTO(ps_freep) char *more = rules_text(bytes, 1 + next_below(bytes, 3));

        buf_puts(&out, more);
    }
    return buf_take(&out);
}

static bool refuses(const struct hba_rule *rule)
{
    return !rule || strcmp(rule->method, "reject") == 0;
}

static bool same(const struct hba_rule *a, const struct hba_rule *b)
{
    return refuses(a) || refuses(b) ? refuses(a) && refuses(b) : hba_same_effect(a, b);
}

static void check_itself(const struct hba *hba)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct diff diff;

    hba_diff(hba, hba, NULL, arena, &diff);
    if (diff.len != 0 || !diff.sure)
        abort();
}

static void check_pair(struct bytes *bytes, const struct hba *before, const struct hba *after)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct diff diff;

    hba_diff(before, after, NULL, arena, &diff);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        struct hba_question question;
        bool sure_before, sure_after;

        next_question(bytes, &question);

        const struct hba_rule *one = hba_ask(before, &question, &sure_before);
        const struct hba_rule *other = hba_ask(after, &question, &sure_after);
        if (sure_before && sure_after && !same(one, other) && diff.len == 0 && diff.sure)
            abort();
    }
    for (size_t i = 0; i < diff.len; i++)
        if (same(diff.rows[i].before, diff.rows[i].after))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = { data, size, 0 };

    if (size < 2 || size > 4096)
        return 0;
    for (size_t i = 0; i < size; i++)
        bytes.dice = bytes.dice * 31 + data[i];

    unsigned major = next_below(&bytes, 2) ? 15 : 17;
    PS_AUTO(ps_freep) char *one = rules_text(&bytes, 1 + next_below(&bytes, 8));
    PS_AUTO(ps_freep) char *other = shuffled(&bytes, one);
    PS_AUTO(hba_freep) struct hba *before = rules_load(one, major);
    PS_AUTO(hba_freep) struct hba *after = rules_load(other, major);

    check_itself(before);
    check_pair(&bytes, before, after);
    return 0;
}

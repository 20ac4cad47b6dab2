/* What is called mended is gone: counted by what is found before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "secure/mend.h"

struct some {
    const char *id;
    const char *line;           /* NULL: a setting's */
};

static const struct {
    struct some before[4], after[4];
    size_t gone;
} rows[] = {
    { { { "cipher-cbc", NULL } }, { { 0 } }, 1 },
    { { { "cipher-cbc", NULL } }, { { "cipher-cbc", NULL } }, 0 },
    { { { "cipher-no-fs", NULL }, { "cipher-cbc", NULL } }, { { "cipher-cbc", NULL } }, 1 },
    /* what is not ours to mend does not count, wherever it went */
    { { { "hba-md5", "host all all all md5" } }, { { 0 } }, 0 },
    /* a mended line reads otherwise, and may be found again as it is now */
    { { { "hba-plaintext", "host a a all md5" }, { "hba-plaintext", "host b b all md5" } },
      { { "hba-plaintext", "hostssl a a all md5" } }, 1 },
    { { { "hba-plaintext", "host a a all md5" } },
      { { "hba-plaintext", "host b b all md5" }, { "hba-plaintext", "host c c all md5" } }, 0 },
};

static void fill(const struct some *some, struct findings *out)
{
    for (; some->id; some++)
        findings_add(out, &(struct finding){
            .id = some->id, .severity = SEV_LOW, .message = "m", .object = some->line ? some->line : "ssl_ciphers",
            .place = { .file = "f", .line = 1, .text = some->line },
            .fix_kind = some->line ? FIX_LINE : FIX_NONE, .fix = some->line });
}

static void mended_is_what_is_not_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(findings_free) struct findings before = { .arena = arena };
        PS_AUTO(findings_free) struct findings after = { .arena = arena };

        fill(rows[i].before, &before);
        fill(rows[i].after, &after);
        if (mend_gone(&before, &after) != rows[i].gone)
            fail_msg("row %zu: %zu", i, mend_gone(&before, &after));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(mended_is_what_is_not_found_again) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

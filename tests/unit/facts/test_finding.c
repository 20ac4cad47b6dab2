/* Findings: bounded, ordered, and known again when lines move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "facts/finding.h"

static void the_worst_comes_first(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };

    (void)state;
    assert_int_equal(findings_worst(&findings), SEV_NOTHING);
    findings_add(&findings, &(struct finding){ .id = "b", .severity = SEV_LOW, .message = "m" });
    findings_add(&findings, &(struct finding){ .id = "a", .severity = SEV_LOW, .message = "m" });
    findings_add(&findings, &(struct finding){ .id = "z", .severity = SEV_HIGH, .message = "m" });
    findings_sort(&findings);
    assert_string_equal(findings.at[0].id, "z");
    assert_string_equal(findings.at[1].id, "a");
    assert_int_equal(findings_worst(&findings), SEV_HIGH);
}

static void one_rule_cannot_fill_the_memory(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };

    (void)state;
    for (int i = 0; i < FINDINGS_MAX + 500; i++)
        findings_add(&findings, &(struct finding){ .id = "many", .severity = SEV_LOW, .message = "m" });
    findings_add(&findings, &(struct finding){ .id = "other", .severity = SEV_LOW, .message = "m" });
    assert_int_equal(findings.len, FINDINGS_MAX + 2);
    assert_string_not_equal(findings.at[FINDINGS_MAX].message, "m");
    assert_string_equal(findings.at[FINDINGS_MAX + 1].id, "other");
}

static void what_was_not_examined_is_said_once(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };

    (void)state;
    findings_unexamined(&findings, "a", "no file");
    findings_unexamined(&findings, "a", "no file");
    findings_unexamined(&findings, "a", "no role");
    assert_int_equal(findings.unexamined_len, 2);
}

static void a_print_survives_moved_lines_and_columns(void **state)
{
    static const struct finding was = { .id = "a", .object = "o", .message = "m",
        .place = { .file = "/etc/pg/pg_hba.conf", .line = 7, .text = "host all  all\tall md5" } };
    struct finding now = was;
    char before[FINDING_PRINT_HEX], after[FINDING_PRINT_HEX];

    (void)state;
    finding_print(&was, before);
    now.place.file = "/srv/copy/pg_hba.conf";
    now.place.line = 9;
    now.place.text = " host all all all     md5 ";
    finding_print(&now, after);
    assert_string_equal(before, after);
    now.object = "other";
    finding_print(&now, after);
    assert_string_not_equal(before, after);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_comes_first),
        cmocka_unit_test(one_rule_cannot_fill_the_memory),
        cmocka_unit_test(what_was_not_examined_is_said_once),
        cmocka_unit_test(a_print_survives_moved_lines_and_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

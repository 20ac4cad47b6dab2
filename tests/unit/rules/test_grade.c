/* The grade is the worst of what was found, and none where too little was seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/grade.h"
#include "rules/rule.h"

struct wrong {
    const char *id;
    enum severity severity;     /* SEV_NOTHING: not examined */
};

static const struct {
    struct wrong wrong[4];
    const char *letter;         /* NULL: not graded */
    size_t reasons;
} rows[] = {
    { { { 0 } }, "A+", 0 },
    { { { "no-pq-group", SEV_INFO } }, "A+", 0 },
    { { { "cert-untrusted", SEV_NOTHING } }, "A", 1 },
    { { { "cipher-cbc", SEV_LOW } }, "A", 1 },
    { { { "cipher-cbc", SEV_LOW }, { "cipher-no-fs", SEV_MEDIUM } }, "B", 2 },
    { { { "no-tls13", SEV_MEDIUM }, { "hba-plaintext", SEV_HIGH } }, "C", 2 },
    { { { "hba-plaintext", SEV_LOW } }, "A+", 0 },           /* loopback only */
    { { { "hba-trust", SEV_LOW } }, "A+", 0 },               /* a socket */
    { { { "hba-trust", SEV_MEDIUM } }, "C", 1 },             /* loopback */
    { { { "hba-trust", SEV_CRITICAL } }, "F", 1 },
    { { { "hba-trust", SEV_CRITICAL }, { "hba-trust", SEV_MEDIUM } }, "F", 1 },
    { { { "tls-off", SEV_CRITICAL }, { "cert-self-signed", SEV_MEDIUM } }, "F", 2 },
    { { { "cert-self-signed", SEV_MEDIUM }, { "name-mismatch", SEV_HIGH } }, "T", 2 },
    { { { "name-mismatch", SEV_HIGH }, { "hba-plaintext", SEV_HIGH } }, "M", 2 },
    { { { "hba-trust", SEV_NOTHING } }, NULL, 1 },
    { { { "hba-trust", SEV_NOTHING }, { "hba-plaintext", SEV_HIGH } }, NULL, 2 },
    { { { "hba-plaintext", SEV_NOTHING }, { "tls-off", SEV_CRITICAL } }, "F", 2 },
};

static void the_worst_area_decides_and_the_unseen_is_not_guessed(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(findings_free) struct findings findings = { .arena = arena };
        PS_AUTO(grade_free) struct grade grade = { 0 };

        for (const struct wrong *wrong = rows[i].wrong; wrong->id; wrong++)
            if (wrong->severity == SEV_NOTHING)
                findings_unexamined(&findings, wrong->id, "why");
            else
                findings_add(&findings, &(struct finding){ .id = wrong->id, .message = "m",
                                                           .severity = wrong->severity });
        grade_of(&findings, false, &grade);
        assert_int_equal(grade.len, rows[i].reasons);
        if (grade.graded != (rows[i].letter != NULL)
            || (grade.graded && strcmp(grade_letter_word(grade.letter), rows[i].letter) != 0))
            fail_msg("row %zu: %s", i, grade.graded ? grade_letter_word(grade.letter) : "none");
    }
}

static void a_part_of_the_rules_gives_no_grade_but_an_f(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };
    PS_AUTO(grade_free) struct grade none = { 0 }, worst = { 0 };

    (void)state;
    grade_of(&findings, true, &none);
    assert_false(none.graded);
    findings_add(&findings, &(struct finding){ .id = "tls-off", .severity = SEV_CRITICAL,
                                               .message = "m" });
    grade_of(&findings, true, &worst);
    assert_true(worst.graded && worst.letter == GRADE_F);
}

static void the_same_rule_is_one_reason(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };
    PS_AUTO(grade_free) struct grade grade = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        findings_add(&findings, &(struct finding){ .id = "hba-plaintext", .severity = SEV_HIGH,
                                                   .message = "m" });
    grade_of(&findings, false, &grade);
    assert_int_equal(grade.len, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_area_decides_and_the_unseen_is_not_guessed),
        cmocka_unit_test(a_part_of_the_rules_gives_no_grade_but_an_f),
        cmocka_unit_test(the_same_rule_is_one_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Exceptions and baselines: what is accepted does not count, until it counts again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/baseline.h"
#include "rules/exceptions.h"

enum { NOV_21_2026 = 1795219200 };      /* 2026-11-21T00:00:00Z */

static const struct {
    const char *text;
    unsigned column;            /* 0: it is fine */
    size_t count;
} rows[] = {
    { "", 0, 0 },
    { "# a comment\n\n   \t\n  # another\r\n", 0, 0 },
    { "tls-off until 2027-03-31 because it is a test", 0, 1 },
    { "tls-off ssl until 2027-03-31 because x\r\nhba-trust * until 2028-02-29 because y\n", 0, 2 },
    { "tls-off \"with blanks\" until 2027-03-31 because x", 0, 1 },
    { "tls-off \"until\" until 2027-03-31 because x", 0, 1 },
    { "tls-off\tuntil\t2027-03-31\tbecause\tx", 0, 1 },
    { "no-such-rule until 2027-03-31 because x", 1, 0 },
    { "  \"\" until 2027-03-31 because x", 3, 0 },
    { "tls-off", 8, 0 },
    { "tls-off until", 14, 0 },
    { "tls-off until tomorrow because x", 15, 0 },
    { "tls-off until 2027-02-29 because x", 15, 0 },
    { "tls-off until 2027-13-01 because x", 15, 0 },
    { "tls-off until 2027-1-1 because x", 15, 0 },
    { "tls-off until 1969-12-31 because x", 15, 0 },
    { "tls-off until 2027-03-31", 25, 0 },
    { "tls-off until 2027-03-31 because", 33, 0 },
    { "tls-off until 2027-03-31 because   ", 36, 0 },
    { "tls-off a b until 2027-03-31 because x", 11, 0 },
    { "tls-off \"\" until 2027-03-31 because x", 9, 0 },
};

static void a_bad_line_is_named_with_its_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(exceptions_free) struct exceptions all = { .arena = arena };
        struct ps_err err = { 0 };
        bool good = exceptions_parse(rows[i].text, strlen(rows[i].text), "f", &all, &err);

        if (good != (rows[i].column == 0) || (!good && err.at.column != rows[i].column))
            fail_msg("%s: %s, column %u", rows[i].text, err.message, err.at.column);
        if (good)
            assert_int_equal(all.len, rows[i].count);
        else
            assert_true(err.at.line == 1 && err.hint[0]);
    }
}

static void zero_bytes_and_great_files_are_refused(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(exceptions_free) struct exceptions all = { .arena = arena };
    PS_AUTO(ps_freep) char *great = ps_calloc(1, EXCEPTIONS_BYTES_MAX + 2);
    struct ps_err err = { 0 };

    (void)state;
    assert_false(exceptions_parse("\n#\0\n", 4, "f", &all, &err));
    assert_int_equal(err.at.line, 2);
    memset(great, '#', EXCEPTIONS_BYTES_MAX + 1);
    assert_false(exceptions_parse(great, EXCEPTIONS_BYTES_MAX + 1, "f", &all, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
}

struct bench {
    struct arena *arena;
    struct posture posture;
    struct report report;
};

static void bench_free(struct bench *bench)
{
    report_free(&bench->report);
    arena_free(bench->arena);
}

static void set_up(struct bench *bench)
{
    bench->arena = arena_new();
    bench->posture = (struct posture){ .arena = bench->arena, .name = "x", .now = NOV_21_2026 };
    bench->report = (struct report){ .posture = &bench->posture,
                                     .findings = { .arena = bench->arena } };
    findings_add(&bench->report.findings, &(struct finding){
        .id = "hba-trust", .severity = SEV_CRITICAL, .message = "m", .object = "app",
        .place = { .file = "/etc/pg/pg_hba.conf", .line = 3, .text = "host all all all trust" } });
    findings_add(&bench->report.findings, &(struct finding){
        .id = "tls-off", .severity = SEV_CRITICAL, .message = "m", .object = "ssl" });
}

static const struct {
    const char *text;
    size_t left, accepted;
    const char *said;           /* a finding about the exception itself; NULL: none */
} cases[] = {
    { "hba-trust until 2026-11-21 because x", 1, 1, NULL },        /* to the end of the day */
    { "hba-trust until 2026-11-20 because x", 3, 0, "exception-expired" },
    { "hba-trust app until 2027-01-01 because x", 1, 1, NULL },
    { "hba-trust a?? until 2027-01-01 because x", 1, 1, NULL },
    { "hba-trust pg_hba.conf until 2027-01-01 because x", 1, 1, NULL },
    { "hba-trust /etc/pg/* until 2027-01-01 because x", 1, 1, NULL },
    { "hba-trust other until 2027-01-01 because x", 3, 0, "exception-unused" },
    { "hba-md5 until 2027-01-01 because x", 3, 0, "exception-unused" },
    { "hba-trust until 2027-01-01 because x\ntls-off until 2027-01-01 because y", 0, 2, NULL },
};

static void exceptions_hold_for_what_they_name_and_as_long_as_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(bench_free) struct bench bench = { 0 };
        PS_AUTO(exceptions_free) struct exceptions all = { 0 };
        struct ps_err err = { 0 };
        bool said = false;

        set_up(&bench);
        all.arena = bench.arena;
        assert_true(exceptions_parse(cases[i].text, strlen(cases[i].text), "f", &all, &err));
        exceptions_apply(&all, NULL, &bench.report);
        if (bench.report.findings.len != cases[i].left
            || bench.report.accepted_len != cases[i].accepted)
            fail_msg("%s: %zu left, %zu accepted", cases[i].text, bench.report.findings.len,
                     bench.report.accepted_len);
        for (size_t k = 0; k < bench.report.findings.len; k++)
            said |= cases[i].said && strcmp(bench.report.findings.at[k].id, cases[i].said) == 0;
        assert_int_equal(said, cases[i].said != NULL);
    }
}

/* Whether a rule would still find something is not known when it saw nothing. */
static void an_exception_of_what_was_not_examined_is_not_called_unused(void **state)
{
    static const char text[] = "hba-md5 until 2027-01-01 because x";
    PS_AUTO(bench_free) struct bench bench = { 0 };
    PS_AUTO(exceptions_free) struct exceptions all = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    set_up(&bench);
    all.arena = bench.arena;
    findings_unexamined(&bench.report.findings, "hba-md5", "no file");
    assert_true(exceptions_parse(text, strlen(text), "f", &all, &err));
    exceptions_apply(&all, NULL, &bench.report);
    assert_int_equal(bench.report.findings.len, 2);
}

static void a_baseline_leaves_only_what_is_new(void **state)
{
    PS_AUTO(bench_free) struct bench first = { 0 }, second = { 0 };
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    PS_AUTO(baseline_free) struct baseline baseline = { 0 };
    PS_AUTO(buf_free) struct buf again = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };

    (void)state;
    set_up(&first);
    baseline_write(&first.report, &text);
    assert_true(baseline_parse(buf_text(&text), text.len, "f", &baseline, &err));
    assert_int_equal(baseline.len, 2);

    set_up(&second);
    second.report.findings.at[0].place.line = 99;       /* lines move */
    findings_add(&second.report.findings, &(struct finding){ .id = "no-tls13", .severity = SEV_LOW,
                                                             .message = "m" });
    baseline_apply(&baseline, &second.report);
    assert_int_equal(second.report.findings.len, 1);
    assert_string_equal(second.report.findings.at[0].id, "no-tls13");
    assert_int_equal(second.report.accepted_len, 2);
    baseline_write(&second.report, &again);
    assert_non_null(strstr(buf_text(&again), "hba-trust"));     /* still known the next time */
}

static void what_is_no_baseline_is_refused_with_the_line(void **state)
{
    static const char *const bad[] = { "x\n", "\n\n0123\n", "ABCDEF\n",
        "# c\n00000000000000000000000000000000000000000000000000000000000000000 a\n" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PS_AUTO(baseline_free) struct baseline baseline = { 0 };
        struct ps_err err = { 0 };

        assert_false(baseline_parse(bad[i], strlen(bad[i]), "f", &baseline, &err));
        assert_true(err.at.line > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_line_is_named_with_its_column),
        cmocka_unit_test(zero_bytes_and_great_files_are_refused),
        cmocka_unit_test(exceptions_hold_for_what_they_name_and_as_long_as_they_say),
        cmocka_unit_test(an_exception_of_what_was_not_examined_is_not_called_unused),
        cmocka_unit_test(a_baseline_leaves_only_what_is_new),
        cmocka_unit_test(what_is_no_baseline_is_refused_with_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

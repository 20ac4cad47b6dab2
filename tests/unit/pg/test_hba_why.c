/* test_hba_why.c - questions as text, and why each line decides or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hba_memory.h"
#include "pg/hba_why.h"

/* ---- reasons ---- */

static const struct { const char *line, *question; enum hba_why want; } reasons[] = {
    { "host all all all md5", "role=u from=192.0.2.1", HBA_WHY_MATCHES },
    { "local all all md5", "role=u from=192.0.2.1", HBA_WHY_FOR_SOCKETS },
    { "host all all all md5", "role=u from=local", HBA_WHY_FOR_NETWORK },
    { "hostssl all all all md5", "role=u from=192.0.2.1 tls=no", HBA_WHY_WANTS_TLS },
    { "hostnossl all all all md5", "role=u from=192.0.2.1 tls=yes", HBA_WHY_WANTS_NO_TLS },
    { "hostgssenc all all all md5", "role=u from=192.0.2.1", HBA_WHY_WANTS_GSS },
    { "hostnogssenc all all all md5", "role=u from=192.0.2.1 gss=yes", HBA_WHY_WANTS_NO_GSS },
    { "host all all 192.0.2.0/24 md5", "role=u from=192.0.3.1", HBA_WHY_ADDRESS },
    { "host all all 192.0.2.0/24 md5", "role=u from=::ffff:192.0.2.1", HBA_WHY_FAMILY },
    { "host all all ALL md5", "role=u from=192.0.2.1", HBA_WHY_ADDRESS_NOBODY },
    { "host all all db.example.com md5", "role=u from=192.0.2.1", HBA_WHY_HOST_UNKNOWN },
    { "host all all samenet md5", "role=u from=192.0.2.1", HBA_WHY_NETS_UNKNOWN },
    { "host shop all all md5", "role=u db=erp from=192.0.2.1", HBA_WHY_DATABASE },
    { "host shop all all md5", "role=u from=192.0.2.1", HBA_WHY_DATABASE },     /* db is the role */
    { "host all all all md5", "role=u from=192.0.2.1 replication", HBA_WHY_ALL_NO_REPLICATION },
    { "host replication all all md5", "role=u from=192.0.2.1", HBA_WHY_FOR_REPLICATION },
    { "host replication all all md5", "role=u from=192.0.2.1 replication=yes", HBA_WHY_MATCHES },
    { "host all app all md5", "role=u from=192.0.2.1", HBA_WHY_ROLE },
    { "host all +dba all md5", "role=u from=192.0.2.1 member=ops", HBA_WHY_NO_MEMBER },
    { "host all +dba all md5", "role=u from=192.0.2.1 member=ops,dba", HBA_WHY_MATCHES },
    { "host all +dba all md5", "role=u from=192.0.2.1", HBA_WHY_MEMBER_UNKNOWN },
    { "host all +u all md5", "role=u from=192.0.2.1 member=", HBA_WHY_MATCHES },
    { "host all /\\w all md5", "role=u from=192.0.2.1", HBA_WHY_REGEX_UNKNOWN },
    { "host samerole all all md5", "role=u db=g from=192.0.2.1", HBA_WHY_MEMBER_UNKNOWN },
    /* what is certain comes before what is not */
    { "host shop all db.example.com md5", "role=u db=erp from=192.0.2.1", HBA_WHY_DATABASE },
    { "host all \"ana maria\" all md5", "role=\"ana maria\" from=2001:db8::1 tls=on", HBA_WHY_MATCHES },
};

static void each_line_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(reasons); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(reasons[i].line, 17);
        struct hba_question question;
        struct ps_err err = { 0 };

        assert_true(hba_question_parse(reasons[i].question, arena, &question, &err));
        assert_string_equal(hba_why_word(hba_why(hba_rule(hba, 0), &question).why),
                            hba_why_word(reasons[i].want));
        assert_true(hba_why_text(reasons[i].want)[0] != '\0');
    }
}

static void the_reason_stands_where_its_field_is(void **state)
{
    static const char line[] = "hostssl  shop  app  192.0.2.0 255.255.255.0  md5\n";
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(hba_freep) struct hba *hba = memory_hba(line, 17);
    struct hba_question question;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_question_parse("role=app db=shop from=192.0.3.1 tls=yes", arena, &question, &err));

    struct hba_step step = hba_why(hba_rule(hba, 0), &question);
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    hba_span(hba, step.rule, step.begin, step.end, &text);
    assert_string_equal(buf_text(&text), "192.0.2.0 255.255.255.0");
}

static void the_verdict_says_when_it_is_not_certain(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("host all all db.example.com trust\n"
                                                    "host all +dba all md5\n"
                                                    "host all all 192.0.2.0/24 reject\n"
                                                    "host all all all md5\n", 17);
    struct hba_question question;
    struct hba_verdict verdict;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_question_parse("role=u from=192.0.2.1 member=", arena, &question, &err));
    hba_judge(hba, &question, arena, &verdict);
    assert_ptr_equal(verdict.rule, hba_rule(hba, 2));
    assert_false(verdict.sure);
    assert_int_equal(verdict.len, 3);
    assert_int_equal(verdict.steps[0].match, HBA_MAYBE);
    assert_int_equal(verdict.steps[1].match, HBA_NO);
    assert_int_equal(verdict.steps[2].match, HBA_YES);

    assert_true(hba_question_parse("role=u from=local", arena, &question, &err));
    hba_judge(hba, &question, arena, &verdict);
    assert_null(verdict.rule);
    assert_true(verdict.sure);
    assert_int_equal(verdict.len, 4);
}

/* ---- questions ---- */

static const struct { const char *text; unsigned column; } faults[] = {
    { "", 0 },
    { "db=shop from=local", 0 },                /* who? */
    { "role=u", 0 },                            /* from where? */
    { "role= from=local", 1 },
    { "role from=local", 1 },
    { "role=u from=", 8 },
    { "role=u from=db.example.com", 8 },
    { "role=u from=192.0.2.0/24", 8 },
    { "role=u from=192.0.2.256", 8 },
    { "role=u  tls=perhaps from=local", 9 },
    { "role=u from=local role=v", 19 },
    { "role=u from=local who=v", 19 },
    { "role=\"u from=local", 6 },
    { "role=u from=local \"", 19 },
    { "role=u from=local tls=yes", 0 },
    { "role=u from=::1 tls=yes gss=yes", 0 },
    { "role=u from=::1 replication=perhaps", 17 },
    { "=u", 1 },
};

static void what_is_wrong_with_a_question_has_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(faults); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        struct hba_question question = { .user = "untouched" };
        struct ps_err err = { 0 };

        assert_false(hba_question_parse(faults[i].text, arena, &question, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_int_equal(err.at.column, faults[i].column);
        assert_string_equal(question.user, "untouched");
    }
}

static void a_question_has_a_bound(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    struct hba_question question;
    struct ps_err err = { 0 };

    (void)state;
    while (text.len <= HBA_QUESTION_MAX)
        buf_puts(&text, "role=u ");
    assert_false(hba_question_parse(buf_text(&text), arena, &question, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_reason),
        cmocka_unit_test(the_reason_stands_where_its_field_is),
        cmocka_unit_test(the_verdict_says_when_it_is_not_certain),
        cmocka_unit_test(what_is_wrong_with_a_question_has_a_place),
        cmocka_unit_test(a_question_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

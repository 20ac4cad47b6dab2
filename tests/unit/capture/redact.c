/* The promise of capture/redact.h: no value of a statement is left in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "capture/redact.h"

static const struct { const char *sql, *want; } rows[] = {
    { "select * from clientes", "select * from clientes" },
    { "select * from t1 where a = 'secret' and b = 42.5", "select * from t1 where a = ? and b = ?" },
    { "alter role app password 'it''s'", "alter role app password ?" },
    { "select E'a\\'b', 'secret'", "select E?" },
    { "select 'a\\', 'secret'", "select ?" },
    { "select $$secret$$, $a$ $$ secret $a$, $1", "select ?, ?, $1" },
    { "select 1 -- secret\n, x", "select ? ?, x" },
    { "select /* secret */ \"a 1\"", "select ? \"a 1\"" },
    { "select 'never ends secret", "select ?" },
    { "select $q$ never ends secret", "select ?" },
    { "select\nx\tfrom y", "select x from y" },
};

static void values_are_taken_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

        redact_sql(rows[i].sql, strlen(rows[i].sql), &out);
        assert_string_equal(buf_text(&out), rows[i].want);
    }
}

static void long_statements_are_cut(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);
    char sql[1000];

    (void)state;
    memset(sql, 'x', sizeof(sql));
    redact_sql(sql, sizeof(sql), &out);
    assert_int_equal(out.len, REDACT_MAX + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_taken_out),
        cmocka_unit_test(long_statements_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

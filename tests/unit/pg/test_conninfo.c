/* Connection strings, written so that libpq reads back what was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pg/conninfo.h"

static const struct { const char *value, *want; } values[] = {
    { "app", "user=app" },
    { "", "user=''" },
    { "two words", "user='two words'" },
    { "tab\there", "user='tab\there'" },
    { "o'brien", "user='o\\'brien'" },
    { "back\\slash", "user='back\\\\slash'" },
    { "a=b", "user=a=b" },
    { "josé", "user=josé" },
    { "x' sslmode='disable", "user='x\\' sslmode=\\'disable'" },     /* stays one value */
};

static void values_are_quoted_where_libpq_wants_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        PS_AUTO(buf_free) struct buf conninfo = BUF(1024);

        conninfo_add(&conninfo, "user", values[i].value);
        assert_string_equal(buf_text(&conninfo), values[i].want);
    }
}

/* ---- reading ---- */

static const struct { const char *conninfo, *want; } texts[] = {
    { "", "" },
    { "host=db1", "host[db1]" },
    { "  host = db1\tuser=app ", "host[db1]user[app]" },
    { "password='it\\'s two' x=y", "password[it's two]x[y]" },
    { "a=b\\ c d=''", "a[b c]d[]" },
    { "sslnegotiation=direct new_word=1", "sslnegotiation[direct]new_word[1]" },
    { "host='open", "" },                       /* the rest is no pair */
    { "host=a word port=1", "host[a]" },
    { "=x", "" },
};

static void pairs_are_read_as_libpq_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        PS_AUTO(buf_free) struct buf keyword = BUF(1024);
        PS_AUTO(buf_free) struct buf value = BUF(1024);
        PS_AUTO(buf_free) struct buf seen = BUF(1024);
        const char *at = texts[i].conninfo;

        while (conninfo_next(&at, &keyword, &value))
            buf_printf(&seen, "%s[%s]", buf_text(&keyword), buf_text(&value));
        assert_string_equal(buf_text(&seen), texts[i].want);
    }
}

static void the_last_value_of_a_keyword_counts(void **state)
{
    PS_AUTO(buf_free) struct buf value = BUF(1024);

    (void)state;
    assert_true(conninfo_get("sslmode=require host=a sslmode=verify-full", "sslmode", &value));
    assert_string_equal(buf_text(&value), "verify-full");
    assert_false(conninfo_get("host=a", "sslmode", &value));
}

static void keywords_are_set_apart_by_one_blank(void **state)
{
    PS_AUTO(buf_free) struct buf conninfo = BUF(1024);

    (void)state;
    conninfo_add(&conninfo, "host", "db1");
    conninfo_add(&conninfo, "user", "app");
    assert_string_equal(buf_text(&conninfo), "host=db1 user=app");
}

static const struct { const char *text, *want; } components[] = {
    { "app", "app" },
    { "A-z_0.9~", "A-z_0.9~" },
    { "a b", "a%20b" },
    { "a/b?c&d=e#f@g:h", "a%2Fb%3Fc%26d%3De%23f%40g%3Ah" },
    { "100%", "100%25" },
    { "é", "%C3%A9" },
    { "\xff", "%FF" },
    { "", "" },
};

static void uri_components_are_percent_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(components); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(1024);

        conninfo_uri_encode(components[i].text, &out);
        assert_string_equal(buf_text(&out), components[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_as_libpq_reads_them),
        cmocka_unit_test(the_last_value_of_a_keyword_counts),
        cmocka_unit_test(values_are_quoted_where_libpq_wants_it),
        cmocka_unit_test(keywords_are_set_apart_by_one_blank),
        cmocka_unit_test(uri_components_are_percent_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

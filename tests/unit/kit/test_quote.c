/* Texts as the languages of connection strings want them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kit/quote.h"

typedef void quote_fn(const char *text, struct buf *out);

static const struct { quote_fn *quote; const char *text, *want; } cases[] = {
    { quote_string, "plain", "\"plain\"" },
    { quote_string, "", "\"\"" },
    { quote_string, "a\"b\\c'd ñ", "\"a\\\"b\\\\c'd ñ\"" },
    { quote_shell, "plain-1.txt", "plain-1.txt" },
    { quote_shell, "", "''" },
    { quote_shell, "two words", "'two words'" },
    { quote_shell, "it's", "'it'\\''s'" },
    { quote_shell, "$(reboot)", "'$(reboot)'" },
    { quote_shell, "~/kits", "'~/kits'" },
    { quote_npgsql, "plain", "plain" },
    { quote_npgsql, "two words", "two words" },
    { quote_npgsql, " front", "\" front\"" },
    { quote_npgsql, "back ", "\"back \"" },
    { quote_npgsql, "", "\"\"" },
    { quote_npgsql, "a;Password=b", "\"a;Password=b\"" },
    { quote_npgsql, "a\"b", "\"a\"\"b\"" },
    { quote_single, "it's", "'it''s'" },
};

static void texts_are_quoted_so_that_they_stay_one_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(1024);

        cases[i].quote(cases[i].text, &out);
        assert_string_equal(buf_text(&out), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_quoted_so_that_they_stay_one_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

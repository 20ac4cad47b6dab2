/* What a stranger wrote: decoded, made visible, wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <locale.h>

#include "doc/text.h"

static const struct {
    const char *in;
    int32_t c;
    int bytes;
} characters[] = {
    { "a", 'a', 1 },
    { "\xc3\xb1", 0xf1, 2 },
    { "\xe2\x82\xac", 0x20ac, 3 },
    { "\xf0\x9f\x94\x92", 0x1f512, 4 },
    { "\x80", -1, 1 },                  /* continuation without a beginning */
    { "\xc3", -1, 1 },                  /* cut short */
    { "\xe2\x82", -1, 1 },
    { "\xc0\xaf", -1, 1 },              /* overlong slash */
    { "\xe0\x80\xaf", -1, 1 },
    { "\xed\xa0\x80", -1, 1 },          /* surrogate */
    { "\xf4\x90\x80\x80", -1, 1 },      /* beyond U+10FFFF */
    { "\xff", -1, 1 },
};

static void only_wellformed_utf8_is_a_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(characters); i++) {
        const char *p = characters[i].in;

        assert_int_equal(text_next(&p), characters[i].c);
        assert_int_equal(p - characters[i].in, characters[i].bytes);
    }
}

static const struct {
    const char *in, *want;
} visible[] = {
    { "plain", "plain" },
    { "\033[31mred", "\\x1b[31mred" },
    { "a\tb\r\nc\rd", "a b\nc\\x0dd" },
    { "caf\xc3\xa9", "caf\xc3\xa9" },
    { "caf\xe9", "caf\\xe9" },
    { "\xe2\x80\xaegnp.exe", "\\u202egnp.exe" },    /* right-to-left override */
    { "\xc2\x9b" "31m", "\\x9b31m" },               /* CSI of C1 */
    { "a\xe2\x80\x8b" "b", "a\\u200bb" },           /* zero width space */
    { "\x7f", "\\x7f" },
};

static void nothing_can_move_the_cursor(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(visible); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(1000);

        text_visible(visible[i].in, &out);
        assert_string_equal(buf_text(&out), visible[i].want);
    }
}

static void broken_bytes_become_the_replacement_character(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(1000);

    (void)state;
    text_utf8("a\xff\xc3\xb1\xe2\x82z\x01", &out);
    assert_string_equal(buf_text(&out),
                        "a\xef\xbf\xbd\xc3\xb1\xef\xbf\xbd\xef\xbf\xbdz\x01");
}

static const struct {
    const char *in;
    int width;
    const char *want;       /* lines with | between */
} wraps[] = {
    { "", 10, "" },
    { "one two three", 7, "one two|three" },
    { "one two three", 0, "one two three" },
    { "one\ntwo\n", 10, "one|two" },
    { "abcdefghij", 4, "abcd|efgh|ij" },
    { "/var/lib/pg", 6, "/var/|lib/pg" },
    { "ssl_min_version", 9, "ssl_min_|version" },
    { "exactly ten", 11, "exactly ten" },
    { "a  b", 2, "a|b" },
    { "\xe6\xbc\xa2\xe5\xad\x97", 2, "\xe6\xbc\xa2|\xe5\xad\x97" },    /* two columns each */
};

static void lines_break_at_blanks_and_in_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(wraps); i++) {
        PS_AUTO(text_lines_free) struct text_lines lines = { 0 };
        PS_AUTO(buf_free) struct buf out = BUF(1000);

        text_wrap(wraps[i].in, wraps[i].width, &lines);
        for (size_t l = 0; l < lines.len; l++) {
            buf_puts(&out, l ? "|" : "");
            buf_put(&out, lines.at[l].p, lines.at[l].len);
            if (wraps[i].width)
                assert_true(lines.at[l].columns <= wraps[i].width);
        }
        assert_string_equal(buf_text(&out), wraps[i].want);
    }
}

static void the_longest_part_is_what_is_not_broken_gladly(void **state)
{
    static const struct { const char *text; int want; } rows[] = {
        { "", 0 }, { "one three", 5 }, { "a\nbcd", 3 }, { "/var/lib/pg", 4 }, { "abc", 3 },
        { "caf\xc3\xa9 o", 4 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        assert_int_equal(text_longest_part(rows[i].text), rows[i].want);
}

static void columns_are_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_columns("caf\xc3\xa9", 5), 4);
    assert_int_equal(text_columns("\xe6\xbc\xa2", 3), 2);
    assert_int_equal(text_columns("e\xcc\x81", 3), 1);       /* combining accent */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_wellformed_utf8_is_a_character),
        cmocka_unit_test(nothing_can_move_the_cursor),
        cmocka_unit_test(broken_bytes_become_the_replacement_character),
        cmocka_unit_test(lines_break_at_blanks_and_in_names),
        cmocka_unit_test(the_longest_part_is_what_is_not_broken_gladly),
        cmocka_unit_test(columns_are_not_bytes),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

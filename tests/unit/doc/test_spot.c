/* A line is cut around the spot, and the mark stands below it whatever the bytes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <locale.h>

#include "doc/spot.h"
#include "doc/text.h"

static const struct {
    const char *text;
    unsigned column, end;
    const char *lead, *marked, *tail;
} rows[] = {
    { "host all all md5", 6, 9, "host ", "all", " all md5" },
    { "host all all md5", 14, 0, "host all all ", "md5", "" },
    { "  host all  ", 0, 0, "  ", "host all", "  " },
    { "a\tb", 3, 4, "a ", "b", "" },                                       /* a tab is one blank */
    { "\303\261and\303\272 x", 2, 3, "", "\303\261", "and\303\272 x" },    /* inside a character */
    { "a\033[2Jb", 2, 3, "a", "\\x1b", "[2Jb" },
    { "short", 99, 120, "short", "", "" },                                  /* behind the end */
    { "short", 3, 2, "sh", "ort", "" },                                     /* ends before it begins */
    { "", 1, 1, "", "", "" },
    { "one\ntwo", 1, 3, "on", "", "" },
};

static void a_line_has_three_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(spot_free) struct spot parts = { 0 };
        const struct doc_spot spot = { "f", 1, rows[i].column, rows[i].end, rows[i].text };

        spot_split(&spot, &parts);
        if (i + 1 == PS_COUNT(rows)) {      /* what is behind a line end is no part of the line */
            assert_null(strstr(parts.tail, "two"));
            continue;
        }
        assert_string_equal(parts.lead, rows[i].lead);
        assert_string_equal(parts.marked, rows[i].marked);
        assert_string_equal(parts.tail, rows[i].tail);
    }
}

static int columns(const char *text)
{
    return text_columns(text, strlen(text));
}

static void a_long_line_is_cut_on_both_sides_of_the_spot(void **state)
{
    static const int widths[] = { 20, 21, 40, 79, 100, 5000 };
    PS_AUTO(buf_free) struct buf line = BUF(BUF_TEXT_MAX);

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_puts(&line, i % 7 ? "a\303\251" : "\346\274\242 ");     /* two columns wide */
    for (size_t i = 0; i < PS_COUNT(widths); i++)
        for (unsigned column = 1; column < line.len; column += 13) {
            PS_AUTO(spot_free) struct spot parts = { 0 };
            const struct doc_spot spot = { "f", 1, column, column + 5, buf_text(&line) };

            spot_split(&spot, &parts);
            spot_fit(&parts, widths[i]);
            assert_true(columns(parts.lead) + columns(parts.marked) + columns(parts.tail)
                        <= widths[i]);
            assert_true(columns(parts.marked) >= 1);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_three_parts),
        cmocka_unit_test(a_long_line_is_cut_on_both_sides_of_the_spot),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hba_lex.c - words and logical lines are the server's, in each version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "pg/hba_lex.h"

/* Words of all lines: | between words, , joins, ' before a quoted one, / between lines. */
static const struct { unsigned major; const char *text, *words; } cases[] = {
    { 15, "host all all", "host|all|all" },
    { 15, "\thost \t all\r\n", "host|all" },
    { 15, "a,b c", "a,b|c" },
    { 15, "a, b c", "a,b|c" },              /* a comma swallows the blank behind it */
    { 15, "a ,b c", "a|b|c" },              /* but not the one before it */
    { 15, ",,a,,b", "a,b" },
    { 15, "a,", "a," },
    { 15, "a#b c", "a" },
    { 15, "a \"#b\" c#d", "a|'#b|c" },
    { 15, "\"a b\",c", "'a b,c" },
    { 15, "a\" b\"c", "a bc" },             /* a quote inside: the word began without */
    { 15, "\"a\"\"b\"", "'a\"b" },
    { 15, "\"\"", "'" },
    { 15, "\"\"a", "'a" },
    { 15, "\"a b # c\nd", "'a b # c/d" },   /* no closing quote: the rest of the line */
    { 15, "@\"a b\"", "@a b" },
    { 15, "\"a,b\",\"c\"", "'a,b,'c" },
    { 15, "a\\\nb", "ab" },
    { 13, "a\\\nb", "a\\/b" },              /* joined since 14 */
    { 14, "a \\\r\n b \\\n c\nd", "a|b|c/d" },
    { 14, "# a \\\n b\nc", "/c" },          /* a comment goes on too */
    { 14, "\"a\\\nb\"", "'ab" },
    { 14, "a\\\\\nb", "a\\b" },
    { 14, "a\\\n\\\nb", "ab" },
    { 14, "a\\", "a" },
    { 14, "", "" },
    { 14, "caf\xc3\xa9 \xff", "caf\xc3\xa9|\xff" },
};

static void put_words(struct lex_line *line, struct buf *out)
{
    struct lex_word word = { 0 };

    for (bool first = true; lex_word(line, &word); first = false) {
        if (!first && out->len && out->p[out->len - 1] != ',')
            buf_putc(out, '|');
        buf_printf(out, "%s%s%s", word.quoted ? "'" : "", word.text, word.comma ? "," : "");
    }
}

static void words_are_those_of_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(buf_free) struct buf words = BUF(1000);
        struct lex lex = lex_over(cases[i].text, strlen(cases[i].text), cases[i].major, arena);
        struct lex_line line;

        for (bool first = true; lex_line(&lex, &line); first = false) {
            if (!first)
                buf_putc(&words, '/');
            put_words(&line, &words);
        }
        assert_string_equal(buf_text(&words), cases[i].words);
    }
}

static void a_word_knows_its_place_in_a_continued_line(void **state)
{
    static const char text[] = "# x\nhost \\\n  a\\\nll \"q\"\nlast";
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct lex lex = lex_over(text, sizeof(text) - 1, 17, arena);
    struct lex_line line;
    struct lex_word word;

    (void)state;
    assert_true(lex_line(&lex, &line));
    assert_true(lex_line(&lex, &line));
    assert_int_equal(line.line, 2);
    assert_true(lex_word(&line, &word) && lex_word(&line, &word));
    assert_string_equal(word.text, "all");
    assert_memory_equal(text + word.begin, "a\\\nll", word.end - word.begin);
    assert_int_equal(word.end - word.begin, 5);
    assert_true(lex_word(&line, &word));
    assert_memory_equal(text + word.begin, "\"q\"", 3);
    assert_true(lex_line(&lex, &line));
    assert_int_equal(line.line, 5);
    assert_int_equal(line.end, sizeof(text) - 1);
}

static const struct { unsigned major; size_t len; enum lex_trouble want; } lengths[] = {
    { 10, 255, LEX_FINE }, { 10, 256, LEX_WORD_LONG },
    { 14, 256, LEX_FINE }, { 16, 10239, LEX_FINE }, { 16, 10240, LEX_WORD_LONG },
    { 17, 100000, LEX_FINE },
    { 13, 8190, LEX_FINE }, { 13, 8191, LEX_LINE_LONG },
};

static void what_is_too_long_depends_on_the_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(lengths); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(ps_freep) char *text = ps_malloc(lengths[i].len);
        struct lex_line line;
        struct lex_word word;

        memset(text, 'a', lengths[i].len);
        struct lex lex = lex_over(text, lengths[i].len, lengths[i].major, arena);
        assert_true(lex_line(&lex, &line));
        if (line.trouble == LEX_FINE)
            (void)lex_word(&line, &word);
        assert_int_equal(line.trouble, lengths[i].want);
    }
}

static void a_zero_byte_is_trouble(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct lex lex = lex_over("ok\nlo\0cal\n", 10, 17, arena);
    struct lex_line line;

    (void)state;
    assert_true(lex_line(&lex, &line));
    assert_int_equal(line.trouble, LEX_FINE);
    assert_true(lex_line(&lex, &line));
    assert_int_equal(line.trouble, LEX_NUL);
    assert_int_equal(line.trouble_at, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_the_server),
        cmocka_unit_test(a_word_knows_its_place_in_a_continued_line),
        cmocka_unit_test(what_is_too_long_depends_on_the_version),
        cmocka_unit_test(a_zero_byte_is_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

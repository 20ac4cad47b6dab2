/* test_text.c - err, mem, buf, num: what is bounded stays whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

/* ---- err ---- */

static void an_error_starts_afresh_and_every_helper_fails(void **state)
{
    struct ps_err err;

    (void)state;
    assert_false(ps_fail(&err, PS_E_IO, "old"));
    assert_false(ps_detail(&err, "detail"));
    assert_false(ps_hint(&err, "hint"));
    assert_false(ps_at(&err, "file", 3, 4));
    errno = ENOENT;
    assert_false(ps_fail(&err, PS_E_VALUE, "could not: %m"));
    assert_string_equal(err.message, "could not: No such file or directory");
    assert_int_equal(err.code, PS_E_VALUE);
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.at.file, "");
    assert_int_equal(err.at.line, 0);
}

static void a_long_message_is_cut_between_letters(void **state)
{
    static const char *const letters[] = { "a", "\xc3\xb1", "\xe2\x82\xac", "\xf0\x9f\x94\x91" };
    struct ps_err err;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(letters); i++) {
        size_t width = strlen(letters[i]);

        for (size_t shift = 0; shift < 4; shift++) {
            char text[2000] = "xxx";
            size_t len = shift;

            for (; len + width < sizeof(text); len += width)
                memcpy(text + len, letters[i], width);
            text[len] = '\0';
            ps_fail(&err, PS_E_BUG, "%s", text);
            size_t kept = strlen(err.message);
            assert_true(kept < sizeof(err.message) && kept > sizeof(err.message) - 1 - width);
            assert_int_equal((kept - shift) % width, 0);
            assert_memory_equal(err.message, text, kept);
        }
    }
}

static void what_we_were_doing_stands_on_top(void **state)
{
    struct ps_err err;

    (void)state;
    ps_fail(&err, PS_E_NET, "inner");
    ps_hint(&err, "Hint.");
    ps_at(&err, "f", 1, 2);
    assert_false(ps_while(&err, "outer %d", 1));
    assert_string_equal(err.message, "outer 1");
    assert_string_equal(err.detail, "inner");
    ps_while(&err, "outermost");
    assert_string_equal(err.detail, "outer 1\ninner");
    assert_string_equal(err.hint, "Hint.");
    assert_int_equal(err.code, PS_E_NET);
    assert_int_equal(err.at.line, 1);
}

static void every_code_has_a_name_and_a_status(void **state)
{
    (void)state;
    for (int code = PS_E_NONE; code <= PS_E_BUG; code++) {
        assert_non_null(ps_code_name((enum ps_code)code));
        for (int other = PS_E_NONE; other < code; other++)
            assert_string_not_equal(ps_code_name((enum ps_code)code),
                                    ps_code_name((enum ps_code)other));
    }
    assert_int_equal(ps_code_exit(PS_E_ROLLED_BACK), 5);
    assert_int_equal(ps_code_exit(PS_E_UNSAFE), 4);
    assert_int_equal(ps_code_exit(PS_E_BUG), 70);
}

/* ---- mem ---- */

static void an_array_grows_and_keeps_its_elements(void **state)
{
    int *list = NULL;
    size_t len = 0, cap = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        PS_PUSH(list, len, cap) = i;
    assert_int_equal(len, 1000);
    assert_true(cap >= len);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    free(list);
}

static void an_arena_gives_zeroed_aligned_memory_of_its_own(void **state)
{
    static const size_t sizes[] = { 1, 3, 16, 100, 20000, 5, 16384, 16385, 0, 7 };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();

    (void)state;
    for (size_t round = 0; round < 20; round++)
        for (size_t i = 0; i < PS_COUNT(sizes); i++) {
            unsigned char *p = arena_alloc(arena, sizes[i]);

            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(p[at], 0);
            memset(p, 0xA5, sizes[i]);
        }
    assert_string_equal(arena_strdup(arena, "text"), "text");
    assert_string_equal(arena_strndup(arena, "text", 2), "te");
    assert_string_equal(arena_printf(arena, "%d-%s", 5, "x"), "5-x");
}

static void what_is_taken_is_no_longer_owned(void **state)
{
    PS_AUTO(ps_freep) char *owner = ps_asprintf("%s", "x");
    PS_AUTO(ps_freep) char *heir = PS_TAKE(owner);

    (void)state;
    assert_null(owner);
    assert_string_equal(heir, "x");
}

/* ---- buf ---- */

static void a_buffer_never_passes_its_bound(void **state)
{
    PS_AUTO(buf_free) struct buf buf = BUF(5);

    (void)state;
    assert_string_equal(buf_text(&buf), "");
    assert_true(buf_puts(&buf, "abc"));
    assert_false(buf_puts(&buf, "def"));        /* not even a part of it */
    assert_true(buf.over);
    assert_false(buf_putc(&buf, 'd'));          /* and nothing behind it */
    assert_string_equal(buf_text(&buf), "abc");
    buf_clear(&buf);
    assert_true(buf_put(&buf, "a\0b\0c", 5));
    assert_memory_equal(buf.p, "a\0b\0c", 6);
    assert_false(buf_put(&buf, "x", 1));
    buf_clear(&buf);
    assert_false(buf_put(&buf, "x", SIZE_MAX));
}

static void a_taken_text_leaves_an_empty_buffer(void **state)
{
    PS_AUTO(buf_free) struct buf buf = BUF(100);

    (void)state;
    buf_printf(&buf, "%s %d", "line", 7);
    PS_AUTO(ps_freep) char *text = buf_take(&buf);
    PS_AUTO(ps_freep) char *nothing = buf_take(&buf);
    assert_string_equal(text, "line 7");
    assert_string_equal(nothing, "");
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.max, 100);
}

/* ---- num ---- */

static const struct {
    const char *text;
    bool ok;
    long value;
} numbers[] = {
    { "0", true, 0 }, { "5432", true, 5432 }, { "65535", true, 65535 }, { "-5", true, -5 },
    { "007", true, 7 }, { "65536", false, 0 }, { "-6", false, 0 }, { "", false, 0 },
    { "-", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 }, { "1 ", false, 0 },
    { "0x10", false, 0 }, { "1e3", false, 0 }, { "- 1", false, 0 }, { "--1", false, 0 },
    { "99999999999999999999", false, 0 }, { "000000000000000000000000001", false, 0 },
};

static void numbers_are_whole_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(numbers); i++) {
        long value = 0;

        assert_int_equal(num_parse(numbers[i].text, -5, 65535, &value), numbers[i].ok);
        if (numbers[i].ok)
            assert_int_equal(value, numbers[i].value);
    }
    long value = 0;
    assert_true(num_parse_n("123456", 3, 0, 1000, &value));
    assert_int_equal(value, 123);
    assert_false(num_parse_n("1\0002", 3, 0, 1000, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_starts_afresh_and_every_helper_fails),
        cmocka_unit_test(a_long_message_is_cut_between_letters),
        cmocka_unit_test(what_we_were_doing_stands_on_top),
        cmocka_unit_test(every_code_has_a_name_and_a_status),
        cmocka_unit_test(an_array_grows_and_keeps_its_elements),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_its_own),
        cmocka_unit_test(what_is_taken_is_no_longer_owned),
        cmocka_unit_test(a_buffer_never_passes_its_bound),
        cmocka_unit_test(a_taken_text_leaves_an_empty_buffer),
        cmocka_unit_test(numbers_are_whole_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rd.c - every reader, at every length that is too short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/rd.h"

static bool u8(struct rd *rd) { uint8_t v; return rd_u8(rd, &v) && v == 1; }
static bool u16(struct rd *rd) { uint16_t v; return rd_u16(rd, &v) && v == 0x0102; }
static bool u24(struct rd *rd) { uint32_t v; return rd_u24(rd, &v) && v == 0x010203; }
static bool u32(struct rd *rd) { uint32_t v; return rd_u32(rd, &v) && v == 0xF1020304; }
static bool bytes(struct rd *rd) { struct span s; return rd_bytes(rd, 3, &s) && s.len == 3; }
static bool vec8(struct rd *rd) { struct span s; return rd_vec8(rd, 1, 2, &s) && s.len == 2; }
static bool vec16(struct rd *rd) { struct span s; return rd_vec16(rd, 0, 9, &s) && s.len == 2; }
static bool vec24(struct rd *rd) { struct span s; return rd_vec24(rd, 2, 2, &s) && s.len == 2; }
static bool cstr(struct rd *rd) { const char *s; return rd_cstr(rd, &s) && strcmp(s, "ab") == 0; }

static const struct {
    bool (*read)(struct rd *rd);
    const char *bytes;
    size_t len;
} readers[] = {
    { u8, "\1", 1 },
    { u16, "\1\2", 2 },
    { u24, "\1\2\3", 3 },
    { u32, "\xF1\2\3\4", 4 },
    { bytes, "abc", 3 },
    { vec8, "\2ab", 3 },
    { vec16, "\0\2ab", 4 },
    { vec24, "\0\0\2ab", 5 },
    { cstr, "ab\0", 3 },
};

static void each_reader_reads_what_is_there_and_never_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(readers); i++)
        for (size_t len = 0; len <= readers[i].len; len++) {
            PS_AUTO(ps_freep) char *copy = ps_memdup(readers[i].bytes, len);   /* its end is watched */
            struct rd rd = rd_over(copy, len);

            assert_int_equal(readers[i].read(&rd), len == readers[i].len);
            assert_int_equal(rd.bad, len < readers[i].len);
            assert_int_equal(rd_left(&rd), 0);
        }
}

static void after_a_failure_nothing_is_read_any_more(void **state)
{
    struct rd rd = rd_over("\1\2\3", 3);
    uint32_t wide;
    uint8_t byte = 9;
    struct span span;
    const char *text;

    (void)state;
    assert_false(rd_u32(&rd, &wide));
    assert_int_equal(rd.pos, 0);
    assert_false(rd_u8(&rd, &byte));
    assert_int_equal(byte, 9);
    assert_false(rd_bytes(&rd, 0, &span));
    assert_false(rd_cstr(&rd, &text));
    assert_int_equal(rd_left(&rd), 0);
}

static void a_vector_keeps_its_bounds(void **state)
{
    struct span span;
    struct rd small = rd_over("\0", 1), big = rd_over("\3abc", 4), lies = rd_over("\xff" "abc", 4);

    (void)state;
    assert_false(rd_vec8(&small, 1, 2, &span));
    assert_false(rd_vec8(&big, 1, 2, &span));
    assert_false(rd_vec8(&lies, 0, 255, &span));
}

static void nothing_at_all_can_be_read(void **state)
{
    struct rd rd = rd_over(NULL, 0);
    struct span span;
    const char *text;

    (void)state;
    assert_true(rd_bytes(&rd, 0, &span));
    assert_int_equal(span.len, 0);
    assert_false(rd_cstr(&rd, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_reads_what_is_there_and_never_more),
        cmocka_unit_test(after_a_failure_nothing_is_read_any_more),
        cmocka_unit_test(a_vector_keeps_its_bounds),
        cmocka_unit_test(nothing_at_all_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

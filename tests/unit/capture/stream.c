/* The promises of capture/stream.h: bytes in order, each once, and every hole is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buf.h"
#include "capture/stream.h"

static struct stream stream;
static struct stream_pool pool;
static struct buf got = BUF(BUF_TEXT_MAX);

static void take(void *of, const struct piece *piece)
{
    (void)of;
    if (piece->p)
        buf_put(&got, piece->p, piece->len);
    else
        buf_printf(&got, "[%llu]", (unsigned long long)piece->len);
}

static int begin(void **state)
{
    (void)state;
    stream = (struct stream){ 0 };
    pool = (struct stream_pool){ 0 };
    buf_clear(&got);
    stream_begin(&stream, 1000);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stream_free(&stream, &pool);
    assert_int_equal(pool.bytes, 0);
    return 0;
}

/* The text that stands at `at` of the alphabet; `captured` bytes of it are there. */
static void segment(uint32_t at, uint32_t len, uint32_t captured)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
    struct packet packet = { .seq = stream.start + at, .len = len, .captured = captured,
                             .payload = (const uint8_t *)alphabet + at };

    stream_take(&stream, &pool, &packet, take, NULL);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    segment(0, 4, 4);
    segment(8, 4, 4);
    segment(12, 4, 4);
    segment(4, 4, 4);
    assert_string_equal(buf_text(&got), "abcdefghijklmnop");
    assert_int_equal(pool.bytes, 0);
    assert_int_equal(stream.lost, 0);
}

static void what_comes_twice_counts_once(void **state)
{
    (void)state;
    segment(0, 4, 4);
    segment(0, 4, 4);
    segment(2, 6, 6);       /* overlaps what was delivered */
    segment(10, 6, 6);      /* early */
    segment(10, 4, 4);      /* inside what waits */
    segment(6, 8, 8);       /* fills the hole, and overlaps what waits */
    assert_string_equal(buf_text(&got), "abcdefghijklmnop");
    assert_int_equal(stream.bytes, 16);
}

static void an_acknowledged_hole_is_a_loss(void **state)
{
    (void)state;
    segment(0, 4, 4);
    segment(8, 4, 4);
    stream_acked(&stream, &pool, stream.start + 6, take, NULL);
    assert_string_equal(buf_text(&got), "abcd");         /* it may have been reordered */
    stream_acked(&stream, &pool, stream.start + 12, take, NULL);
    assert_string_equal(buf_text(&got), "abcd[4]ijkl");
    assert_int_equal(stream.lost, 4);
}

static void cut_packets_leave_a_hole(void **state)
{
    (void)state;
    segment(0, 8, 3);
    segment(8, 2, 2);
    assert_string_equal(buf_text(&got), "abc[5]ij");
}

static void the_end_delivers_what_waits(void **state)
{
    (void)state;
    segment(4, 4, 4);
    stream_acked(&stream, &pool, stream.start + 20, NULL, NULL);
    stream_end(&stream, &pool, take, NULL);
    assert_non_null(strstr(buf_text(&got), "[12]"));     /* received by the other side, never seen */
}

static void numbers_go_round(void **state)
{
    (void)state;
    stream_begin(&stream, UINT32_MAX - 5);
    segment(4, 4, 4);
    segment(0, 4, 4);
    segment(8, 4, 4);
    assert_string_equal(buf_text(&got), "abcdefghijkl");
}

static void what_waits_has_a_bound(void **state)
{
    static uint8_t zeros[60000];

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        struct packet packet = { .seq = stream.start + 10 + i * 60000, .len = 60000,
                                 .captured = 60000, .payload = zeros };

        stream_take(&stream, &pool, &packet, take, NULL);
        assert_true(stream.early_bytes <= STREAM_EARLY_MAX);
    }
    assert_true(pool.refused > 0);
    buf_clear(&got);
    for (uint32_t i = 0; i < 1000; i++)                  /* tiny ones are bounded by their number */
        segment(2 * (i % 10) + 2, 1, 1);
    assert_true(stream.early_count <= STREAM_EARLY_COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_does_not_matter, begin, end),
        cmocka_unit_test_setup_teardown(what_comes_twice_counts_once, begin, end),
        cmocka_unit_test_setup_teardown(an_acknowledged_hole_is_a_loss, begin, end),
        cmocka_unit_test_setup_teardown(cut_packets_leave_a_hole, begin, end),
        cmocka_unit_test_setup_teardown(the_end_delivers_what_waits, begin, end),
        cmocka_unit_test_setup_teardown(numbers_go_round, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_has_a_bound, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_free(&got);
    return failed;
}

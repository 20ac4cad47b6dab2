/* The bounds of capture/flow.h: a million connections that are open, and what happens to those beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <malloc.h>
#include <pcap/dlt.h>

#include "capture/flow.h"

enum { BEYOND = 1000, OTHER_MB = 64 };

struct ended {
    uint64_t count, over_bound, encrypted;
};

static void note_end(void *of, const struct conn *conn)
{
    struct ended *ended = of;

    ended->count++;
    ended->over_bound += conn->verdict == V_UNKNOWN && conn->reason == R_OVER_BOUND;
    ended->encrypted += verdict_is_encrypted((enum verdict)conn->verdict);
}

/* A SYN, or the request for TLS behind it, of the client with this number. */
static void give(struct flows *flows, uint32_t number, bool request)
{
    uint8_t bytes[48] = { 0x45, 0, 0, request ? 48 : 40, 0, 1, 0x40, 0, 64, 6, 0, 0,
                          10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 10, 0, 0, 1,
                          0x9c, 0x40, 0x15, 0x38, 0, 0, 0, request, 0, 0, 0, 0, 0x50, request ? 0x18 : 2, 255, 255,
                          0, 0, 0, 0, 0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f };
    const struct frame frame = { .when_us = 1000000 + number, .bytes = bytes, .captured = bytes[3], .len = bytes[3] };

    flows_packet(flows, DLT_RAW, &frame);
}

static void a_million_connections_are_followed_and_no_more(void **state)
{
    struct ended ended = { 0 };
    const struct flows_spec spec = { .done = note_end, .of = &ended };
    PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;

    (void)state;
    for (uint32_t i = 0; i < FLOWS_MAX; i++)
        give(flows, i, false);
    assert_int_equal(flows_open(flows), FLOWS_MAX);
    assert_int_equal(flows_counts(flows)->evicted, 0);
    for (uint32_t i = 0; i < BEYOND; i++) {
        give(flows, FLOWS_MAX + i, false);
        give(flows, FLOWS_MAX + i, true);
    }
    assert_int_equal(flows_open(flows), FLOWS_MAX);
    assert_int_equal(flows_counts(flows)->evicted, BEYOND);
    assert_int_equal(flows_counts(flows)->most_open, FLOWS_MAX);
    assert_int_equal(ended.count, BEYOND);
    assert_int_equal(ended.over_bound, BEYOND);
    /* not known to the allocator of a sanitizer */
    assert_true(mallinfo2().uordblks + mallinfo2().hblkhd - before <= 1024ull * FLOWS_MAX + ((size_t)OTHER_MB << 20));

    flows_end(flows);
    assert_int_equal(flows_open(flows), 0);
    assert_int_equal(ended.count, FLOWS_MAX + BEYOND);
    assert_int_equal(ended.encrypted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_million_connections_are_followed_and_no_more) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

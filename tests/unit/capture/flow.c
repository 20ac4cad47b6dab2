/*
 * The bounds of capture/flow.h: a million connections that are open, and what happens to those beyond.  And ports
 * that are used again: the connection behind is never taken for the one before.  And bytes that come twice: where
 * the copies differ, none is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <malloc.h>
#include <pcap/dlt.h>

#include "capture/flow.h"
#include "capture/link.h"

enum { BEYOND = 1000, OTHER_MB = 64 };

struct ended {
    uint64_t count, over_bound, encrypted, plaintext, cancelled, refused;
};

static void note_end(void *of, const struct conn *conn)
{
    struct ended *ended = of;

    ended->count++;
    ended->over_bound += conn->verdict == V_UNKNOWN && conn->reason == R_OVER_BOUND;
    ended->encrypted += verdict_is_encrypted((enum verdict)conn->verdict);
    ended->plaintext += conn->verdict == V_PLAINTEXT;
    ended->cancelled += conn->verdict == V_CANCEL;
    ended->refused += conn->verdict == V_REFUSED;
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

/* ---- ports that are used again ---- */

struct segment {
    uint32_t number;            /* of the client */
    bool server;
    uint8_t flags;
    uint32_t seq, ack;
    const char *text;
    size_t len;
};

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void send(struct flows *flows, const struct segment *segment)
{
    uint8_t bytes[128] = { 0x45, 0, 0, (uint8_t)(40 + segment->len), 0, 1, 0x40, 0, 64, 6 };
    const struct frame frame = { .when_us = 1000000, .bytes = bytes, .captured = bytes[3], .len = bytes[3] };

    put32(bytes + (segment->server ? 16 : 12), 10u << 24 | segment->number);
    put32(bytes + (segment->server ? 12 : 16), 11u << 24 | 1);
    put32(bytes + 20, segment->server ? 5432u << 16 | 40000 : 40000u << 16 | 5432);
    put32(bytes + 24, segment->seq);
    put32(bytes + 28, segment->ack);
    bytes[32] = 0x50;
    bytes[33] = segment->flags;
    if (segment->len)
        memcpy(bytes + 40, segment->text, segment->len);
    flows_packet(flows, DLT_RAW, &frame);
}

#define CANCEL "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"
#define STARTUP "\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0"
#define TEXT(what) what, sizeof(what) - 1

/* Of the second connection on these ports the SYN was lost, or also the answer to it. */
static void ports_that_are_used_again_without_a_syn_begin_another_connection(void **state)
{
    static const struct segment first[] = {
        { 1, false, TCP_SYN, 1000, 0, NULL, 0 },
        { 1, true, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0 },
        { 1, false, TCP_ACK, 1001, 5001, TEXT(CANCEL) },
        { 1, false, TCP_ACK, 1001, 5001, TEXT(CANCEL) },        /* sent again: it is no other one */
    };
    static const struct segment second[] = {
        { 1, true, TCP_SYN | TCP_ACK, 7000000, 900001, NULL, 0 },
        { 1, false, TCP_ACK, 900001, 7000001, TEXT(STARTUP) },
    };

    (void)state;
    for (size_t from = 0; from < PS_COUNT(second); from++) {
        struct ended ended = { 0 };
        const struct flows_spec spec = { .done = note_end, .of = &ended };
        PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);

        for (size_t i = 0; i < PS_COUNT(first); i++)
            send(flows, &first[i]);
        for (size_t i = from; i < PS_COUNT(second); i++)
            send(flows, &second[i]);
        flows_end(flows);
        assert_int_equal(ended.count, 2);
        assert_int_equal(ended.cancelled, 1);
        assert_int_equal(ended.plaintext, 1);
    }
}

/* The server answered twice with another number each time, before a byte was sent: the second one counts. */
static void a_syn_that_is_answered_again_is_one_connection(void **state)
{
    static const struct segment all[] = {
        { 1, false, TCP_SYN, 1000, 0, NULL, 0 },
        { 1, true, TCP_SYN | TCP_ACK, 3000000000u, 1001, NULL, 0 },
        { 1, false, TCP_SYN, 1000, 0, NULL, 0 },
        { 1, true, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0 },
        { 1, false, TCP_ACK, 1001, 5001, TEXT("\0\0\0\x08\x04\xd2\x16\x2f") },
        { 1, true, TCP_ACK, 5001, 1009, TEXT("N") },
    };
    struct ended ended = { 0 };
    const struct flows_spec spec = { .done = note_end, .of = &ended };
    PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);

    (void)state;
    for (size_t i = 0; i < PS_COUNT(all); i++)
        send(flows, &all[i]);
    flows_end(flows);
    assert_int_equal(ended.count, 1);
    assert_int_equal(ended.refused, 1);
}

/* Each is taken out of the list of those that are over, wherever it stands; searching it would take minutes. */
static void many_that_are_over_are_begun_again(void **state)
{
    enum { MANY = 200000 };
    struct ended ended = { 0 };
    const struct flows_spec spec = { .done = note_end, .of = &ended };
    PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        send(flows, &(struct segment){ .number = i, .flags = TCP_SYN, .seq = 1 });
        send(flows, &(struct segment){ .number = i, .flags = TCP_RST, .seq = 2 });
    }
    for (uint32_t i = MANY; i-- > 0;)
        if (i % 3)
            send(flows, &(struct segment){ .number = i, .flags = TCP_SYN, .seq = 77 });
    assert_int_equal(flows_open(flows), MANY);
    flows_end(flows);
    assert_int_equal(ended.count, MANY + MANY - (MANY + 2) / 3);
    assert_int_equal(flows_open(flows), 0);
}

/* ---- bytes that come twice ---- */

#define SSL_REQUEST "\0\0\0\x08\x04\xd2\x16\x2f"
#define HELLO "\x16\3\1\0\x33\1\0\0\x2f\3\3"
#define SAYS(seq, ack, what) { 1, false, TCP_ACK, seq, ack, TEXT(what) }
#define ANSWERS(seq, ack, what) { 1, true, TCP_ACK, seq, ack, TEXT(what) }

static const struct {
    const char *name;
    struct segment segments[6];
    enum verdict verdict;
    enum reason reason;
} copies[] = {
    { "the same twice", { SAYS(1001, 5001, SSL_REQUEST), SAYS(1001, 5001, SSL_REQUEST), ANSWERS(5001, 1009, "N"),
                          ANSWERS(5001, 1009, "N") }, V_REFUSED, R_NONE },
    { "S, and then N", { SAYS(1001, 5001, SSL_REQUEST), ANSWERS(5001, 1009, "S"), ANSWERS(5001, 1009, "N") },
      V_UNKNOWN, R_COPIES },
    { "N, and then S", { SAYS(1001, 5001, SSL_REQUEST), ANSWERS(5001, 1009, "N"), ANSWERS(5001, 1009, "S") },
      V_UNKNOWN, R_COPIES },
    { "a request, and then a startup", { SAYS(1001, 5001, SSL_REQUEST), SAYS(1001, 5001, STARTUP) }, V_UNKNOWN,
      R_COPIES },
    { "a startup, and then a hello", { SAYS(1001, 5001, STARTUP), SAYS(1001, 5001, HELLO) }, V_PLAINTEXT, R_NONE },
    { "a hello, and then a startup behind the S",
      { SAYS(1001, 5001, SSL_REQUEST), ANSWERS(5001, 1009, "S"), SAYS(1009, 5002, HELLO), SAYS(1009, 5002, STARTUP) },
      V_UNKNOWN, R_COPIES },
    { "what waits, and then something else",
      { SAYS(1005, 5001, "\x04\xd2\x16\x2f"), SAYS(1005, 5001, "\x04\xd2\x16\x30"), SAYS(1001, 5001, "\0\0\0\x08"),
        ANSWERS(5001, 1009, "N") }, V_UNKNOWN, R_COPIES },
    { "a part of what waits differs",
      { SAYS(1005, 5001, "\x04\xd2\x16\x2f"), SAYS(1001, 5001, "\0\0\0\x08\x04\xd3"), ANSWERS(5001, 1009, "N") },
      V_UNKNOWN, R_COPIES },
    { "a part of what waits is the same",
      { SAYS(1005, 5001, "\x04\xd2\x16\x2f"), SAYS(1001, 5001, "\0\0\0\x08\x04\xd2"), ANSWERS(5001, 1009, "N") },
      V_REFUSED, R_NONE },
    { "a question whether it is alive", { SAYS(1001, 5001, SSL_REQUEST), SAYS(1008, 5001, "\0"),
                                          ANSWERS(5001, 1009, "N") }, V_REFUSED, R_NONE },
};

static void note_last(void *of, const struct conn *conn)
{
    *(struct conn *)of = *conn;
}

static void copies_that_differ_are_not_believed(void **state)
{
    static const struct segment begin[] = {
        { 1, false, TCP_SYN, 1000, 0, NULL, 0 }, { 1, true, TCP_SYN | TCP_ACK, 5000, 1001, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(copies); i++) {
        struct conn conn = { 0 };
        const struct flows_spec spec = { .done = note_last, .of = &conn };
        PS_AUTO(flows_freep) struct flows *flows = flows_new(&spec);

        for (size_t j = 0; j < PS_COUNT(begin); j++)
            send(flows, &begin[j]);
        for (size_t j = 0; j < PS_COUNT(copies[i].segments) && copies[i].segments[j].text; j++)
            send(flows, &copies[i].segments[j]);
        flows_end(flows);
        if (conn.verdict != copies[i].verdict || conn.reason != copies[i].reason)
            fail_msg("%s: %s, %s", copies[i].name, verdict_word((enum verdict)conn.verdict),
                     reason_word((enum reason)conn.reason) ? reason_word((enum reason)conn.reason) : "-");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_connections_are_followed_and_no_more),
        cmocka_unit_test(ports_that_are_used_again_without_a_syn_begin_another_connection),
        cmocka_unit_test(a_syn_that_is_answered_again_is_one_connection),
        cmocka_unit_test(many_that_are_over_are_begun_again),
        cmocka_unit_test(copies_that_differ_are_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

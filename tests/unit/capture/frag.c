/* The promises of capture/frag.h: fragments in any order become the packet that was cut up, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pcap/dlt.h>

#include "base/mem.h"
#include "capture/frag.h"

enum { DATA = 200, FRAME_MAX = 2048 };

static uint8_t segment[20 + DATA];      /* a TCP segment; what is cut up */

struct doubts {
    size_t count;
    uint16_t sport, dport;
};

static void note_doubt(void *of, const struct packet *ends)
{
    struct doubts *doubts = of;

    *doubts = (struct doubts){ doubts->count + 1, ends->sport, ends->dport };
}

static void make_segment(void)
{
    static const uint8_t head[20] = { 0x9c, 0x40, 0x15, 0x38, 0, 0, 0, 42, 0, 0, 0, 7, 0x50, 0x18, 255, 255 };

    memcpy(segment, head, sizeof(head));
    for (size_t i = 0; i < DATA; i++)
        segment[20 + i] = (uint8_t)(i * 7 + 1);
}

struct cut {
    uint32_t at, len;
    bool more;
};

/* Ethernet with a VLAN tag, IPv4 with four bytes of options. */
static size_t make_v4(uint8_t id, const struct cut *cut, uint8_t *out)
{
    static const uint8_t link[18] = { [12] = 0x81, [15] = 5, [16] = 0x08 };
    uint8_t *ip = out + sizeof(link);
    const uint8_t head[24] = { 0x46, 0, (uint8_t)((24 + cut->len) >> 8), (uint8_t)(24 + cut->len), 0, id,
                               (uint8_t)((cut->more ? 0x20 : 0) | (cut->at / 8) >> 8), (uint8_t)(cut->at / 8),
                               64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 0 };

    memcpy(out, link, sizeof(link));
    memcpy(ip, head, sizeof(head));
    for (uint32_t i = 0; i < cut->len; i++)
        ip[24 + i] = cut->at + i < sizeof(segment) ? segment[cut->at + i] : 0;
    return sizeof(link) + 24 + cut->len;
}

/* IPv6 with hop-by-hop options before the fragment head, and an empty destination head behind it. */
static size_t make_v6(uint8_t id, const struct cut *cut, uint8_t *out)
{
    uint8_t *ip = out + 14;

    memset(out, 0, 14 + 56);
    out[12] = 0x86;
    out[13] = 0xDD;
    ip[0] = 0x60;
    ip[4] = (uint8_t)((16 + cut->len) >> 8);
    ip[5] = (uint8_t)(16 + cut->len);
    ip[8] = ip[24] = 0x20;
    ip[23] = 1;
    ip[39] = 2;
    ip[40] = 44;                /* behind the options: a fragment head */
    ip[48] = 6;
    ip[50] = (uint8_t)(cut->at >> 8);
    ip[51] = (uint8_t)((cut->at & 0xF8) | cut->more);
    ip[55] = id;
    for (uint32_t i = 0; i < cut->len; i++)
        ip[56 + i] = cut->at + i < sizeof(segment) ? segment[cut->at + i] : 0;
    return 14 + 56 + cut->len;
}

static const struct { const char *name; size_t (*make)(uint8_t id, const struct cut *cut, uint8_t *out); }
makers[] = { { "v4", make_v4 }, { "v6", make_v6 } };

static bool give(struct frags *frags, size_t maker, uint8_t id, struct cut cut, size_t missing, int64_t when_us,
                 struct frame *whole)
{
    PS_AUTO(ps_freep) uint8_t *bytes = ps_malloc(FRAME_MAX);
    size_t len = makers[maker].make(id, &cut, bytes);
    PS_AUTO(ps_freep) uint8_t *exact = ps_memdup(bytes, len - missing);
    const struct frame frame = { .when_us = when_us, .bytes = exact, .captured = len - missing, .len = len };

    return frags_take(frags, DLT_EN10MB, &frame, whole);
}

#define ALL { 0, 80, true }, { 80, 80, true }, { 160, 60, false }
static const struct {
    const char *name;
    struct cut cuts[8];
    size_t count;
    bool joined, doubted;
} rows[] = {
    { "in order", { ALL }, 3, true, false },
    { "backwards", { { 160, 60, false }, { 80, 80, true }, { 0, 80, true } }, 3, true, false },
    { "copies", { { 0, 80, true }, { 0, 80, true }, { 160, 60, false }, { 160, 60, false }, { 80, 80, true } }, 5,
      true, false },
    { "two", { { 0, 8, true }, { 8, 212, false } }, 2, true, false },
    { "one is missing", { { 0, 80, true }, { 160, 60, false } }, 2, false, false },
    { "the last is missing", { { 0, 80, true }, { 80, 80, true } }, 2, false, false },
    { "overlap at the end", { { 0, 80, true }, { 72, 88, true }, { 160, 60, false } }, 3, false, true },
    { "overlap at the beginning", { { 80, 80, true }, { 0, 88, true }, { 160, 60, false } }, 3, false, true },
    { "one inside another", { { 0, 160, true }, { 8, 8, true }, { 160, 60, false } }, 3, false, true },
    { "same place, shorter", { { 0, 80, true }, { 0, 72, true }, { 80, 80, true }, { 160, 60, false } }, 4, false,
      true },
    { "behind the last", { { 0, 80, true }, { 80, 80, false }, { 160, 60, true } }, 2, true, false },
    { "two ends", { { 0, 80, true }, { 160, 60, false }, { 80, 72, false } }, 3, false, true },
    { "last, and not last", { { 0, 80, true }, { 160, 56, false }, { 160, 56, true }, { 80, 80, true } }, 4, false,
      true },
    { "the beginning comes after the overlap", { { 80, 80, true }, { 88, 80, true }, { 0, 80, true } }, 3, false,
      true },
    { "no multiple of 8", { { 0, 81, true }, { 81, 139, false } }, 2, false, false },
    { "nothing in it", { { 0, 80, true }, { 80, 0, true }, { 80, 140, false } }, 3, true, false },
};

static size_t payload_of(const struct cut *cuts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!cuts[i].more)
            return cuts[i].at + cuts[i].len - 20;
    return 0;
}

static void check_whole(const struct frame *whole, bool v6, size_t payload, const char *name)
{
    struct packet packet;

    if (link_parse(DLT_RAW, whole->bytes, whole->captured, whole->len, &packet) != LINK_TCP)
        fail_msg("%s: no segment", name);
    assert_int_equal(packet.v6, v6);
    assert_int_equal(packet.sport, 40000);
    assert_int_equal(packet.dport, 5432);
    assert_int_equal(packet.seq, 42);
    assert_int_equal(packet.len, payload);
    assert_int_equal(packet.captured, payload);
    assert_memory_equal(packet.payload, segment + 20, payload);
}

static void fragments_become_the_packet_or_nothing(void **state)
{
    (void)state;
    make_segment();
    for (size_t maker = 0; maker < PS_COUNT(makers); maker++)
        for (size_t i = 0; i < PS_COUNT(rows); i++) {
            struct doubts doubts = { 0 };
            PS_AUTO(frags_freep) struct frags *frags = frags_new(note_doubt, &doubts);
            struct frame whole;
            bool joined = false;

            for (size_t k = 0; k < rows[i].count; k++) {
                if (!give(frags, maker, 1, rows[i].cuts[k], 0, (int64_t)k, &whole))
                    continue;
                joined = true;
                assert_int_equal(k, rows[i].count - 1);
                check_whole(&whole, maker == 1, payload_of(rows[i].cuts, rows[i].count), rows[i].name);
            }
            if (joined != rows[i].joined || (doubts.count > 0) != rows[i].doubted)
                fail_msg("%s, %s: joined %d, %zu doubts", makers[maker].name, rows[i].name, joined, doubts.count);
            if (doubts.count)
                assert_true(doubts.sport == 40000 && doubts.dport == 5432);
            frags_end(frags);
            assert_int_equal(frags_bytes(frags), 0);
        }
}

static void datagrams_are_kept_apart(void **state)
{
    struct doubts doubts = { 0 };
    PS_AUTO(frags_freep) struct frags *frags = frags_new(note_doubt, &doubts);
    static const struct cut cuts[] = { ALL };
    struct frame whole;

    (void)state;
    make_segment();
    for (size_t k = 0; k < 3; k++)
        for (uint8_t id = 1; id <= 20; id++)
            assert_int_equal(give(frags, id % 2, id, cuts[k], 0, 0, &whole), k == 2);
    assert_int_equal(frags_counts(frags)->joined, 20);
    /* copies that come late are no new datagram */
    assert_false(give(frags, 0, 2, cuts[2], 0, FRAG_COPIES_US / 2, &whole));
    frags_end(frags);
    assert_int_equal(frags_counts(frags)->incomplete, 0);
}

static void what_never_becomes_whole_is_given_up(void **state)
{
    struct doubts doubts = { 0 };
    PS_AUTO(frags_freep) struct frags *frags = frags_new(note_doubt, &doubts);
    static const struct cut cuts[] = { ALL };
    struct frame whole;

    (void)state;
    make_segment();
    assert_false(give(frags, 0, 1, cuts[0], 0, 0, &whole));
    assert_false(give(frags, 0, 1, cuts[1], 0, 0, &whole));
    assert_false(give(frags, 0, 1, cuts[2], 0, FRAG_TIMEOUT_US + 1, &whole));
    assert_int_equal(frags_counts(frags)->incomplete, 1);
    /* and a clock that was set back */
    assert_false(give(frags, 0, 1, cuts[0], 0, -2 * FRAG_TIMEOUT_US, &whole));
    assert_int_equal(frags_counts(frags)->incomplete, 2);
}

static void what_was_cut_when_captured_is_cut_in_the_whole(void **state)
{
    struct doubts doubts = { 0 };
    PS_AUTO(frags_freep) struct frags *frags = frags_new(note_doubt, &doubts);
    static const struct cut cuts[] = { ALL };
    struct packet packet;
    struct frame whole;

    (void)state;
    make_segment();
    assert_false(give(frags, 0, 1, cuts[0], 0, 0, &whole));
    assert_false(give(frags, 0, 1, cuts[1], 30, 0, &whole));
    assert_true(give(frags, 0, 1, cuts[2], 0, 0, &whole));
    assert_int_equal(link_parse(DLT_RAW, whole.bytes, whole.captured, whole.len, &packet), LINK_TCP);
    assert_int_equal(packet.len, DATA);
    assert_int_equal(packet.captured, 160 - 20 - 30);
}

static void memory_has_a_bound(void **state)
{
    struct doubts doubts = { 0 };
    PS_AUTO(frags_freep) struct frags *frags = frags_new(note_doubt, &doubts);
    struct frame whole;

    (void)state;
    make_segment();
    for (uint32_t i = 0; i < 20000; i++) {
        assert_false(give(frags, i % 2, (uint8_t)(i / 64), (struct cut){ i % 64 * 1024 + 8, 1024, true }, 0, i,
                          &whole));
        assert_true(frags_bytes(frags) <= FRAGS_BYTES_MAX);
    }
    assert_true(frags_counts(frags)->dropped > 0);

    /* and one datagram in crumbs */
    uint64_t dropped = frags_counts(frags)->dropped;
    for (uint32_t i = 0; i <= FRAG_PIECES_MAX; i++)
        assert_false(give(frags, 0, 255, (struct cut){ i * 16, 8, true }, 0, 40000, &whole));
    assert_true(frags_counts(frags)->dropped > dropped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_become_the_packet_or_nothing),
        cmocka_unit_test(datagrams_are_kept_apart),
        cmocka_unit_test(what_never_becomes_whole_is_given_up),
        cmocka_unit_test(what_was_cut_when_captured_is_cut_in_the_whole),
        cmocka_unit_test(memory_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promises of capture/capfile.h: packets of pcap and pcapng, whole or in pieces; nothing of what cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pcap/dlt.h>

#include "base/buf.h"
#include "capture/capfile.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* ---- pcap ---- */
#define PCAP(link) "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0" link
#define PCAP_BIG "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\1"
#define PCAP_NANO "\x4d\x3c\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0"
#define HELLO "\2\0\0\0\5\0\0\0\5\0\0\0\x09\0\0\0hello"     /* at 2.000005 s, 5 of 9 bytes */
#define HELLO_BIG "\0\0\0\2\0\0\0\5\0\0\0\5\0\0\0\x09hello"
#define HELLO_NANO "\2\0\0\0\x88\x13\0\0\5\0\0\0\x09\0\0\0hello"

/* ---- pcapng ---- */
#define SECTION "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" "\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0"
#define SECTION_BIG "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0" "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c"
#define ETHERNET "\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\4\0\x14\0\0\0"
#define ETHERNET_BIG "\0\0\0\1\0\0\0\x14\0\1\0\0\0\4\0\0\0\0\0\x14"
#define RAW "\1\0\0\0\x14\0\0\0\x65\0\0\0\0\0\4\0\x14\0\0\0"
/* if_tsresol, if_tsoffset */
#define WITH_TIMES(resolution, offset) "\1\0\0\0\x2c\0\0\0\1\0\0\0\0\0\4\0" "\x09\0\1\0" resolution "\0\0\0" \
    "\x0e\0\x08\0" offset "\0\0\0\0\0\0\0" "\0\0\0\0\x2c\0\0\0"
#define OF(number, low, captured) "\6\0\0\0\x28\0\0\0" number "\0\0\0\0\0\0\0" low captured "\0\0\0\x09\0\0\0" \
    "hello\0\0\0\x28\0\0\0"
#define NG_HELLO OF("\0", "\x85\x84\x1e\0", "\5")
#define NG_HELLO_BIG "\0\0\0\6\0\0\0\x28\0\0\0\0\0\0\0\0\0\x1e\x84\x85\0\0\0\5\0\0\0\x09hello\0\0\0\0\0\0\x28"
#define OLD_HELLO "\2\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0\x85\x84\x1e\0\5\0\0\0\x09\0\0\0hello\0\0\0\x28\0\0\0"
#define SIMPLE "\3\0\0\0\x18\0\0\0\x09\0\0\0hellowor\x18\0\0\0"
#define NAMES "\4\0\0\0\x10\0\0\0\0\0\0\0\x10\0\0\0"

struct seen {
    int packets;
    int64_t when_us;
    size_t captured, len;
    int link_type;
    bool hello;
};

static void note(void *of, int link_type, const struct frame *frame)
{
    struct seen *seen = of;

    seen->packets++;
    seen->when_us = frame->when_us;
    seen->captured = frame->captured;
    seen->len = frame->len;
    seen->link_type = link_type;
    seen->hello = frame->captured >= 5 && memcmp(frame->bytes, "hello", 5) == 0;
}

static const struct {
    const char *name;
    const uint8_t *bytes;
    size_t len;
    struct seen want;           /* the last packet, and how many */
} rows[] = {
    { "pcap", BYTES(PCAP("\1\0\0\0") HELLO HELLO), { 2, 2000005, 5, 9, DLT_EN10MB, true } },
    { "the other byte order", BYTES(PCAP_BIG HELLO_BIG), { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "nanoseconds", BYTES(PCAP_NANO HELLO_NANO), { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "raw IP has two numbers", BYTES(PCAP("\x65\0\0\0") HELLO), { 1, 2000005, 5, 9, DLT_RAW, true } },
    { "a checksum behind each", BYTES(PCAP("\1\0\0\x14") HELLO), { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "no packet", BYTES(PCAP("\1\0\0\0")), { 0 } },
    { "pcapng", BYTES(SECTION ETHERNET NG_HELLO NG_HELLO), { 2, 2000005, 5, 9, DLT_EN10MB, true } },
    { "pcapng of the other byte order", BYTES(SECTION_BIG ETHERNET_BIG NG_HELLO_BIG),
      { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "sections of both", BYTES(SECTION_BIG ETHERNET_BIG NG_HELLO_BIG SECTION ETHERNET NG_HELLO),
      { 2, 2000005, 5, 9, DLT_EN10MB, true } },
    { "other blocks", BYTES(SECTION NAMES ETHERNET NAMES NG_HELLO NAMES),
      { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "a packet of old", BYTES(SECTION ETHERNET OLD_HELLO), { 1, 2000005, 5, 9, DLT_EN10MB, true } },
    { "a simple one has the time of the last", BYTES(SECTION ETHERNET NG_HELLO SIMPLE),
      { 2, 2000005, 8, 9, DLT_EN10MB, true } },
    { "nanoseconds, an hour off", BYTES(SECTION WITH_TIMES("\x09", "\x3c") OF("\0", "\x88\x13\0\0", "\5")),
      { 1, 60000005, 5, 9, DLT_EN10MB, true } },
    { "halves of a second", BYTES(SECTION WITH_TIMES("\x81", "\0") OF("\0", "\5\0\0\0", "\5")),
      { 1, 2500000, 5, 9, DLT_EN10MB, true } },
    { "seconds", BYTES(SECTION WITH_TIMES("\0", "\0") OF("\0", "\5\0\0\0", "\5")),
      { 1, 5000000, 5, 9, DLT_EN10MB, true } },
    { "the second interface", BYTES(SECTION ETHERNET WITH_TIMES("\0", "\0") OF("\1", "\5\0\0\0", "\5")),
      { 1, 5000000, 5, 9, DLT_EN10MB, true } },
    { "the first of two link types", BYTES(SECTION ETHERNET RAW OF("\1", "\0\0\0\0", "\5") NG_HELLO),
      { 2, 2000005, 5, 9, DLT_EN10MB, true } },
    { "the second of two link types", BYTES(SECTION ETHERNET RAW NG_HELLO OF("\1", "\5\0\0\0", "\5")),
      { 2, 5, 5, 9, DLT_RAW, true } },
    { "another link type in the second section", BYTES(SECTION ETHERNET NG_HELLO SECTION RAW NG_HELLO),
      { 2, 2000005, 5, 9, DLT_RAW, true } },
};

static void packets_are_found_whole_and_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        for (size_t piece = 1; piece <= rows[i].len; piece++) {
            PS_AUTO(capfile_free) struct capfile file = { 0 };
            struct seen seen = { 0 };
            size_t from = 0;
            int count = 0;

            for (size_t until = piece; from < rows[i].len; until += piece) {
                until = until < rows[i].len ? until : rows[i].len;
                size_t n = capfile_feed(&file, rows[i].bytes + from, until - from, 100, note, &seen, &count);
                if (n == 0 && until == rows[i].len)
                    fail_msg("%s in pieces of %zu: stuck at %zu of %zu", rows[i].name, piece, from,
                             rows[i].len);
                from += n;
            }
            if (file.why || count != seen.packets || memcmp(&seen, &rows[i].want, sizeof(seen)) != 0)
                fail_msg("%s in pieces of %zu: %d packets, at %lld, %zu of %zu bytes, %s", rows[i].name,
                         piece, seen.packets, (long long)seen.when_us, seen.captured, seen.len,
                         file.why ? file.why : "no error");
            assert_true(capfile_is_whole(&file, 0));
        }
}

static void no_more_packets_are_taken_than_are_wanted(void **state)
{
    static const uint8_t bytes[] = PCAP("\1\0\0\0") HELLO HELLO HELLO;
    PS_AUTO(capfile_free) struct capfile file = { 0 };
    struct seen seen = { 0 };
    int count = 0;
    size_t at;

    (void)state;
    at = capfile_feed(&file, bytes, sizeof(bytes) - 1, 0, note, &seen, &count);
    assert_int_equal(at, 24);
    assert_int_equal(seen.packets, 0);
    assert_true(file.has_link_type);
    at += capfile_feed(&file, bytes + at, sizeof(bytes) - 1 - at, 2, note, &seen, &count);
    assert_int_equal(seen.packets, 2);
    assert_int_equal(count, 2);
    assert_false(capfile_is_whole(&file, sizeof(bytes) - 1 - at));
}

static const struct {
    const char *name;
    const uint8_t *bytes;
    size_t len;
} hostile[] = {
    { "a packet of 16 MB", BYTES(PCAP("\1\0\0\0") "\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1") },
    { "a block of four bytes", BYTES(SECTION "\4\0\0\0\4\0\0\0\0\0\0\0") },
    { "a block of an odd length", BYTES(SECTION "\4\0\0\0\x11\0\0\0\0\0\0\0") },
    { "an interface without room for itself", BYTES(SECTION "\1\0\0\0\x10\0\0\0\1\0\0\0\x10\0\0\0") },
    { "a packet longer than its block", BYTES(SECTION ETHERNET OF("\0", "\0\0\0\0", "\x09")) },
    { "a packet of no interface", BYTES(SECTION NG_HELLO) },
    { "a packet of another interface", BYTES(SECTION ETHERNET OF("\1", "\0\0\0\0", "\5")) },
    { "a simple packet of no interface", BYTES(SECTION SIMPLE) },
    { "interfaces end with their section", BYTES(SECTION ETHERNET SECTION NG_HELLO) },
    { "a section of version 2", BYTES("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\2\0\0\0") },
    { "ticks of 10^-19 seconds", BYTES(SECTION WITH_TIMES("\x13", "\0")) },
    { "ticks of 2^-63 seconds", BYTES(SECTION WITH_TIMES("\xbf", "\0")) },
};

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(hostile); i++) {
        PS_AUTO(capfile_free) struct capfile file = { 0 };
        struct seen seen = { 0 };
        int count = 0;

        (void)capfile_feed(&file, hostile[i].bytes, hostile[i].len, 100, note, &seen, &count);
        if (!file.why || seen.packets)
            fail_msg("%s was taken", hostile[i].name);
    }
}

static void other_formats_are_left_alone(void **state)
{
    static const uint8_t old[] = "\xd4\xc3\xb2\xa1\2\0\3\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0";
    static const uint8_t text[] = "no capture";

    (void)state;
    for (int i = 0; i < 2; i++) {
        PS_AUTO(capfile_free) struct capfile file = { 0 };
        int count = 0;

        assert_int_equal(capfile_feed(&file, i ? old : text, i ? sizeof(old) - 1 : sizeof(text) - 1, 100, NULL,
                                      NULL, &count), 0);
        assert_int_equal(file.format, CAPFILE_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_found_whole_and_in_pieces),
        cmocka_unit_test(no_more_packets_are_taken_than_are_wanted),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(other_formats_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

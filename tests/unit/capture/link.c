/* The promises of capture/link.h: one TCP segment under every head that tcpdump writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pcap/dlt.h>

#include "base/buf.h"
#include "capture/link.h"

#define TCP "\x9c\x40\x15\x38\x00\x00\x00\x2a\x00\x00\x00\x07\x50\x18\xff\xff\x00\x00\x00\x00"
#define DATA "hello"
#define IP4 "\x45\x00\x00\x2d\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02"
#define ADDR6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define IP6(len, next) "\x60\0\0\0\0" len next "\x40" ADDR6 ADDR6
#define MAC "\1\2\3\4\5\6\1\2\3\4\5\6"
#define TAG "\x81\0\0\1"
#define LABEL "\0\1\1\xff"
#define NO_END "\0\1\0\xff\0\1\0\xff\0\1\0\xff"
#define OUTER(protocol, len) "\x45\0\0" len "\0\1\x40\0\x40" protocol "\0\0\x0a\1\0\1\x0a\1\0\2"
#define PACKET(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const char *name;
    int type;
    const uint8_t *bytes;
    size_t len;
    enum link_kind want;
    bool v6;
} rows[] = {
    { "ethernet", DLT_EN10MB, PACKET(MAC "\x08\x00" IP4 TCP DATA), LINK_TCP, false },
    { "padding behind the packet", DLT_EN10MB, PACKET(MAC "\x08\x00" IP4 TCP DATA "\0\0\0\0"),
      LINK_TCP, false },
    { "vlan", DLT_EN10MB, PACKET(MAC "\x81\x00\x00\x05\x08\x00" IP4 TCP DATA), LINK_TCP, false },
    { "qinq", DLT_EN10MB, PACKET(MAC "\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00" IP4 TCP DATA),
      LINK_TCP, false },
    { "cooked", DLT_LINUX_SLL, PACKET("\0\0\3\4\0\6\0\0\0\0\0\0\0\0\x08\x00" IP4 TCP DATA), LINK_TCP,
      false },
    { "cooked v2", DLT_LINUX_SLL2,
      PACKET("\x08\x00\0\0\0\0\0\1\3\4\0\6\0\0\0\0\0\0\0\0" IP4 TCP DATA), LINK_TCP, false },
    { "loopback", DLT_NULL, PACKET("\2\0\0\0" IP4 TCP DATA), LINK_TCP, false },
    { "loopback of OpenBSD", DLT_LOOP, PACKET("\0\0\0\2" IP4 TCP DATA), LINK_TCP, false },
    { "raw", DLT_RAW, PACKET(IP4 TCP DATA), LINK_TCP, false },
    { "raw IPv6", DLT_RAW, PACKET(IP6("\x19", "\x06") TCP DATA), LINK_TCP, true },
    { "IPv6 with options", DLT_RAW, PACKET(IP6("\x21", "\x00") "\x06\0\0\0\0\0\0\0" TCP DATA),
      LINK_TCP, true },
    { "IPv6 fragment that is whole", DLT_RAW, PACKET(IP6("\x21", "\x2c") "\x06\0\0\0\0\0\0\1" TCP DATA),
      LINK_TCP, true },
    { "IPv6 fragment", DLT_RAW, PACKET(IP6("\x21", "\x2c") "\x06\0\0\1\0\0\0\1" TCP DATA),
      LINK_FRAGMENT, true },
    { "segmentation left to the card", DLT_RAW,
      PACKET("\x45\0\0\0\0\1\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2" TCP DATA), LINK_TCP, false },
    { "first fragment", DLT_RAW,
      PACKET("\x45\0\0\x2d\0\1\x20\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2" TCP DATA), LINK_FRAGMENT, false },
    { "udp", DLT_RAW, PACKET("\x45\0\0\x2d\0\1\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2" TCP DATA),
      LINK_OTHER, false },
    { "arp", DLT_EN10MB, PACKET(MAC "\x08\x06" IP4 TCP), LINK_OTHER, false },
    { "an IP head of four bytes", DLT_RAW,
      PACKET("\x41\0\0\x2d\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2" TCP DATA), LINK_BROKEN, false },
    { "nine tags", DLT_EN10MB, PACKET(MAC TAG TAG TAG TAG TAG TAG TAG TAG TAG "\x08\0" IP4), LINK_OTHER, false },
    { "PPPoE", DLT_EN10MB, PACKET(MAC "\x88\x64\x11\0\0\1\0\x2f\0\x21" IP4 TCP DATA), LINK_TCP, false },
    { "PPPoE in a VLAN, IPv6", DLT_EN10MB,
      PACKET(MAC TAG "\x88\x64\x11\0\0\1\0\x2f\0\x57" IP6("\x19", "\x06") TCP DATA), LINK_TCP, true },
    { "PPPoE with a short protocol", DLT_EN10MB, PACKET(MAC "\x88\x64\x11\0\0\1\0\x2e\x21" IP4 TCP DATA), LINK_TCP,
      false },
    { "LCP over PPPoE", DLT_EN10MB, PACKET(MAC "\x88\x64\x11\0\0\1\0\x0a\xc0\x21\1\1\0\4"), LINK_OTHER, false },
    { "discovery of PPPoE", DLT_EN10MB, PACKET(MAC "\x88\x63\x11\x09\0\0\0\0"), LINK_OTHER, false },
    { "PPP", DLT_PPP, PACKET("\xff\3\0\x21" IP4 TCP DATA), LINK_TCP, false },
    { "PPP without address", DLT_PPP_SERIAL, PACKET("\0\x21" IP4 TCP DATA), LINK_TCP, false },
    { "PPPoE without Ethernet", DLT_PPP_ETHER, PACKET("\x11\0\0\1\0\x2f\0\x21" IP4 TCP DATA), LINK_TCP, false },
    { "MPLS in PPP", DLT_PPP, PACKET("\xff\3\2\x81\0\1\1\xff" IP4 TCP DATA), LINK_TCP, false },
    { "HDLC", DLT_C_HDLC, PACKET("\x0f\0\x08\0" IP4 TCP DATA), LINK_TCP, false },
    { "MPLS", DLT_EN10MB, PACKET(MAC "\x88\x47" LABEL IP4 TCP DATA), LINK_TCP, false },
    { "MPLS with three labels, IPv6", DLT_EN10MB,
      PACKET(MAC "\x88\x48\0\1\0\xff\0\2\0\xff" LABEL IP6("\x19", "\x06") TCP DATA), LINK_TCP, true },
    { "labels without an end", DLT_EN10MB, PACKET(MAC "\x88\x47" NO_END NO_END NO_END), LINK_OTHER, false },
    { "IP in IP", DLT_RAW, PACKET(OUTER("\4", "\x41") IP4 TCP DATA), LINK_TCP, false },
    { "IPv6 in IP", DLT_RAW, PACKET(OUTER("\x29", "\x55") IP6("\x19", "\x06") TCP DATA), LINK_TCP, true },
    { "IP in IPv6", DLT_RAW, PACKET(IP6("\x2d", "\x04") IP4 TCP DATA), LINK_TCP, false },
    { "GRE", DLT_RAW, PACKET(OUTER("\x2f", "\x45") "\0\0\x08\0" IP4 TCP DATA), LINK_TCP, false },
    { "GRE with a key and numbers", DLT_RAW, PACKET(OUTER("\x2f", "\x4d") "\x30\0\x08\0\0\0\0\1\0\0\0\2" IP4 TCP DATA),
      LINK_TCP, false },
    { "GRE of PPTP", DLT_RAW, PACKET(OUTER("\x2f", "\x45") "\0\1\x08\0" IP4 TCP DATA), LINK_OTHER, false },
    { "Ethernet in GRE", DLT_RAW, PACKET(OUTER("\x2f", "\x53") "\0\0\x65\x58" MAC "\x08\0" IP4 TCP DATA), LINK_TCP,
      false },
    { "VXLAN", DLT_RAW, PACKET(OUTER("\x11", "\x5f") "\xc0\0\x12\xb5\0\x4b\0\0" "\x08\0\0\0\0\0\1\0" MAC "\x08\0"
                               IP4 TCP DATA), LINK_TCP, false },
    { "Geneve with an option", DLT_RAW, PACKET(OUTER("\x11", "\x63") "\xc0\0\x17\xc1\0\x4f\0\0" "\1\0\x65\x58\0\0\1\0"
                                               "\0\0\0\0" MAC "\x08\0" IP4 TCP DATA), LINK_TCP, false },
    { "five tunnels", DLT_RAW, PACKET(OUTER("\4", "\0") OUTER("\4", "\0") OUTER("\4", "\0") OUTER("\4", "\0")
                                      OUTER("\4", "\0") IP4 TCP DATA), LINK_OTHER, false },
    { "a part of a tunnel", DLT_RAW, PACKET("\x45\0\0\x41\0\1\x20\0\x40\4\0\0\x0a\0\0\1\x0a\0\0\2" IP4 TCP DATA),
      LINK_OTHER, false },
    { "a link type that is not known", DLT_IEEE802_11, PACKET(IP4 TCP DATA), LINK_UNKNOWN, false },
};

static void every_head_leads_to_the_segment(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct packet packet;
        enum link_kind kind = link_parse(rows[i].type, rows[i].bytes, rows[i].len, rows[i].len, &packet);

        if (kind != rows[i].want)
            fail_msg("%s: %d", rows[i].name, kind);
        if (kind != LINK_TCP)
            continue;
        assert_int_equal(packet.v6, rows[i].v6);
        assert_int_equal(packet.sport, 40000);
        assert_int_equal(packet.dport, 5432);
        assert_int_equal(packet.seq, 42);
        assert_int_equal(packet.ack, 7);
        assert_int_equal(packet.len, 5);
        assert_int_equal(packet.captured, 5);
        assert_memory_equal(packet.payload, DATA, 5);
    }
}

/* Cut anywhere, a packet is never read behind its end, and its length on the wire is still known. */
static void packets_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        for (size_t cut = 0; cut < rows[i].len; cut++) {
            uint8_t *bytes = malloc(cut ? cut : 1);
            struct packet packet;

            memcpy(bytes, rows[i].bytes, cut);
            enum link_kind kind = link_parse(rows[i].type, bytes, cut, rows[i].len, &packet);
            assert_true(kind != LINK_TCP || (packet.len == 5 && packet.captured <= 5));
            assert_true(kind == LINK_TCP || kind == LINK_CUT || kind == rows[i].want);
            free(bytes);
        }
}

/* Both have the type of what follows at their end; only that of Ethernet is looked at in one go. */
static void same_as_cooked(const uint8_t *cooked, size_t captured, size_t len)
{
    struct packet one = { 0 }, other = { 0 };
    enum link_kind kind = link_parse(DLT_EN10MB, cooked + 2, captured - 2, len - 2, &one);

    assert_int_equal(kind, link_parse(DLT_LINUX_SLL, cooked, captured, len, &other));
    if (kind == LINK_TCP)
        assert_memory_equal(&one, &other, sizeof(one));
}

/* Every byte of it wrong in every way, cut at every length, on the wire longer and shorter than in the file. */
static void a_plain_packet_is_read_as_head_by_head(void **state)
{
    static const struct { const uint8_t *bytes; size_t len; } plain[] = {
        { PACKET("\0\0" MAC "\x08\x00" IP4 TCP DATA) },
        { PACKET("\0\0" MAC "\x86\xdd" IP6("\x19", "\x06") TCP DATA) },
    };
    uint8_t bytes[100];

    (void)state;
    for (size_t i = 0; i < PS_COUNT(plain); i++)
        for (size_t at = 14; at < plain[i].len; at++)
            for (unsigned value = 0; value < 256; value++) {
                memcpy(bytes, plain[i].bytes, plain[i].len);
                bytes[at] = (uint8_t)value;
                same_as_cooked(bytes, plain[i].len, plain[i].len);
                same_as_cooked(bytes, at, plain[i].len);
                same_as_cooked(bytes, plain[i].len, at);
                same_as_cooked(bytes, plain[i].len, plain[i].len + 40);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_packet_is_read_as_head_by_head),
        cmocka_unit_test(every_head_leads_to_the_segment),
        cmocka_unit_test(packets_may_be_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* link.c - see link.h. */
#include "capture/link.h"

#include <pcap/dlt.h>

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86DD, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88A8,
       ETHER_QINQ_OLD = 0x9100, ETHER_PPPOE = 0x8864, ETHER_MPLS = 0x8847, ETHER_MPLS_MULTICAST = 0x8848,
       ETHER_BRIDGED = 0x6558 };
enum { ETHER_HEAD = 14 };
enum { PROTO_IPV4 = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_GRE = 47 };

/* What is left of the packet: `have` bytes in the file, `wire` on the wire. */
struct left {
    const uint8_t *p;
    size_t have, wire;
    struct fragment *fragment;  /* where a fragment is told of; NULL: nowhere */
    int tunnels;                /* that it is in */
};

static enum link_kind parse_ip(struct left *left, struct packet *out);
static enum link_kind parse_ethernet(struct left *left, struct packet *out);
static enum link_kind parse_ethertype(struct left *left, uint16_t type, struct packet *out);

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool skip(struct left *left, size_t bytes)
{
    if (bytes > left->have)
        return false;
    left->p += bytes;
    left->have -= bytes;
    left->wire -= bytes;
    return true;
}

/* What lies behind the length that a header gives is padding of the link. */
static void trim(struct left *left, size_t wire)
{
    if (wire < left->wire)
        left->wire = wire;
    if (left->have > left->wire)
        left->have = left->wire;
}

static enum link_kind parse_tcp(struct left *left, struct packet *out)
{
    const uint8_t *p = left->p;
    size_t head;

    if (left->have < 20)
        return LINK_CUT;
    head = (size_t)(p[12] >> 4) * 4;
    if (head < 20 || head > left->wire)
        return LINK_BROKEN;
    out->sport = u16(p);
    out->dport = u16(p + 2);
    out->seq = u32(p + 4);
    out->ack = u32(p + 8);
    out->flags = p[13];
    /* of a head that is cut, the payload's length is known all the same */
    out->len = (uint32_t)(left->wire - head);
    if (!skip(left, head)) {
        out->captured = 0;
        return LINK_TCP;
    }
    out->payload = left->p;
    out->captured = (uint32_t)left->have;
    return LINK_TCP;
}

/* ---- tunnels ---- */

/* A head, and for each of three flags a word of four bytes. */
static enum link_kind parse_gre(struct left *left, struct packet *out)
{
    enum { CHECKSUM = 0x80, KEY = 0x20, SEQUENCE = 0x10, ROUTING_OR_VERSION = 0x4007 };
    const uint8_t *p = left->p;
    size_t head;

    if (left->have < 4)
        return LINK_CUT;
    if (u16(p) & ROUTING_OR_VERSION)
        return LINK_OTHER;
    head = 4 + ((p[0] & CHECKSUM) ? 4u : 0) + ((p[0] & KEY) ? 4u : 0) + ((p[0] & SEQUENCE) ? 4u : 0);
    return skip(left, head) ? parse_ethertype(left, u16(p + 2), out) : LINK_CUT;
}

static enum link_kind parse_vxlan(struct left *left, struct packet *out)
{
    return skip(left, 8) ? parse_ethernet(left, out) : LINK_CUT;
}

static enum link_kind parse_geneve(struct left *left, struct packet *out)
{
    const uint8_t *p = left->p;

    if (left->have < 8)
        return LINK_CUT;
    return skip(left, 8 + (size_t)(p[0] & 0x3F) * 4) ? parse_ethertype(left, u16(p + 2), out) : LINK_CUT;
}

static enum link_kind parse_udp(struct left *left, struct packet *out)
{
    enum { VXLAN = 4789, GENEVE = 6081 };
    uint16_t port;

    if (left->have < 8)
        return LINK_CUT;
    port = u16(left->p + 2);
    (void)skip(left, 8);
    return port == VXLAN ? parse_vxlan(left, out) : port == GENEVE ? parse_geneve(left, out) : LINK_OTHER;
}

static enum link_kind parse_tunnel(struct left *left, uint8_t protocol, struct packet *out)
{
    static const struct {
        uint8_t protocol;
        enum link_kind (*parse)(struct left *left, struct packet *out);
    } tunnels[] = {
        { PROTO_IPV4, parse_ip }, { PROTO_IPV6, parse_ip }, { PROTO_GRE, parse_gre }, { PROTO_UDP, parse_udp },
    };

    for (size_t i = 0; i < PS_COUNT(tunnels); i++)
        if (tunnels[i].protocol == protocol)
            return ++left->tunnels > LINK_TUNNELS_MAX ? LINK_OTHER : tunnels[i].parse(left, out);
    return LINK_OTHER;
}

/* ---- IP ---- */

static enum link_kind fragment_v4(const struct left *left, size_t head, size_t total)
{
    const uint8_t *p = left->p;
    struct left rest = *left;

    if (left->fragment && total) {
        trim(&rest, total);
        if (!skip(&rest, head))
            return LINK_CUT;
        *left->fragment = (struct fragment){
            .more = u16(p + 6) & 0x2000, .next = p[9], .id = u16(p + 4),
            .at = (uint32_t)(u16(p + 6) & 0x1FFF) * 8, .len = (uint32_t)rest.wire,
            .captured = (uint32_t)rest.have, .src = p + 12, .dst = p + 16, .payload = rest.p, .ip = p };
    }
    return LINK_FRAGMENT;
}

static enum link_kind parse_ipv4(struct left *left, struct packet *out)
{
    const uint8_t *p = left->p;
    size_t head, total;

    if (left->have < 20)
        return LINK_CUT;
    head = (size_t)(p[0] & 15) * 4;
    total = u16(p + 2);
    if (p[0] >> 4 != 4 || head < 20 || (total && total < head))
        return LINK_BROKEN;
    if (u16(p + 6) & 0x3FFF)    /* more fragments, or an offset */
        return p[9] == PROTO_TCP ? fragment_v4(left, head, total) : LINK_OTHER;
    if (total)                  /* 0: the network card was to cut it (TSO) */
        trim(left, total);
    out->ip = p;
    out->v6 = false;
    out->src = p + 12;
    out->dst = p + 16;
    if (!skip(left, head))
        return LINK_CUT;
    return p[9] == PROTO_TCP ? parse_tcp(left, out) : parse_tunnel(left, p[9], out);
}

enum { V6_HOP = 0, V6_ROUTING = 43, V6_FRAGMENT = 44, V6_AH = 51, V6_OPTIONS = 60, V6_MOBILITY = 135,
       V6_HIP = 139, V6_SHIM = 140 };

static bool is_extension(uint8_t next)
{
    static const bool known[256] = { [V6_HOP] = true, [V6_ROUTING] = true, [V6_FRAGMENT] = true,
                                     [V6_AH] = true, [V6_OPTIONS] = true, [V6_MOBILITY] = true,
                                     [V6_HIP] = true, [V6_SHIM] = true };

    return known[next];
}

/* At the fragment head. */
static enum link_kind fragment_v6(const struct left *left, const uint8_t *ip, const uint8_t *next_at)
{
    const uint8_t *p = left->p;

    if (p[0] != PROTO_TCP && !is_extension(p[0]))
        return LINK_OTHER;
    if (left->fragment)
        *left->fragment = (struct fragment){
            .v6 = true, .more = p[3] & 1, .next = p[0], .id = u32(p + 4), .at = u16(p + 2) & 0xFFF8u,
            .len = (uint32_t)(left->wire - 8), .captured = (uint32_t)(left->have - 8), .src = ip + 8,
            .dst = ip + 24, .payload = p + 8, .ip = ip, .next_at = next_at };
    return LINK_FRAGMENT;
}

static enum link_kind parse_ipv6(struct left *left, struct packet *out)
{
    const uint8_t *ip = left->p, *next_at = ip + 6;
    uint8_t next;

    if (left->have < 40)
        return LINK_CUT;
    if (left->p[0] >> 4 != 6)
        return LINK_BROKEN;
    if (u16(left->p + 4))
        trim(left, 40 + (size_t)u16(left->p + 4));
    next = left->p[6];
    out->ip = ip;
    out->v6 = true;
    out->src = left->p + 8;
    out->dst = left->p + 24;
    if (!skip(left, 40))
        return LINK_CUT;
    for (int i = 0; is_extension(next); i++) {
        if (left->have < 8)
            return LINK_CUT;
        if (i == LINK_EXTENSIONS_MAX)
            return LINK_BROKEN;
        if (next == V6_FRAGMENT && (u16(left->p + 2) & 0xFFF9))
            return fragment_v6(left, ip, next_at);

        size_t len = next == V6_FRAGMENT ? 8 : next == V6_AH ? ((size_t)left->p[1] + 2) * 4
                                                             : ((size_t)left->p[1] + 1) * 8;
        next = left->p[0];
        next_at = left->p;
        if (!skip(left, len))
            return LINK_CUT;
    }
    return next == PROTO_TCP ? parse_tcp(left, out) : parse_tunnel(left, next, out);
}

static enum link_kind parse_ip(struct left *left, struct packet *out)
{
    if (left->have < 1)
        return LINK_CUT;
    switch (left->p[0] >> 4) {
    case 4:
        return parse_ipv4(left, out);
    case 6:
        return parse_ipv6(left, out);
    default:
        return LINK_OTHER;
    }
}

/* ---- links ---- */

/* The protocol has one byte if that one is odd; in front of it the address and control of HDLC may stand. */
static enum link_kind parse_ppp(struct left *left, struct packet *out)
{
    enum { PPP_IPV4 = 0x21, PPP_IPV6 = 0x57, PPP_MPLS = 0x281 };
    uint16_t protocol;

    if (left->have >= 2 && left->p[0] == 0xFF && left->p[1] == 3)
        (void)skip(left, 2);
    if (left->have < 2)
        return LINK_CUT;
    protocol = left->p[0] & 1 ? left->p[0] : u16(left->p);
    (void)skip(left, left->p[0] & 1 ? 1 : 2);
    if (protocol == PPP_MPLS)
        return parse_ethertype(left, ETHER_MPLS, out);
    return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? parse_ip(left, out) : LINK_OTHER;
}

static enum link_kind parse_pppoe(struct left *left, struct packet *out)
{
    return skip(left, 6) ? parse_ppp(left, out) : LINK_CUT;
}

/* Labels of four bytes, the last one marked; what follows it is not said. */
static enum link_kind parse_mpls(struct left *left, struct packet *out)
{
    for (int i = 0; i < LINK_TAGS_MAX; i++) {
        bool last;

        if (left->have < 4)
            return LINK_CUT;
        last = left->p[2] & 1;
        (void)skip(left, 4);
        if (last)
            return parse_ip(left, out);
    }
    return LINK_OTHER;
}

static enum link_kind parse_ethertype(struct left *left, uint16_t type, struct packet *out)
{
    for (int i = 0; type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD; i++) {
        if (i == LINK_TAGS_MAX)
            return LINK_OTHER;
        if (left->have < 4)
            return LINK_CUT;
        type = u16(left->p + 2);
        (void)skip(left, 4);
    }
    switch (type) {
    case ETHER_IPV4:
        return parse_ipv4(left, out);
    case ETHER_IPV6:
        return parse_ipv6(left, out);
    case ETHER_PPPOE:
        return parse_pppoe(left, out);
    case ETHER_MPLS:
    case ETHER_MPLS_MULTICAST:
        return parse_mpls(left, out);
    case ETHER_BRIDGED:
        return ++left->tunnels > LINK_TUNNELS_MAX ? LINK_OTHER : parse_ethernet(left, out);
    default:
        return LINK_OTHER;
    }
}

/* A head of `size` bytes with the EtherType at `at`. */
static enum link_kind parse_typed(struct left *left, size_t size, size_t at, struct packet *out)
{
    uint16_t type;

    if (left->have < size)
        return LINK_CUT;
    type = u16(left->p + at);
    (void)skip(left, size);
    return parse_ethertype(left, type, out);
}

static enum link_kind parse_ethernet(struct left *left, struct packet *out)
{
    return parse_typed(left, ETHER_HEAD, ETHER_HEAD - 2, out);
}

static enum link_kind parse_cooked(struct left *left, struct packet *out)
{
    return parse_typed(left, 16, 14, out);
}

static enum link_kind parse_cooked2(struct left *left, struct packet *out)
{
    return parse_typed(left, 20, 0, out);
}

static enum link_kind parse_hdlc(struct left *left, struct packet *out)
{
    return parse_typed(left, 4, 2, out);
}

/* Four bytes of an address family, whose number and order differ by system: the IP version decides. */
static enum link_kind parse_loopback(struct left *left, struct packet *out)
{
    return skip(left, 4) ? parse_ip(left, out) : LINK_CUT;
}

static const struct {
    int type;
    enum link_kind (*parse)(struct left *left, struct packet *out);
} types[] = {
    { DLT_EN10MB, parse_ethernet },  { DLT_LINUX_SLL, parse_cooked },
    { DLT_LINUX_SLL2, parse_cooked2 }, { DLT_NULL, parse_loopback },
    { DLT_LOOP, parse_loopback },    { DLT_RAW, parse_ip },
    { DLT_IPV4, parse_ip },          { DLT_IPV6, parse_ip },
    { DLT_PPP, parse_ppp },          { DLT_PPP_SERIAL, parse_ppp },
    { DLT_PPP_ETHER, parse_pppoe },  { DLT_C_HDLC, parse_hdlc },
};

bool link_type_known(int link_type)
{
    for (size_t i = 0; i < PS_COUNT(types); i++)
        if (types[i].type == link_type)
            return true;
    return false;
}

static enum link_kind parse(int link_type, struct left *left, struct packet *out)
{
    *out = (struct packet){ 0 };
    for (size_t i = 0; i < PS_COUNT(types); i++)
        if (types[i].type == link_type)
            return types[i].parse(left, out);
    return LINK_UNKNOWN;
}

/*
 * What nearly every packet is: Ethernet, IP without options or extensions, TCP, and all of it there.  False: it
 * has to be looked at head by head, which takes three times as long and comes to the same.
 */
static bool parse_plain(const uint8_t *p, size_t captured, struct packet *out)
{
    enum { V4_HEAD = 20, V6_HEAD = 40, TCP_HEAD = 20 };
    const uint8_t *ip = p + ETHER_HEAD;
    size_t ip_head, ip_len, head;
    bool v6;

    if (captured < ETHER_HEAD + V4_HEAD + TCP_HEAD)
        return false;
    v6 = u16(ip - 2) == ETHER_IPV6;
    ip_head = v6 ? V6_HEAD : V4_HEAD;
    ip_len = v6 ? (size_t)V6_HEAD + u16(ip + 4) : u16(ip + 2);
    if (v6 ? ip[0] >> 4 != 6 || ip[6] != PROTO_TCP
           : u16(ip - 2) != ETHER_IPV4 || ip[0] != 0x45 || ip[9] != PROTO_TCP || (u16(ip + 6) & 0x3FFF))
        return false;
    if (ip_len < ip_head + TCP_HEAD || ip_len > captured - ETHER_HEAD)
        return false;

    const uint8_t *tcp = ip + ip_head;
    head = (size_t)(tcp[12] >> 4) * 4;
    if (head < TCP_HEAD || head > ip_len - ip_head)
        return false;
    *out = (struct packet){
        .v6 = v6, .flags = tcp[13], .sport = u16(tcp), .dport = u16(tcp + 2), .ip = ip,
        .src = ip + (v6 ? 8 : 12), .dst = ip + (v6 ? 24 : 16), .seq = u32(tcp + 4), .ack = u32(tcp + 8),
        .payload = tcp + head,
    };
    out->len = out->captured = (uint32_t)(ip_len - ip_head - head);
    return true;
}

static enum link_kind parse_heads(int link_type, const uint8_t *p, size_t captured, size_t len, struct packet *out)
{
    struct left left = { p, captured < len ? captured : len, len, NULL, 0 };

    return parse(link_type, &left, out);
}

enum link_kind link_parse(int link_type, const uint8_t *p, size_t captured, size_t len,
                          struct packet *out)
{
    return link_type == DLT_EN10MB && captured <= len && parse_plain(p, captured, out)
        ? LINK_TCP : parse_heads(link_type, p, captured, len, out);
}

bool link_fragment(int link_type, const uint8_t *p, size_t captured, size_t len, struct fragment *out)
{
    struct left left = { p, captured < len ? captured : len, len, out, 0 };
    struct packet ignored;

    *out = (struct fragment){ 0 };
    return parse(link_type, &left, &ignored) == LINK_FRAGMENT && out->payload;
}

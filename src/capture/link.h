/*
 * link.h - from the bytes of one captured packet to its TCP segment: no state, no I/O.
 *
 * Every link type that tcpdump writes on Linux and on routers: Ethernet with VLAN tags, MPLS labels (LINK_TAGS_MAX
 * in all) and PPPoE, cooked v1 and v2 (-i any), PPP, Cisco HDLC, loopback, raw IP.  Under it IPv4 and IPv6 with
 * extension headers, and in these LINK_TUNNELS_MAX tunnels, one in the other: IP in IP, GRE, VXLAN, Geneve, as
 * clouds mirror the packets of their machines.
 * What is a fragment of an IP datagram is told by link_fragment(), for frag.h to put together.
 * Sources: RFC 791, 8200, 9293; IEEE 802.1Q; tcpdump.org, "Link-layer header types"; RFC 2516 (PPPoE), 1661 and
 * 1662 (PPP), 3032 (MPLS), 2784 and 2890 (GRE), 7348 (VXLAN), 8926 (Geneve).
 */
#ifndef CAPTURE_LINK_H
#define CAPTURE_LINK_H

#include "base/defs.h"

enum { LINK_TAGS_MAX = 8, LINK_TUNNELS_MAX = 4, LINK_EXTENSIONS_MAX = 16 };

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet {
    bool v6;
    uint8_t flags;              /* TCP_* */
    uint16_t sport, dport;
    const uint8_t *ip;          /* its IP head, of the innermost tunnel */
    const uint8_t *src, *dst;   /* 4 or 16 bytes, into the packet */
    uint32_t seq, ack;
    const uint8_t *payload;
    uint32_t len;               /* of the payload on the wire */
    uint32_t captured;          /* of it, what is in the file: less when packets are cut (snaplen) */
};

enum link_kind { LINK_TCP, LINK_OTHER, LINK_FRAGMENT,
                 LINK_CUT,          /* not even the headers are all there */
                 LINK_BROKEN,       /* headers that contradict themselves */
                 LINK_UNKNOWN,      /* not link_type_known() */
                 LINK_KINDS };

bool link_type_known(int link_type);    /* a DLT_ number of libpcap */

/* `len` is the packet's length on the wire, `captured` what is there of it. */
enum link_kind link_parse(int link_type, const uint8_t *p, size_t captured, size_t len,
                          struct packet *out);

/* A part of an IP datagram.  Pointers are into the packet. */
struct fragment {
    bool v6, more;              /* more: it is not the last one */
    uint8_t next;               /* protocol of the datagram; IPv6: of what stands behind this head */
    uint32_t id, at;            /* at: where its bytes belong */
    uint32_t len, captured;
    const uint8_t *src, *dst, *payload;
    const uint8_t *ip;          /* the IP head */
    const uint8_t *next_at;     /* IPv6: the byte that says that a fragment head follows */
};

/* Of a packet that is LINK_FRAGMENT. */
bool link_fragment(int link_type, const uint8_t *p, size_t captured, size_t len,
                   struct fragment *out);

#endif

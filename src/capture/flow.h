/*
 * flow.h - all connections of a capture: packets in, one `struct conn` out for each that ends.
 *
 * Bounds: FLOWS_MAX connections at a time, each of less than 1 KB; bytes that wait for a hole
 * (stream.h), undecided bytes and handshakes (FLOWS_PARTS_MAX) and packets that are kept for writing
 * (FLOWS_KEPT_MAX) come out of pools of a fixed size.  Over a bound a quiet connection is ended as it is,
 * or what it would need is not kept, and it is counted.
 *
 * Time is that of the packets.  A connection that is over stays for FLOW_LINGER_US, for what comes late.
 */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include "capture/conn.h"
#include "capture/frame.h"
#include "capture/stream.h"

enum { FLOWS_MAX = 1000000, FLOWS_PARTS_MAX = 16 << 20, FLOWS_KEPT_MAX = 8 << 20,
       FLOW_KEPT_MAX = 64 * 1024 };     /* bytes of packets kept of one connection */
#define FLOW_LINGER_US 2000000

struct frag_counts {            /* see frag.h; of datagrams, and fragments that are broken */
    uint64_t joined;
    uint64_t incomplete;        /* given up: a fragment never came */
    uint64_t dropped;           /* over a bound */
    uint64_t overlapping, broken;
};

struct flow_counts {
    uint64_t packets;
    uint64_t kinds[8];          /* by enum link_kind */
    int unknown_link;           /* the link type of the last packet that is LINK_UNKNOWN */
    uint64_t tcp_bytes;         /* of payload, as captured on the wire */
    uint64_t other_ports;       /* segments of ports that were not asked for */
    uint64_t connections;
    uint64_t evicted;           /* connections ended because FLOWS_MAX was reached */
    uint64_t parts_refused;     /* not followed, because too many were beginning at a time */
    uint64_t early_refused;     /* segments that came too early to be kept */
    uint64_t cut_packets;       /* segments of which bytes are missing (snaplen) */
    uint64_t kept_refused;      /* packets that --write could not keep */
    struct frag_counts frags;
    uint64_t most_open;
};

struct flows_spec {
    const uint16_t *ports;      /* only these, of either side; count 0: all */
    size_t ports_count;
    bool want_samples;
    struct cert_shelf *shelf;
    void (*done)(void *of, const struct conn *conn);
    /* A packet of a suspicious connection is to be written; NULL: none is kept. */
    frame_fn write;
    void *of;
};

struct flows;
struct flows *flows_new(const struct flows_spec *spec);
void flows_free(struct flows *flows);           /* without ending what is open */
PS_DEFINE_FREEP(struct flows, flows_free)

void flows_packet(struct flows *flows, int link_type, const struct frame *frame);
void flows_end(struct flows *flows);            /* the capture is over: every connection is reported */
const struct flow_counts *flows_counts(const struct flows *flows);
size_t flows_open(const struct flows *flows);

/* Count by verdict so far, of connections that are over; for the person who watches. */
const uint64_t *flows_verdicts(const struct flows *flows);

#endif

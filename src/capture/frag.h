/*
 * frag.h - IP datagrams that came in fragments, put together again: fragments in, whole packets out.
 *
 * Every fragment of a TCP segment of IPv4 or IPv6, in any order.  A copy of a fragment changes nothing; fragments
 * that overlap in any other way are never put together, for the receiver's choice between them is not ours to
 * guess (RFC 5722 and 8200 4.5 forbid them): the connection is named to `doubt`, once for each of its first
 * fragments.  Of a fragment that was cut when it was captured, what follows it is as if it were cut too.
 *
 * Bounds: FRAGS_MAX datagrams at a time, FRAG_PIECES_MAX fragments of one, FRAGS_BYTES_MAX in all; over a bound
 * the oldest datagram is dropped.  Time is that of the packets: after FRAG_TIMEOUT_US a datagram is given up.
 * Sources: RFC 791 3.2, RFC 815, RFC 8200 4.5.
 */
#ifndef CAPTURE_FRAG_H
#define CAPTURE_FRAG_H

#include "capture/flow.h"

enum { FRAGS_MAX = 256, FRAG_PIECES_MAX = 256, FRAGS_BYTES_MAX = 2 << 20 };
#define FRAG_TIMEOUT_US 30000000
#define FRAG_COPIES_US 50000    /* of a datagram that is whole, copies may still come for so long */

struct frags;
struct frags *frags_new(void (*doubt)(void *of, const struct packet *ends), void *of);
void frags_free(struct frags *frags);
PS_DEFINE_FREEP(struct frags, frags_free)

/*
 * A frame of which link_parse said LINK_FRAGMENT.  True: *whole is the packet as it would have come in one
 * piece, from its IP head on (DLT_RAW), until the next call.
 */
bool frags_take(struct frags *frags, int link_type, const struct frame *frame, struct frame *whole);

/* No packet will follow: what waits is counted as incomplete. */
void frags_end(struct frags *frags);

const struct frag_counts *frags_counts(const struct frags *frags);
size_t frags_bytes(const struct frags *frags);      /* that wait now */

#endif

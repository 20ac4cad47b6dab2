/* frame.h - one packet, with its link-layer head, as it was captured. */
#ifndef CAPTURE_FRAME_H
#define CAPTURE_FRAME_H

#include "base/defs.h"

struct frame {
    int64_t when_us;            /* since 1970 */
    const uint8_t *bytes;
    size_t captured, len;       /* bytes that are there; on the wire, which is more when packets are cut */
};

/* Who takes packets.  `link_type` is a DLT_ number of libpcap; the frame is there until it returns. */
typedef void (*frame_fn)(void *of, int link_type, const struct frame *frame);

#endif

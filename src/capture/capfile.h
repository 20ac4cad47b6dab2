/*
 * capfile.h - packets out of the bytes of a capture file, pcap 2.4 or pcapng, of either byte order.
 *
 * Bytes are fed in pieces; each begins where the one before was left.  Nothing is copied: frames point into
 * the piece.  Bounds: a packet has at most CAPFILE_PACKET_MAX bytes, a file at most CAPFILE_INTERFACES_MAX
 * interfaces at a time, each of a link type of its own; whoever feeds pieces of CAPFILE_PIECE_MAX bytes gets on
 * with each of them.
 * libpcap understands more formats, but hands packets over one by one, each copied on its way: twice as
 * slow as the reading itself.
 * Sources: IETF drafts draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 */
#ifndef CAPTURE_CAPFILE_H
#define CAPTURE_CAPFILE_H

#include "capture/frame.h"

enum { CAPFILE_PACKET_MAX = 262144, CAPFILE_PIECE_MAX = CAPFILE_PACKET_MAX + 64,
       CAPFILE_INTERFACES_MAX = 1024 };

struct capfile {                /* begin with zeroes */
    enum { CAPFILE_FRESH, CAPFILE_PCAP, CAPFILE_PCAPNG,
           CAPFILE_FOREIGN      /* neither of them: nothing was taken */
    } format;
    const char *why;            /* what is wrong with the file, to be translated; NULL: nothing */
    bool has_link_type;
    int link_type;              /* a DLT_ number of libpcap; of several interfaces that of the first known here */
    bool swapped, nano;
    uint64_t skip;              /* bytes that are of no interest */
    int64_t last_us;
    struct capfile_interface *interfaces;
    size_t interfaces_len, interfaces_cap;
};

/*
 * Takes bytes up to and with `most` packets, and adds to *count how many there were; with 0 it goes on to the
 * first packet.  Returns how many bytes it took: the rest is to be fed again, with more behind it.
 */
size_t capfile_feed(struct capfile *file, const uint8_t *p, size_t len, int most, frame_fn to, void *of,
                    int *count);

/* Between two packets: where the bytes end here, nothing was cut off. */
bool capfile_is_whole(const struct capfile *file, size_t left);

void capfile_free(struct capfile *file);        /* for PS_AUTO */

#endif

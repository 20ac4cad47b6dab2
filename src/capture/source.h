/*
 * source.h - packets from files and interfaces.
 *
 * Files are pcap or pcapng, read here (capfile.h), or one of the older formats that libpcap knows, which cannot
 * be read from a pipe; "-" is standard input.  Live needs CAP_NET_RAW while it is opened, and nothing
 * afterwards.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "base/err.h"
#include "capture/frame.h"

struct source;
void source_close(struct source *source);
PS_DEFINE_FREEP(struct source, source_close)

/* PS_E_NOT_FOUND, PS_E_SYNTAX (no capture), PS_E_UNSUPPORTED (a link type that is not known here). */
PS_MUST bool source_open_file(const char *path, struct source **out, struct ps_err *err);

struct live_spec {
    const char *interface;      /* "any" for all */
    const uint16_t *ports;      /* count 0: all */
    size_t ports_count;
    bool held;                  /* nothing is seen until source_go */
    int wait_ms;                /* the kernel hands a packet over after at most so long */
};

/* Everything TCP of an interface, or only these ports.  PS_E_NOT_FOUND when there is none of that name;
 * PS_E_IO, without the privilege with a hint how it is granted. */
PS_MUST bool source_open_live(const struct live_spec *spec, struct source **out, struct ps_err *err);

/* What was held begins, for whoever else has the descriptor too. */
PS_MUST bool source_go(struct source *source, const struct live_spec *spec, struct ps_err *err);

int source_link_type(const struct source *source);     /* of several that of the first known (capfile.h) */
const char *source_link_name(int link_type);            /* as tcpdump calls it; NULL: it has no name */
int source_fd(const struct source *source);         /* of a live one, for poll(2) */

/*
 * At most `count` packets; live returns at once when there are none.  The number of packets, 0 at the end of
 * a file; -1: *err says why.  A file that ends in the middle of a packet just ends; *cut_short is set.
 */
int source_read(struct source *source, int count, frame_fn to, void *of, bool *cut_short,
                struct ps_err *err);

/* Packets that the kernel and the network card dropped, so far. */
void source_drops(const struct source *source, uint64_t *kernel, uint64_t *interface);

#endif

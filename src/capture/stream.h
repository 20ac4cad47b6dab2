/*
 * stream.h - one direction of a TCP connection: its bytes in order, each once, and the holes in it.
 *
 * Segments come in any order; what is early waits, within the bounds below, until the hole before it is
 * filled, or until it is clear that it never will be: the receiver has acknowledged what we never saw, the
 * bound is reached, or the connection is over.  Of bytes that come twice the copy counts that could be
 * delivered first; a copy is compared with what waits, and whoever was given the others compares those.
 */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include "capture/link.h"

enum { STREAM_EARLY_MAX = 256 * 1024,       /* bytes that wait, in one direction of one connection */
       STREAM_EARLY_COUNT_MAX = 256 };      /* and segments */
#define STREAM_POOL_MAX ((size_t)12 << 20)  /* bytes that wait, in all connections together */

struct stream_pool {            /* shared by all streams */
    size_t bytes;
    uint64_t refused;           /* segments that found no room: they became holes */
};

struct stream {
    struct segment *early;      /* by sequence number, rising */
    uint32_t next;              /* sequence number of the next byte */
    uint32_t start;             /* of the first byte */
    uint32_t early_bytes;
    uint16_t early_count;
    bool known;                 /* next and start are */
    bool was_acked;
    uint32_t acked;             /* the other side has everything before it, when was_acked */
    bool differs;               /* copies of the same bytes did, while one of them waited */
    bool strange;               /* bytes came that have no place in it: before the first, or beyond any window */
    bool fin;
    uint32_t fin_at;            /* sequence number behind the last byte, when fin */
    uint64_t bytes;             /* of payload on the wire, each once */
    uint64_t lost;              /* of these, not in the capture */
};

/* A run of bytes in order.  Without p: so many are missing. */
struct piece {
    const uint8_t *p;
    uint64_t len;
    uint32_t ack;               /* of the segment that brought it */
    bool has_ack;
};
typedef void (*stream_fn)(void *of, const struct piece *piece);

void stream_free(struct stream *stream, struct stream_pool *pool);

/* Where the first byte stands, from a SYN or from the other side's acknowledgement. */
void stream_begin(struct stream *stream, uint32_t seq);

/* A segment.  With a NULL `to` nobody wants the bytes any more: they are counted only. */
void stream_take(struct stream *stream, struct stream_pool *pool, const struct packet *packet,
                 stream_fn to, void *of);

/* What waits behind a hole that ends before `ack` is delivered. */
void stream_skip_to(struct stream *stream, struct stream_pool *pool, uint32_t ack, stream_fn to, void *of);

/*
 * The other side has everything before `ack`: a hole before it stays, once something came behind it.  Here,
 * for nearly every packet acknowledges, and next to none leaves a hole.
 */
static inline void stream_acked(struct stream *stream, struct stream_pool *pool, uint32_t ack, stream_fn to,
                                void *of)
{
    if (!stream->was_acked || (int32_t)(ack - stream->acked) > 0)
        stream->acked = ack;
    stream->was_acked = true;
    if (stream->early)
        stream_skip_to(stream, pool, ack, to, of);
}

/* The holes that are known of stay: what waits is delivered now. */
void stream_hurry(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of);

/* Nothing more will come: what waits is delivered, and every hole that is known of. */
void stream_end(struct stream *stream, struct stream_pool *pool, stream_fn to, void *of);

#endif

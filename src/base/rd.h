/*
 * rd.h - read bytes that a stranger wrote, never past the end.
 *
 * Every reader checks the length before it looks; after the first failure `bad` stays true, nothing
 * moves any more and every further read fails, so a parser may read a row of fields and look once.
 * Integers are big-endian, as in TLS (RFC 8446 3.1) and in PostgreSQL's protocol.
 */
#ifndef PS_RD_H
#define PS_RD_H

#include "base/defs.h"

struct rd {
    const uint8_t *p;
    size_t len, pos;
    bool bad;
};

struct span {       /* bytes inside somebody else's buffer */
    const uint8_t *p;
    size_t len;
};

static inline struct rd rd_over(const void *p, size_t len)
{
    return (struct rd){ .p = p, .len = len };
}

static inline size_t rd_left(const struct rd *rd)
{
    return rd->bad ? 0 : rd->len - rd->pos;
}

/* Here, for a hello of TLS has a hundred fields, and a capture thousands of hellos. */
static inline bool rd_bytes(struct rd *rd, size_t len, struct span *out)
{
    if (rd->bad || len > rd->len - rd->pos) {
        rd->bad = true;
        return false;
    }
    *out = (struct span){ .p = rd->p + rd->pos, .len = len };
    rd->pos += len;
    return true;
}

static inline bool rd_u8(struct rd *rd, uint8_t *out)
{
    struct span span;

    if (!rd_bytes(rd, 1, &span))
        return false;
    *out = span.p[0];
    return true;
}

static inline bool rd_u16(struct rd *rd, uint16_t *out)
{
    struct span span;

    if (!rd_bytes(rd, 2, &span))
        return false;
    *out = (uint16_t)(span.p[0] << 8 | span.p[1]);
    return true;
}

static inline bool rd_u24(struct rd *rd, uint32_t *out)
{
    struct span span;

    if (!rd_bytes(rd, 3, &span))
        return false;
    *out = (uint32_t)span.p[0] << 16 | (uint32_t)span.p[1] << 8 | span.p[2];
    return true;
}

static inline bool rd_u32(struct rd *rd, uint32_t *out)
{
    struct span span;

    if (!rd_bytes(rd, 4, &span))
        return false;
    *out = (uint32_t)span.p[0] << 24 | (uint32_t)span.p[1] << 16 | (uint32_t)span.p[2] << 8 | span.p[3];
    return true;
}

/* Of a vector the bytes, whose length was read. */
static inline bool rd_body(struct rd *rd, size_t len, size_t min, size_t max, struct span *out)
{
    rd->bad |= len < min || len > max;
    return rd_bytes(rd, len, out);
}

/* A vector with a length of 1, 2 or 3 bytes before it, of min to max bytes: opaque x<min..max>. */
static inline bool rd_vec8(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint8_t len;

    return rd_u8(rd, &len) && rd_body(rd, len, min, max, out);
}

static inline bool rd_vec16(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint16_t len;

    return rd_u16(rd, &len) && rd_body(rd, len, min, max, out);
}

static inline bool rd_vec24(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint32_t len;

    return rd_u24(rd, &len) && rd_body(rd, len, min, max, out);
}

/* A string ending with NUL inside the bytes; *out points at it. */
bool rd_cstr(struct rd *rd, const char **out);

#endif

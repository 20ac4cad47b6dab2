/* rd.c - see rd.h. */
#include "base/rd.h"

static bool fail(struct rd *rd)
{
    rd->bad = true;
    return false;
}

/* A vector's bytes, whose length was read. */
static bool rd_body(struct rd *rd, size_t len, size_t min, size_t max, struct span *out)
{
    return len >= min && len <= max ? rd_bytes(rd, len, out) : fail(rd);
}

bool rd_vec8(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint8_t len;

    return rd_u8(rd, &len) && rd_body(rd, len, min, max, out);
}

bool rd_vec16(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint16_t len;

    return rd_u16(rd, &len) && rd_body(rd, len, min, max, out);
}

bool rd_vec24(struct rd *rd, size_t min, size_t max, struct span *out)
{
    uint32_t len;

    return rd_u24(rd, &len) && rd_body(rd, len, min, max, out);
}

bool rd_cstr(struct rd *rd, const char **out)
{
    const uint8_t *end = rd_left(rd) ? memchr(rd->p + rd->pos, 0, rd_left(rd)) : NULL;

    if (!end)
        return fail(rd);
    *out = (const char *)rd->p + rd->pos;
    rd->pos = (size_t)(end - rd->p) + 1;
    return true;
}

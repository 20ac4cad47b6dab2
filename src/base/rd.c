/* rd.c - see rd.h. */
#include "base/rd.h"

static bool fail(struct rd *rd)
{
    rd->bad = true;
    return false;
}

bool rd_bytes(struct rd *rd, size_t len, struct span *out)
{
    if (len > rd_left(rd) || rd->bad)
        return fail(rd);
    *out = (struct span){ .p = rd->p + rd->pos, .len = len };
    rd->pos += len;
    return true;
}

static bool rd_uint(struct rd *rd, size_t bytes, uint32_t *out)
{
    struct span span;
    uint32_t value = 0;

    if (!rd_bytes(rd, bytes, &span))
        return false;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | span.p[i];
    *out = value;
    return true;
}

bool rd_u8(struct rd *rd, uint8_t *out)
{
    uint32_t value;

    if (!rd_uint(rd, 1, &value))
        return false;
    *out = (uint8_t)value;
    return true;
}

bool rd_u16(struct rd *rd, uint16_t *out)
{
    uint32_t value;

    if (!rd_uint(rd, 2, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

bool rd_u24(struct rd *rd, uint32_t *out)
{
    return rd_uint(rd, 3, out);
}

bool rd_u32(struct rd *rd, uint32_t *out)
{
    return rd_uint(rd, 4, out);
}

static bool rd_vec(struct rd *rd, size_t len_bytes, size_t min, size_t max, struct span *out)
{
    uint32_t len;

    if (!rd_uint(rd, len_bytes, &len))
        return false;
    if (len < min || len > max)
        return fail(rd);
    return rd_bytes(rd, len, out);
}

bool rd_vec8(struct rd *rd, size_t min, size_t max, struct span *out)
{
    return rd_vec(rd, 1, min, max, out);
}

bool rd_vec16(struct rd *rd, size_t min, size_t max, struct span *out)
{
    return rd_vec(rd, 2, min, max, out);
}

bool rd_vec24(struct rd *rd, size_t min, size_t max, struct span *out)
{
    return rd_vec(rd, 3, min, max, out);
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

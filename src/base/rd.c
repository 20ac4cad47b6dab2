/* rd.c - see rd.h. */
#include "base/rd.h"

bool rd_cstr(struct rd *rd, const char **out)
{
    const uint8_t *end = rd_left(rd) ? memchr(rd->p + rd->pos, 0, rd_left(rd)) : NULL;

    if (!end) {
        rd->bad = true;
        return false;
    }
    *out = (const char *)rd->p + rd->pos;
    rd->pos = (size_t)(end - rd->p) + 1;
    return true;
}

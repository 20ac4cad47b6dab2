/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>

#include "base/mem.h"

void buf_free(struct buf *buf)
{
    free(buf->p);
    *buf = BUF(buf->max);
}

void buf_wipe(struct buf *buf)
{
    if (buf->p)
        explicit_bzero(buf->p, buf->cap);
    buf_free(buf);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->over = false;
    if (buf->p)
        buf->p[0] = '\0';
}

bool buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (buf->over || len > buf->max - buf->len) {
        buf->over = true;
        return false;
    }
    buf->p = ps_grow(buf->p, buf->len + len + 1, &buf->cap, 1);
    if (len)
        memcpy(buf->p + buf->len, bytes, len);
    buf->len += len;
    buf->p[buf->len] = '\0';
    return !buf->drain || buf->len < BUF_DRAIN_BYTES || buf_drain(buf);
}

bool buf_drain(struct buf *buf)
{
    if (buf->over)
        return false;
    if (buf->len && !buf->drain(buf->drain_of, buf->p, buf->len)) {
        buf->over = true;
        return false;
    }
    buf_clear(buf);
    return true;
}

bool buf_puts(struct buf *buf, const char *text)
{
    return buf_put(buf, text, strlen(text));
}

bool buf_putc(struct buf *buf, char c)
{
    return buf_put(buf, &c, 1);
}

bool buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    PS_AUTO(ps_freep) char *text = ps_vasprintf(fmt, args);
    va_end(args);
    return buf_puts(buf, text);
}

const char *buf_text(const struct buf *buf)
{
    return buf->p ? buf->p : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->p ? buf->p : ps_strdup("");

    buf->p = NULL;
    buf_free(buf);
    return text;
}

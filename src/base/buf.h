/*
 * buf.h - bytes that grow, up to a bound.
 *
 * Start with `struct buf b = BUF(max_bytes)` and end with buf_free (PS_AUTO(buf_free)).  `p` is never
 * NULL after the first put and always has a NUL behind the last byte, which `len` does not count.
 * What would pass `max` is not taken, and `over` stays true from then on: the owner checks it once.
 *
 * With a `drain` the buffer is a window on something longer: whenever BUF_DRAIN_BYTES stand in it they are
 * handed over, and it is empty again.  The owner hands over the rest with buf_drain().  A drain that returns
 * false sets `over`.
 */
#ifndef PS_BUF_H
#define PS_BUF_H

#include "base/defs.h"

struct buf {
    char *p;
    size_t len, cap, max;
    bool over;      /* something did not fit under `max` */
    bool (*drain)(void *of, const char *bytes, size_t len);
    void *drain_of;
};

#define BUF(limit) ((struct buf){ .max = (limit) })
#define BUF_TEXT_MAX (64u << 20)    /* bound for texts of our own making */
#define BUF_DRAIN_BYTES (256u << 10)

void buf_free(struct buf *buf);     /* ready for use again, same max */
void buf_wipe(struct buf *buf);     /* the same, of bytes that are a secret */
void buf_clear(struct buf *buf);    /* keeps the memory */
bool buf_put(struct buf *buf, const void *bytes, size_t len);   /* false: over */
bool buf_puts(struct buf *buf, const char *text);
bool buf_putc(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *fmt, ...) PS_PRINTF(2, 3);
const char *buf_text(const struct buf *buf);                    /* never NULL */
bool buf_drain(struct buf *buf);                                /* false: over, now or before */
char *buf_take(struct buf *buf);    /* the text, now the caller's to free; the buf is empty */

#endif

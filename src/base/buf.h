/*
 * buf.h - bytes that grow, up to a bound.
 *
 * Start with `struct buf b = BUF(max_bytes)` and end with buf_free (PS_AUTO(buf_free)).  `p` is never
 * NULL after the first put and always has a NUL behind the last byte, which `len` does not count.
 * What would pass `max` is not taken, and `over` stays true from then on: the owner checks it once.
 */
#ifndef PS_BUF_H
#define PS_BUF_H

#include "base/defs.h"

struct buf {
    char *p;
    size_t len, cap, max;
    bool over;      /* something did not fit under `max` */
};

#define BUF(limit) ((struct buf){ .max = (limit) })
#define BUF_TEXT_MAX (64u << 20)    /* bound for texts of our own making */

void buf_free(struct buf *buf);     /* ready for use again, same max */
void buf_clear(struct buf *buf);    /* keeps the memory */
bool buf_put(struct buf *buf, const void *bytes, size_t len);   /* false: over */
bool buf_puts(struct buf *buf, const char *text);
bool buf_putc(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *fmt, ...) PS_PRINTF(2, 3);
const char *buf_text(const struct buf *buf);                    /* never NULL */
char *buf_take(struct buf *buf);    /* the text, now the caller's to free; the buf is empty */

#endif

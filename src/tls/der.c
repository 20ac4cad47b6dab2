/* der.c - see der.h. */
#include "tls/der.h"

#include <time.h>

#include "base/base64.h"
#include "base/mem.h"

enum { TAG_UTC_TIME = 0x17, TAG_GENERALIZED_TIME = 0x18, HEAD_MAX = 2 + sizeof(size_t) };

static size_t length_bytes(size_t len)
{
    size_t n = 0;

    for (; len > 0; len >>= 8)
        n++;
    return n;
}

size_t der_size(size_t len)
{
    return 2 + (len < 0x80 ? 0 : length_bytes(len)) + len;
}

void der_head(struct buf *out, uint8_t tag, size_t len)
{
    uint8_t head[HEAD_MAX] = { tag, (uint8_t)len };
    size_t n = 2;

    if (len >= 0x80) {
        size_t more = length_bytes(len);

        head[1] = (uint8_t)(0x80 | more);
        for (; more > 0; more--)
            head[n++] = (uint8_t)(len >> 8 * (more - 1));
    }
    buf_put(out, head, n);
}

void der_value(struct buf *out, uint8_t tag, const void *bytes, size_t len)
{
    der_head(out, tag, len);
    buf_put(out, bytes, len);
}

/* ---- numbers ---- */

struct digits {
    const uint8_t *p;
    size_t len;
    bool zero_first;    /* or it would read as negative */
};

static struct digits shortest(const void *bytes, size_t len)
{
    struct digits number = { bytes, len, false };

    for (; number.len > 1 && *number.p == 0; number.len--)
        number.p++;
    number.zero_first = number.len == 0 || *number.p >= 0x80;
    return number;
}

size_t der_positive_size(const void *bytes, size_t len)
{
    struct digits number = shortest(bytes, len);

    return der_size(number.len + number.zero_first);
}

void der_positive(struct buf *out, const void *bytes, size_t len)
{
    struct digits number = shortest(bytes, len);

    der_head(out, DER_INTEGER, number.len + number.zero_first);
    if (number.zero_first)
        buf_putc(out, '\0');
    buf_put(out, number.p, number.len);
}

/* ---- time ---- */

static struct tm broken_down(time_t when)
{
    struct tm tm = { 0 };

    gmtime_r(&when, &tm);
    return tm;
}

static bool is_utc_time(const struct tm *tm)
{
    return tm->tm_year >= 50 && tm->tm_year < 150;
}

size_t der_time_size(time_t when)
{
    struct tm tm = broken_down(when);

    return is_utc_time(&tm) ? DER_TIME_MAX - 2 : DER_TIME_MAX;
}

static char *two_digits(char *to, int value)
{
    to[0] = (char)('0' + value / 10 % 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

void der_time(struct buf *out, time_t when)
{
    struct tm tm = broken_down(when);
    char text[DER_TIME_MAX], *to = text;

    if (!is_utc_time(&tm))
        to = two_digits(to, (tm.tm_year + 1900) / 100);
    to = two_digits(to, tm.tm_year % 100);
    to = two_digits(to, tm.tm_mon + 1);
    to = two_digits(to, tm.tm_mday);
    to = two_digits(to, tm.tm_hour);
    to = two_digits(to, tm.tm_min);
    to = two_digits(to, tm.tm_sec);
    *to++ = 'Z';
    der_value(out, is_utc_time(&tm) ? TAG_UTC_TIME : TAG_GENERALIZED_TIME, text,
              (size_t)(to - text));
}

/* ---- PEM ---- */

void der_to_pem(struct buf *out, const char *label, const void *der, size_t len)
{
    PS_AUTO(ps_freep) char *lines = ps_malloc(BASE64_LINES_SIZE(len));
    size_t lines_len = base64_lines(der, len, lines);

    buf_puts(out, "-----BEGIN ");
    buf_puts(out, label);
    buf_puts(out, "-----\n");
    buf_put(out, lines, lines_len);
    buf_puts(out, "-----END ");
    buf_puts(out, label);
    buf_puts(out, "-----\n");
}

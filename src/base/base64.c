/* base64.c - see base64.h. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *in = bytes, *end = in + len / 3 * 3;
    char *to = out;

    for (; in < end; in += 3, to += 4) {
        uint32_t word = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

        to[0] = digits[word >> 18];
        to[1] = digits[word >> 12 & 63];
        to[2] = digits[word >> 6 & 63];
        to[3] = digits[word & 63];
    }
    if (len % 3 == 0)
        return (size_t)(to - out);

    uint32_t word = (uint32_t)in[0] << 16 | (len % 3 == 2 ? (uint32_t)in[1] << 8 : 0);
    to[0] = digits[word >> 18];
    to[1] = digits[word >> 12 & 63];
    to[2] = len % 3 == 2 ? digits[word >> 6 & 63] : '=';
    to[3] = '=';
    return (size_t)(to - out) + 4;
}

size_t base64_lines(const void *bytes, size_t len, char *out)
{
    const uint8_t *in = bytes;
    char *to = out;

    while (len > 0) {
        size_t some = len < BASE64_LINE_BYTES ? len : BASE64_LINE_BYTES;

        to += base64_encode(in, some, to);
        *to++ = '\n';
        in += some;
        len -= some;
    }
    return (size_t)(to - out);
}

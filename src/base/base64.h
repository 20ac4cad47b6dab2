/*
 * base64.h - bytes as text (RFC 4648 4), in the lines of PEM (RFC 7468), for what is written by the
 * million: three times as fast as EVP_EncodeUpdate.  Reading PEM is OpenSSL's business.
 */
#ifndef PS_BASE64_H
#define PS_BASE64_H

#include "base/buf.h"

enum { BASE64_LINE_BYTES = 48 };    /* they make a line of 64 characters */

/* Characters and padding for `len` bytes into out, without line ends and NUL; gives their count. */
size_t base64_encode(const void *bytes, size_t len, char *out);
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4)

/*
 * Lines of 64 characters, each with its line end; returns how many characters were written, at most
 * BASE64_LINES_SIZE(len).  To go on where it ended, `len` must be a multiple of BASE64_LINE_BYTES.
 */
size_t base64_lines(const void *bytes, size_t len, char *out);
#define BASE64_LINES_SIZE(len) \
    (BASE64_SIZE(len) + ((len) + BASE64_LINE_BYTES - 1) / BASE64_LINE_BYTES)

#endif

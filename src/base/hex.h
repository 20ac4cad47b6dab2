/* hex.h - bytes as lower case hexadecimal digits. */
#ifndef PS_HEX_H
#define PS_HEX_H

#include "base/defs.h"

#define HEX_SIZE(len) (2 * (len) + 1)
/* 2 * len digits and a NUL into out, which it returns. */
const char *hex_of(const void *bytes, size_t len, char *out);

#endif

/* digest.h - SHA-256, for names by content and for noticing changes. */
#ifndef PS_DIGEST_H
#define PS_DIGEST_H

#include "base/defs.h"

enum { DIGEST_HEX = 65 };
/* Lower case hex and a NUL into out, which it returns. */
const char *digest_sha256_hex(const void *bytes, size_t len, char out[DIGEST_HEX]);

#endif

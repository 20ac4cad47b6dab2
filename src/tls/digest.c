/* digest.c - see digest.h. */
#include "tls/digest.h"

#include <openssl/evp.h>

#include "base/hex.h"

const char *digest_sha256_hex(const void *bytes, size_t len, char out[DIGEST_HEX])
{
    unsigned char sum[32];

    if (!EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL))
        abort();        /* an OpenSSL without SHA-256: nothing here could work */
    return hex_of(sum, sizeof(sum), out);
}

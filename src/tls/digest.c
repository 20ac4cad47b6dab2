/* digest.c - see digest.h. */
#include "tls/digest.h"

#include <openssl/evp.h>

const char *digest_sha256_hex(const void *bytes, size_t len, char out[DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];

    if (!EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL))
        abort();        /* an OpenSSL without SHA-256: nothing here could work */
    for (size_t i = 0; i < sizeof(sum); i++) {      /* not by printf: a ledger has millions */
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 0x0f];
    }
    out[2 * sizeof(sum)] = '\0';
    return out;
}

/* shard.c - see shard.h. */
#include "ca/shard.h"

#include <ctype.h>

enum { SERIAL_DIGITS = 2 * 16, TOP_DIGITS = 8, RANDOM_BITS = 30 };  /* our serials begin with 01 */

static uint32_t digit(char c)
{
    return (uint32_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

/* The first 32 bits of a serial of 128. */
static uint32_t top_bits(const char *hex)
{
    size_t len = strlen(hex);
    size_t zeros = len < SERIAL_DIGITS ? SERIAL_DIGITS - len : 0;
    uint32_t top = 0;

    if (len > SERIAL_DIGITS)        /* a foreign one, of up to 20 bytes */
        hex += len - SERIAL_DIGITS;
    for (size_t i = zeros; i < TOP_DIGITS; i++)
        top |= (digit(hex[i - zeros]) & 0xf) << 4 * (TOP_DIGITS - 1 - i);
    return top;
}

unsigned shard_of(const char *serial_hex, unsigned shards)
{
    uint64_t random = top_bits(serial_hex) & ((1u << RANDOM_BITS) - 1);

    return shards > 1 ? (unsigned)(random * shards >> RANDOM_BITS) : 0;
}

const char *shard_uri(const char *url, const struct cert *issuer, unsigned shard,
                      char out[SHARD_URI])
{
    int len = (int)strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    snprintf(out, SHARD_URI, "%.*s/%s/%u.crl", len, url, cert_info(issuer)->key_id, shard);
    return out;
}

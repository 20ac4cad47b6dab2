/*
 * strength.h - what a cipher suite or a group is worth, read off its registered name.
 *
 * IANA's names say it all (TLS_KX_AUTH_WITH_CIPHER_MAC), so there is no second table that could
 * disagree with the first.  Source of the judgements: RFC 7465 (RC4), RFC 9155 and RFC 6151 (MD5),
 * SWEET32 (64-bit blocks), RFC 9325 4.2, Mozilla Server Side TLS 6.0.
 */
#ifndef PS_STRENGTH_H
#define PS_STRENGTH_H

#include "tls/names.h"

enum suite_trait {
    TRAIT_TLS13 = 1,            /* names only cipher and hash */
    TRAIT_NULL = 2,             /* encrypts nothing */
    TRAIT_ANON = 4,             /* anybody may be the server */
    TRAIT_EXPORT = 8,
    TRAIT_RC4 = 16, TRAIT_SMALL_BLOCK = 32,     /* DES, 3DES, IDEA, RC2: 64-bit blocks */
    TRAIT_MD5 = 64,
    TRAIT_NO_FS = 128,          /* the key of the certificate opens what was recorded */
    TRAIT_DHE = 256, TRAIT_ECDHE = 512,
    TRAIT_NO_AEAD = 1024,
    TRAIT_PSK = 2048,           /* PSK, SRP, Kerberos: nothing that PostgreSQL could be asked for */
    TRAIT_MARK = 4096,          /* no suite: a signal (SCSV) */

    TRAIT_BROKEN = TRAIT_NULL | TRAIT_ANON,
    TRAIT_WEAK = TRAIT_EXPORT | TRAIT_RC4 | TRAIT_SMALL_BLOCK | TRAIT_MD5
};

unsigned suite_traits(const struct tls_suite *suite);
unsigned suite_traits_of(uint16_t code);        /* 0 for one without a name */

/* A group for (EC)DHE below 255 bits, or with a weak curve; hybrid with a post-quantum part. */
bool tls_group_is_weak(uint16_t group);
bool tls_group_is_hybrid(uint16_t group);
bool tls_group_is_of_13(uint16_t group);        /* TLS 1.3 has it: RFC 8446 4.2.7, RFC 8734, hybrids */

#endif

/*
 * cipher_list.h - what a list of cipher suites, and a list of groups, really lets in.
 *
 * Expanded by the OpenSSL that pgseal runs with: suites that only older ones have are not among them,
 * but names of them in the list are found (suites_named_weak).
 */
#ifndef PS_CIPHER_LIST_H
#define PS_CIPHER_LIST_H

#include "base/buf.h"
#include "base/err.h"

enum suite_flaw {               /* bits */
    SUITE_NULL = 1,             /* no encryption */
    SUITE_ANON = 2,             /* no certificate */
    SUITE_WEAK = 4,             /* below 128 bits, RC4, DES, 3DES, IDEA, SEED, MD5 as MAC */
    SUITE_NO_FS = 8,            /* static key exchange: a stolen key opens old recordings */
    SUITE_CBC = 16              /* not AEAD */
};

struct suite {
    const char *name;           /* OpenSSL's: "ECDHE-RSA-AES256-GCM-SHA384"; lives as long as the program */
    int bits;
    unsigned flaws;
};

struct suites {
    struct suite *at;           /* in the order of the list: TLS 1.2 and before, without PSK and SRP, which
                                   PostgreSQL has no keys for */
    size_t len, cap;
    int security_level;         /* of @SECLEVEL=; -1: the list says nothing of it */
};
void suites_free(struct suites *suites);        /* for PS_AUTO */

/* PS_E_VALUE when OpenSSL finds no suite in it: then the server does not start. */
PS_MUST bool suites_expand(const char *list, struct suites *out, struct ps_err *err);

/*
 * The first word of the list that asks for what is broken ("RC4", "3DES", "EXP", "LOW", "aNULL", "ALL" alone, ...)
 * and is not taken out again by "!", whether this OpenSSL has such suites or not.  *flaw is SUITE_NULL,
 * SUITE_ANON or SUITE_WEAK; *begin and *len are its span.  False: there is none.
 */
bool suites_named_weak(const char *list, enum suite_flaw *flaw, size_t *begin, size_t *len);

/* Bits of a group or curve by any of its names ("prime256v1", "P-256", "X25519"); 0: not known. */
int group_bits(const char *name);
/* Is it a hybrid with a key exchange that quantum computers do not break? */
bool group_is_hybrid(const char *name);

#endif

/* strength.c - see strength.h. */
#include "tls/strength.h"

#include <pthread.h>

static const struct {
    const char *part;       /* of the name, with its underscores */
    unsigned traits;
} parts[] = {
    { "_WITH_NULL_", TRAIT_NULL },  { "_anon_", TRAIT_ANON },       { "_EXPORT", TRAIT_EXPORT },
    { "_RC4_", TRAIT_RC4 },         { "_DES_", TRAIT_SMALL_BLOCK }, { "_DES40_", TRAIT_SMALL_BLOCK },
    { "_3DES_", TRAIT_SMALL_BLOCK },{ "_IDEA_", TRAIT_SMALL_BLOCK },{ "_RC2_", TRAIT_SMALL_BLOCK },
    { "TLS_DHE_", TRAIT_DHE },      { "TLS_DH_anon_", TRAIT_DHE },  { "TLS_ECDHE_", TRAIT_ECDHE },
    { "TLS_ECDH_anon_", TRAIT_ECDHE }, { "_PSK_", TRAIT_PSK },      { "_SRP_", TRAIT_PSK },
    { "_KRB5_", TRAIT_PSK },        { "_SCSV", TRAIT_MARK },
};

static const char *const aead[] = { "_GCM_", "_CCM", "_POLY1305", "AEGIS", "_MGM_" };

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static unsigned read_name(const struct tls_suite *suite)
{
    unsigned traits = 0;
    bool is_aead = false;

    for (size_t i = 0; i < PS_COUNT(parts); i++)
        if (strstr(suite->name, parts[i].part))
            traits |= parts[i].traits;
    for (size_t i = 0; i < PS_COUNT(aead); i++)
        is_aead |= strstr(suite->name, aead[i]) != NULL;
    if (ends_with(suite->name, "_MD5"))
        traits |= TRAIT_MD5;
    if (traits & TRAIT_MARK)
        return traits;
    if (!strstr(suite->name, "_WITH_"))
        return traits | TRAIT_TLS13 | (tls_suite_is_null(suite) ? TRAIT_NULL : 0);
    if (!is_aead)
        traits |= TRAIT_NO_AEAD;
    if (!(traits & (TRAIT_DHE | TRAIT_ECDHE)))
        traits |= TRAIT_NO_FS;
    return traits;
}

/* Every name is read once: a survey asks for all of them many times. */
enum { SUITES_MAX = 512 };
static unsigned known[SUITES_MAX];

static void read_names(void)
{
    for (size_t i = 0; i < tls_suites_count && i < SUITES_MAX; i++)
        known[i] = read_name(&tls_suites[i]);
}

unsigned suite_traits(const struct tls_suite *suite)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t i = (size_t)(suite - tls_suites);

    pthread_once(&once, read_names);
    return i < SUITES_MAX ? known[i] : read_name(suite);
}

unsigned suite_traits_of(uint16_t code)
{
    const struct tls_suite *suite = tls_suite_find(code);

    return suite ? suite_traits(suite) : 0;
}

bool tls_group_is_weak(uint16_t group)
{
    /* sect163k1 to sect239k1, secp160k1 to secp224r1: below the 128 bits of P-256 */
    return (group >= 1 && group <= 8) || (group >= 15 && group <= 21);
}

bool tls_group_is_of_13(uint16_t group)
{
    /* secp256r1 to secp521r1, X25519, X448, brainpool*tls13; ffdhe2048 to ffdhe8192 */
    return (group >= 23 && group <= 25) || (group >= 29 && group <= 33) || (group >= 256 && group <= 260)
        || tls_group_is_hybrid(group);
}

bool tls_group_is_hybrid(uint16_t group)
{
    return (group >= 0x11eb && group <= 0x11ed) || group == 0x6399 || group == 0x639a;
}

/* names.c - see names.h. */
#include "tls/names.h"

#include <stdlib.h>

struct name {
    uint16_t code;
    const char *name;
};

static const struct name versions[] = {
    { TLS_SSL2, "SSLv2" },  { TLS_SSL3, "SSLv3" },  { TLS_1_0, "TLSv1" },
    { TLS_1_1, "TLSv1.1" }, { TLS_1_2, "TLSv1.2" }, { TLS_1_3, "TLSv1.3" },
};

static const struct name groups[] = {
    { 0x0001, "sect163k1" }, { 0x0002, "sect163r1" }, { 0x0003, "sect163r2" },
    { 0x0004, "sect193r1" }, { 0x0005, "sect193r2" }, { 0x0006, "sect233k1" },
    { 0x0007, "sect233r1" }, { 0x0008, "sect239k1" }, { 0x0009, "sect283k1" },
    { 0x000A, "sect283r1" }, { 0x000B, "sect409k1" }, { 0x000C, "sect409r1" },
    { 0x000D, "sect571k1" }, { 0x000E, "sect571r1" }, { 0x000F, "secp160k1" },
    { 0x0010, "secp160r1" }, { 0x0011, "secp160r2" }, { 0x0012, "secp192k1" },
    { 0x0013, "secp192r1" }, { 0x0014, "secp224k1" }, { 0x0015, "secp224r1" },
    { 0x0016, "secp256k1" }, { 0x0017, "secp256r1" }, { 0x0018, "secp384r1" },
    { 0x0019, "secp521r1" }, { 0x001A, "brainpoolP256r1" }, { 0x001B, "brainpoolP384r1" },
    { 0x001C, "brainpoolP512r1" }, { 0x001D, "x25519" }, { 0x001E, "x448" },
    { 0x001F, "brainpoolP256r1tls13" }, { 0x0020, "brainpoolP384r1tls13" },
    { 0x0021, "brainpoolP512r1tls13" }, { 0x0029, "curveSM2" },
    { 0x0100, "ffdhe2048" }, { 0x0101, "ffdhe3072" }, { 0x0102, "ffdhe4096" },
    { 0x0103, "ffdhe6144" }, { 0x0104, "ffdhe8192" },
    { 0x0200, "MLKEM512" }, { 0x0201, "MLKEM768" }, { 0x0202, "MLKEM1024" },
    { 0x11EB, "SecP256r1MLKEM768" }, { 0x11EC, "X25519MLKEM768" }, { 0x11ED, "SecP384r1MLKEM1024" },
    { 0x6399, "X25519Kyber768Draft00" },
    { 0xFF01, "arbitrary_explicit_prime_curves" }, { 0xFF02, "arbitrary_explicit_char2_curves" },
};

static const struct name schemes[] = {
    { 0x0101, "rsa_pkcs1_md5" }, { 0x0201, "rsa_pkcs1_sha1" }, { 0x0202, "dsa_sha1" },
    { 0x0203, "ecdsa_sha1" }, { 0x0301, "rsa_pkcs1_sha224" }, { 0x0302, "dsa_sha224" },
    { 0x0303, "ecdsa_sha224" }, { 0x0401, "rsa_pkcs1_sha256" }, { 0x0402, "dsa_sha256" },
    { 0x0403, "ecdsa_secp256r1_sha256" }, { 0x0501, "rsa_pkcs1_sha384" },
    { 0x0502, "dsa_sha384" }, { 0x0503, "ecdsa_secp384r1_sha384" },
    { 0x0601, "rsa_pkcs1_sha512" }, { 0x0602, "dsa_sha512" },
    { 0x0603, "ecdsa_secp521r1_sha512" }, { 0x0708, "sm2sig_sm3" },
    { 0x0804, "rsa_pss_rsae_sha256" }, { 0x0805, "rsa_pss_rsae_sha384" },
    { 0x0806, "rsa_pss_rsae_sha512" }, { 0x0807, "ed25519" }, { 0x0808, "ed448" },
    { 0x0809, "rsa_pss_pss_sha256" }, { 0x080A, "rsa_pss_pss_sha384" },
    { 0x080B, "rsa_pss_pss_sha512" }, { 0x081A, "ecdsa_brainpoolP256r1tls13_sha256" },
    { 0x081B, "ecdsa_brainpoolP384r1tls13_sha384" },
    { 0x081C, "ecdsa_brainpoolP512r1tls13_sha512" },
    { 0x0904, "mldsa44" }, { 0x0905, "mldsa65" }, { 0x0906, "mldsa87" },
};

static const struct name alerts[] = {
    { 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" },
    { 21, "decryption_failed" }, { 22, "record_overflow" }, { 30, "decompression_failure" },
    { 40, "handshake_failure" }, { 41, "no_certificate" }, { 42, "bad_certificate" },
    { 43, "unsupported_certificate" }, { 44, "certificate_revoked" },
    { 45, "certificate_expired" }, { 46, "certificate_unknown" }, { 47, "illegal_parameter" },
    { 48, "unknown_ca" }, { 49, "access_denied" }, { 50, "decode_error" },
    { 51, "decrypt_error" }, { 60, "export_restriction" }, { 70, "protocol_version" },
    { 71, "insufficient_security" }, { 80, "internal_error" }, { 86, "inappropriate_fallback" },
    { 90, "user_canceled" }, { 100, "no_renegotiation" }, { 109, "missing_extension" },
    { 110, "unsupported_extension" }, { 111, "certificate_unobtainable" },
    { 112, "unrecognized_name" }, { 113, "bad_certificate_status_response" },
    { 114, "bad_certificate_hash_value" }, { 115, "unknown_psk_identity" },
    { 116, "certificate_required" }, { 120, "no_application_protocol" }, { 121, "ech_required" },
};

static int compare(const void *key, const void *row)
{
    return (int)*(const uint16_t *)key - (int)((const struct name *)row)->code;
}

static const char *find(const struct name *names, size_t count, uint16_t code)
{
    const struct name *found = bsearch(&code, names, count, sizeof(*names), compare);

    return found ? found->name : NULL;
}

const char *tls_version_name(int version)
{
    return version > 0 && version <= UINT16_MAX
        ? find(versions, PS_COUNT(versions), (uint16_t)version) : NULL;
}

const char *tls_group_name(uint16_t group)
{
    return find(groups, PS_COUNT(groups), group);
}

const char *tls_scheme_name(uint16_t scheme)
{
    return find(schemes, PS_COUNT(schemes), scheme);
}

const char *tls_alert_name(uint8_t description)
{
    return find(alerts, PS_COUNT(alerts), description);
}

static int compare_suite(const void *key, const void *row)
{
    return (int)*(const uint16_t *)key - (int)((const struct tls_suite *)row)->code;
}

const struct tls_suite *tls_suite_find(uint16_t code)
{
    return bsearch(&code, tls_suites, tls_suites_count, sizeof(tls_suites[0]), compare_suite);
}

bool tls_suite_is_null(const struct tls_suite *suite)
{
    /* RFC 9150: these two of TLS 1.3 protect the integrity alone, and their names do not say so. */
    return strstr(suite->name, "_WITH_NULL_") || suite->code == 0xC0B4 || suite->code == 0xC0B5;
}

bool tls_suite_is_anonymous(const struct tls_suite *suite)
{
    return strstr(suite->name, "_anon_") != NULL;
}

bool tls_is_grease(uint16_t code)
{
    return (code & 0x0F0F) == 0x0A0A && code >> 8 == (code & 0xFF);
}

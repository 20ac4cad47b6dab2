/*
 * names.h - what the numbers of TLS are called: versions, suites, groups, signature schemes, alerts.
 *
 * Source: IANA, "Transport Layer Security (TLS) Parameters"; versions as OpenSSL and pg_stat_ssl write
 * them.  No name here is ever translated.
 */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include "base/defs.h"

/* As on the wire (RFC 8446 4.2.1); TLS_ANY, where a bound is asked for: none. */
enum tls_version { TLS_ANY = 0, TLS_SSL2 = 0x0002, TLS_SSL3 = 0x0300, TLS_1_0 = 0x0301,
                   TLS_1_1 = 0x0302, TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };

struct tls_suite {
    uint16_t code;
    const char *name;       /* IANA's: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" */
    const char *openssl;    /* "ECDHE-RSA-AES256-GCM-SHA384"; NULL: OpenSSL has none */
};

extern const struct tls_suite tls_suites[];     /* by code, rising */
extern const size_t tls_suites_count;

/* All of these give NULL for a number that has no name. */
const struct tls_suite *tls_suite_find(uint16_t code);
const char *tls_version_name(int version);      /* "TLSv1.3", "SSLv3": as PostgreSQL spells them */
const char *tls_group_name(uint16_t group);         /* "x25519", "secp256r1" */
const char *tls_scheme_name(uint16_t scheme);       /* "ecdsa_secp256r1_sha256" */
const char *tls_alert_name(uint8_t description);    /* "unknown_ca" (RFC 8446 6) */

/* The suite leaves the data readable (it only signs them), or anybody may be the server. */
bool tls_suite_is_null(const struct tls_suite *suite);
bool tls_suite_is_anonymous(const struct tls_suite *suite);

/* Numbers that clients mix in to keep servers tolerant: 0x0A0A, 0x1A1A, ... (RFC 8701). */
bool tls_is_grease(uint16_t code);

#endif

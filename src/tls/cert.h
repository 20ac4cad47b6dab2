/*
 * cert.h - X.509 certificates and chains (RFC 5280): read, describe, make.
 */
#ifndef PS_CERT_H
#define PS_CERT_H

#include "base/buf.h"
#include "base/err.h"
#include "tls/key.h"

struct cert;
void cert_free(struct cert *cert);
PS_DEFINE_FREEP(struct cert, cert_free)
struct cert *cert_ref(struct cert *cert);       /* one more owner */

/* A row of certificates, leaf first where it is a chain; owns them. */
struct cert_list {
    struct cert **at;
    size_t len, cap;
};
#define CERT_LIST_MAX 1000
void cert_list_free(struct cert_list *list);    /* for PS_AUTO; ready for use again */
void cert_list_add(struct cert_list *list, struct cert *cert);   /* takes a reference of its own */

/*
 * All certificates of a PEM text; other PEM blocks are skipped.  PS_E_CERT when there is none,
 * PS_E_SYNTAX with the line of the block that is broken.
 */
PS_MUST bool cert_list_from_pem(const char *pem, size_t len, const char *name,
                                struct cert_list *out, struct ps_err *err);
/* At most 1 MiB; PS_E_SYNTAX when it is none, or more than one. */
PS_MUST bool cert_from_der(const void *der, size_t len, struct cert **out, struct ps_err *err);
PS_MUST bool cert_to_pem(const struct cert *cert, struct buf *out, struct ps_err *err);
PS_MUST bool cert_to_der(const struct cert *cert, struct buf *out, struct ps_err *err);

enum { CERT_SERIAL_HEX = 2 * 20 + 1, CERT_FINGERPRINT_HEX = 2 * 32 + 1 };
/* EKU, as bits; CERT_USE_OTHER: it names other purposes (any number of them). */
enum cert_use { CERT_USE_ANY = 0, CERT_USE_SERVER = 1, CERT_USE_CLIENT = 2, CERT_USE_OTHER = 4 };

struct cert_dn {        /* of a subject; NULL or "" leaves a field out */
    const char *c, *st, *l, *o, *ou, *cn;
};

/* What a certificate says; strings belong to the certificate.  Names are UTF-8. */
struct cert_info {
    const char *subject, *issuer;       /* RFC 2253 text, as PostgreSQL shows DNs */
    const char *common_name;            /* first CN of the subject; "" without one */
    struct cert_dn dn;                  /* the first of each field of the subject, or "" */
    const char *serial_hex;             /* lower case, no leading zeros beyond an even count */
    const char *serial_dec;             /* as pg_stat_ssl.client_serial shows it */
    const char *key_id;                 /* subject key identifier, lower case hex; "" without one */
    const char *fingerprint;            /* SHA-256 of the DER, lower case hex */
    const char *key_text, *signature_text;  /* "EC P-256", "ecdsa-with-SHA256" */
    int key_bits;
    time_t not_before, not_after;
    bool is_ca;                         /* basicConstraints CA:TRUE */
    int path_len;                       /* of a CA; -1: no limit */
    bool signs_certs, signs_crls;       /* keyUsage lets it; true without a keyUsage */
    bool self_issued;                   /* subject equals issuer */
    unsigned uses;                      /* CERT_USE_* bits; CERT_USE_ANY without an EKU */
    const char *const *dns;             /* SAN dNSName, NULL at the end */
    const char *const *ip;              /* SAN iPAddress as text, NULL at the end */
};
const struct cert_info *cert_info(const struct cert *cert);

bool cert_matches_key(const struct cert *cert, const struct key *key);
/*
 * SHA-256 of the SubjectPublicKeyInfo in lower case hex, into out, which it returns: the same key has the same
 * one in every certificate (RFC 7469 2.4).  "" when it could not be encoded.
 */
const char *cert_key_sha256(const struct cert *cert, char out[CERT_FINGERPRINT_HEX]);
/*
 * The hash to which SCRAM binds (tls-server-end-point): by the digest of the certificate's signature, SHA-256 for
 * MD5 and SHA-1 (RFC 5929 4.1).  Returns its length; 0: the signature has no digest.
 */
enum { CERT_END_POINT_MAX = 64 };
size_t cert_end_point(const struct cert *cert, unsigned char out[CERT_END_POINT_MAX]);
/* The public key, as the `public_of` of cert_make(); the caller's.  There is no private half. */
PS_MUST bool cert_public_key(const struct cert *cert, struct key **out, struct ps_err *err);
bool cert_same(const struct cert *a, const struct cert *b);     /* byte for byte */
bool cert_issued_by(const struct cert *cert, const struct cert *issuer);    /* name and signature */

/* ---- making ---- */

struct cert_spec {
    struct cert_dn subject;
    const char *const *hosts;   /* SANs, NULL at the end: an IP address literal becomes iPAddress */
    bool is_ca;
    int path_len;               /* of a CA; -1: no limit */
    unsigned uses;              /* EKU of a leaf, or of an intermediate that is kept apart by it */
    time_t not_before, not_after;
    const unsigned char *serial;        /* CERT_SERIAL_BYTES of cert_new_serial(); NULL: made now */
    const char *crl_uri;                /* CRLDistributionPoints: one full name; NULL: none */
    const char *const *permit_dns;      /* critical name constraints of a CA, NULL at the end: "a.b" */
    const char *const *permit_ip;       /* and "10.0.0.0/8", "fd00::/8" */
};

enum { CERT_SERIAL_BYTES = 16 };
/* Random; the first byte is 0x40 to 0x7f: positive, always as long (RFC 5280 4.1.2.2). */
PS_MUST bool cert_new_serial(unsigned char out[CERT_SERIAL_BYTES], struct ps_err *err);

/*
 * Make and sign.  With a NULL issuer the certificate is self-signed by `key`.  Serial: 16 random
 * bytes, positive (RFC 5280 4.1.2.2).  v3 with critical basicConstraints and keyUsage, SKI, AKI by
 * key id.  `public_of` is the subject's key (only its public half is used).  not_after is cut to
 * the issuer's.  PS_E_VALUE for a subject that cannot be encoded: CN beyond 64 characters
 * (ub-common-name), a C that is not two letters, invalid UTF-8; and for a constraint that is none.
 */
PS_MUST bool cert_make(const struct cert_spec *spec, const struct key *public_of,
                       const struct cert *issuer, const struct key *issuer_key,
                       struct cert **out, struct ps_err *err);

#endif

/*
 * internal.h - the structs behind key.h, cert.h, crl.h and ctx.h, for tls/ alone.
 *
 * No OpenSSL type is in any other header.  OpenSSL's error queue is empty whenever a function of
 * tls/ returns: tls_fail() moves its reason into the error's detail.
 */
#ifndef PS_TLS_INTERNAL_H
#define PS_TLS_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/csr.h"
#include "tls/ctx.h"
#include "tls/key.h"

struct key {
    EVP_PKEY *pkey;
    bool in_token;              /* what libcrypto has of it is no private key (libp11 puts a 1) */
};

struct cert {
    X509 *x509;
    unsigned refs;              /* one thread: no atomics */
    struct arena *arena;        /* of the texts in info */
    struct cert_info info;
};

struct csr {
    X509_REQ *x509_req;
    struct arena *arena;
    struct csr_info info;
};

struct crl {
    X509_CRL *x509_crl;         /* without entries when it was skimmed */
    unsigned refs;              /* one thread: no atomics */
    struct arena *arena;
    struct crl_info info;
    const EVP_MD *skimmed;      /* NULL: it was not; else what follows, see crl_skim.h */
    unsigned char hash[EVP_MAX_MD_SIZE], signature[1024];
    size_t signature_len;
};

struct tls_ctx {
    SSL_CTX *ssl_ctx;
};

PS_DEFINE_FREEP(BIO, BIO_free_all)
PS_DEFINE_FREEP(BIGNUM, BN_free)
PS_DEFINE_FREEP(EVP_MD_CTX, EVP_MD_CTX_free)
PS_DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)
PS_DEFINE_FREEP(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
PS_DEFINE_FREEP(SSL_CTX, SSL_CTX_free)
PS_DEFINE_FREEP(X509, X509_free)
PS_DEFINE_FREEP(X509_CRL, X509_CRL_free)
PS_DEFINE_FREEP(X509_NAME, X509_NAME_free)
PS_DEFINE_FREEP(X509_PUBKEY, X509_PUBKEY_free)
PS_DEFINE_FREEP(X509_REQ, X509_REQ_free)
PS_DEFINE_FREEP(X509_SIG, X509_SIG_free)
PS_DEFINE_FREEP(X509_STORE, X509_STORE_free)
PS_DEFINE_FREEP(X509_STORE_CTX, X509_STORE_CTX_free)
PS_DEFINE_FREEP(ASN1_INTEGER, ASN1_INTEGER_free)
PS_DEFINE_FREEP(ASN1_ENUMERATED, ASN1_ENUMERATED_free)
PS_DEFINE_FREEP(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
PS_DEFINE_FREEP(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
PS_DEFINE_FREEP(ASN1_TIME, ASN1_TIME_free)
PS_DEFINE_FREEP(GENERAL_NAMES, GENERAL_NAMES_free)
PS_DEFINE_FREEP(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
PS_DEFINE_FREEP(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
PS_DEFINE_FREEP(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
PS_DEFINE_FREEP(DIST_POINT_NAME, DIST_POINT_NAME_free)
PS_DEFINE_FREEP(CRL_DIST_POINTS, CRL_DIST_POINTS_free)
PS_DEFINE_FREEP(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free)
PS_DEFINE_FREEP(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)

/* ps_fail with OpenSSL's own reason as the detail; empties OpenSSL's queue.  Always false. */
bool tls_fail(struct ps_err *err, enum ps_code code, const char *fmt, ...) PS_PRINTF(3, 4);

/* Wrap what OpenSSL has parsed; takes the reference. */
struct key *key_wrap(EVP_PKEY *pkey);
struct cert *cert_wrap(X509 *x509);
struct crl *crl_wrap(X509_CRL *x509_crl);
/* Does the signature of one that was skimmed fit this key? */
bool tls_skimmed_by(const struct crl *crl, EVP_PKEY *pkey);
struct key *key_wrap(EVP_PKEY *pkey);

/* Anchors and CRLs into an OpenSSL store, with the flags that PostgreSQL sets when it has CRLs. */
PS_MUST bool tls_trust(X509_STORE *store, const struct cert_list *anchors,
                       const struct crl_list *crls, struct ps_err *err);

/* CRLDistributionPoints with one full name, and the critical IssuingDistributionPoint of its CRL. */
PS_MUST bool tls_put_crl_point(X509 *x509, const char *uri);
PS_MUST bool tls_put_crl_scope(X509_CRL *x509_crl, const char *uri);
/* Critical name constraints, if the specification has any: RFC 5280 4.2.1.10. */
PS_MUST bool tls_put_constraints(X509 *x509, const struct cert_spec *spec, struct ps_err *err);

/* What an i2d function gave: added to `out`, and freed.  False when it gave nothing. */
PS_MUST bool tls_take_der(int len, unsigned char *der, struct buf *out);

/*
 * An EC key of P-256 or P-384 as SubjectPublicKeyInfo, whose bits begin at *bits_at, and as PKCS#8 DER:
 * the bytes that libcrypto's encoders give, thirty times as fast.  False: it is another key.
 */
PS_MUST bool tls_ec_public(EVP_PKEY *pkey, struct buf *out, size_t *bits_at);
PS_MUST bool tls_ec_pkcs8(EVP_PKEY *pkey, struct secret *out);

const EVP_MD *tls_signature_digest(const EVP_PKEY *pkey);   /* by the strength of the key */
const char *tls_pkey_describe(const EVP_PKEY *pkey, char *out, size_t size);
char *tls_name_text(struct arena *arena, const X509_NAME *name);    /* RFC 2253, UTF-8 */
void tls_dn_read(struct arena *arena, const X509_NAME *name, struct cert_dn *out);
/* The names and the addresses of a SAN, each NULL at the end; `names` may be NULL. */
void tls_hosts_read(struct arena *arena, const GENERAL_NAMES *names, const char *const **dns_out,
                    const char *const **ip_out);
time_t tls_time(const ASN1_TIME *time);                     /* 0 when it is absent or broken */
/* Lower case hex of an even count of digits, and decimal. */
char *tls_serial_hex(struct arena *arena, const ASN1_INTEGER *serial);
char *tls_serial_dec(struct arena *arena, const ASN1_INTEGER *serial);

#define PEM_MAX BUF_TEXT_MAX

/*
 * The blocks of a PEM text of at most PEM_MAX bytes, one by one: `type` is "CERTIFICATE" or another;
 * der and type belong to the walk until the next step.  *end is true behind the last one.
 * PS_E_TOO_BIG; PS_E_SYNTAX names the line.
 */
struct pem_walk {
    const char *text, *name;
    size_t len;
    size_t counted;     /* bytes whose lines are counted */
    unsigned lines;
    BIO *bio;
    char *type;
    unsigned char *der;
    long der_len;
    unsigned line;      /* of the block's BEGIN */
};
PS_MUST bool pem_walk_begin(struct pem_walk *walk, const char *text, size_t len, const char *name,
                            struct ps_err *err);
PS_MUST bool pem_walk_next(struct pem_walk *walk, bool *end, struct ps_err *err);
void pem_walk_end(struct pem_walk *walk);       /* for PS_AUTO */

/* PS_E_SYNTAX about the block that the walk stands on, with OpenSSL's reason.  Always false. */
bool pem_walk_broken(const struct pem_walk *walk, struct ps_err *err);

#endif

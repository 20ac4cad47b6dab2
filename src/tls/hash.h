/*
 * hash.h - the names that OpenSSL looks for in a directory of certificates or CRLs.
 *
 * Source: X509_LOOKUP_hash_dir(3): HASH.N for certificates, HASH.rN for CRLs, where HASH is
 * X509_NAME_hash of the subject or issuer and N counts those that share it, without gaps.
 */
#ifndef PS_TLS_HASH_H
#define PS_TLS_HASH_H

#include "tls/cert.h"
#include "tls/crl.h"

enum { HASH_NAME = 24 };
/* "0123abcd.r0" into out, which it returns. */
const char *hash_name_crl(const struct crl *crl, unsigned number, char out[HASH_NAME]);
/* Has this name of a file the form of one of a CRL's? */
bool hash_name_is_crl(const char *name);
/* "0123abcd.0" */
const char *hash_name_cert(const struct cert *cert, unsigned number, char out[HASH_NAME]);

#endif

/*
 * pkcs7.h - the certificates that a .p7b holds: PKCS#7 signed data without a signer (RFC 2315 9), as
 * Windows and public CAs hand out chains.
 */
#ifndef PS_PKCS7_H
#define PS_PKCS7_H

#include "tls/cert.h"

enum { PKCS7_MAX = 1 << 20 };

/*
 * All of them, in the order of the file, which says nothing; PEM ("PKCS7" or "CMS") or DER of at most
 * PKCS7_MAX bytes.  PS_E_SYNTAX when it is no such file, PS_E_CERT when it holds no certificate.
 */
PS_MUST bool pkcs7_certs(const void *bytes, size_t len, const char *name, struct cert_list *out,
                         struct ps_err *err);
bool pkcs7_is(const void *bytes, size_t len);

#endif

/*
 * csr.h - certification requests, PKCS#10 (RFC 2986): read, describe, make.
 *
 * What a request asks for is a wish: whoever signs decides what of it goes into the certificate.
 */
#ifndef PS_CSR_H
#define PS_CSR_H

#include "base/buf.h"
#include "base/err.h"
#include "tls/cert.h"
#include "tls/key.h"

struct csr;
void csr_free(struct csr *csr);
PS_DEFINE_FREEP(struct csr, csr_free)

enum { CSR_MAX = 1 << 20 };

/*
 * The one request of a file: PEM ("CERTIFICATE REQUEST", or Microsoft's "NEW CERTIFICATE REQUEST", line
 * ends of either kind, text around it) or bare DER, at most CSR_MAX bytes.  Its signature has been
 * verified: who made it has the private key.  PS_E_SYNTAX when it cannot be read or there is more
 * than one, PS_E_CERT when the signature is wrong, PS_E_VALUE when a name in it has a NUL byte
 * (a truncated reading of which would speak for somebody else).
 */
PS_MUST bool csr_read(const char *bytes, size_t len, const char *name, struct csr **out,
                      struct ps_err *err);
PS_MUST bool csr_to_pem(const struct csr *csr, struct buf *out, struct ps_err *err);
PS_MUST bool csr_to_der(const struct csr *csr, struct buf *out, struct ps_err *err);

struct csr_info {                       /* strings belong to the request; names are UTF-8 */
    const char *subject;                /* RFC 2253 */
    struct cert_dn dn;                  /* the first of each field, or "" */
    const char *key_text;               /* "EC P-256" */
    int key_bits;
    const char *const *dns, *const *ip; /* of the SAN it asks for, NULL at the end */
    size_t other_names;                 /* how many entries of the SAN are of another kind */
    bool wants_ca;                      /* asks for basicConstraints CA:TRUE */
    unsigned uses;                      /* of enum cert_use, what its extended key usage asks for; 0: nothing */
};
const struct csr_info *csr_info(const struct csr *csr);

/* The public key, as the `public_of` of cert_make(); the caller's.  There is no private half. */
PS_MUST bool csr_key(const struct csr *csr, struct key **out, struct ps_err *err);

/*
 * Make a request for what `spec` says (its dates are not looked at), signed by `key`.  Errors as of
 * cert_make().
 */
PS_MUST bool csr_make(const struct cert_spec *spec, const struct key *key, struct csr **out,
                      struct ps_err *err);

#endif

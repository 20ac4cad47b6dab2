/*
 * crl.h - certificate revocation lists (RFC 5280 5): read, describe, make.
 */
#ifndef PS_CRL_H
#define PS_CRL_H

#include "base/buf.h"
#include "base/err.h"
#include "tls/cert.h"

struct crl;
void crl_free(struct crl *crl);
PS_DEFINE_FREEP(struct crl, crl_free)
struct crl *crl_ref(struct crl *crl);           /* one more owner */

struct crl_list {
    struct crl **at;
    size_t len, cap;
};
void crl_list_free(struct crl_list *list);
void crl_list_add(struct crl_list *list, struct crl *crl);      /* takes the caller's reference */

/*
 * All CRLs of a PEM text.  A certificate among them is refused (PS_E_CERT): PostgreSQL loads the file
 * with X509_STORE_load_locations and would trust that certificate as an anchor.
 */
PS_MUST bool crl_list_from_pem(const char *pem, size_t len, const char *name,
                               struct crl_list *out, struct ps_err *err);
/*
 * The same as the server loads it: certificates among them go to `certs`, and it will trust them as CAs.
 * PS_E_CERT when there is neither.
 */
PS_MUST bool crl_list_from_pem_mixed(const char *pem, size_t len, const char *name, struct crl_list *out,
                                     struct cert_list *certs, struct ps_err *err);
PS_MUST bool crl_to_pem(const struct crl *crl, struct buf *out, struct ps_err *err);
PS_MUST bool crl_from_der(const void *der, size_t len, struct crl **out, struct ps_err *err);
PS_MUST bool crl_to_der(const struct crl *crl, struct buf *out, struct ps_err *err);

struct crl_info {
    const char *issuer;             /* RFC 2253 */
    time_t this_update, next_update;    /* next_update 0: absent */
    int64_t number;                 /* CRL number; -1: absent */
    size_t revoked_len;
    const char *digest;             /* SHA-256 of the DER, lower case hex */
    const char *uri;                /* of a partition: the name in its IDP; "" for a whole one */
};
const struct crl_info *crl_info(const struct crl *crl);
bool crl_has_serial(const struct crl *crl, const char *serial_hex);
bool crl_issued_by(const struct crl *crl, const struct cert *issuer);   /* name and signature */

struct crl_entry {
    const char *serial_hex;
    time_t revoked_at;
    int reason;                     /* CRLReason of RFC 5280 5.3.1; 0 unspecified is left out */
};

struct crl_spec {
    const struct crl_entry *entries;
    size_t len;
    int64_t number;
    time_t this_update, next_update;
    const char *uri;                /* IssuingDistributionPoint, critical; NULL: the whole issuer */
};
/* crl_make for a partition too. */
PS_MUST bool crl_build(const struct cert *issuer, const struct key *issuer_key,
                       const struct crl_spec *spec, struct crl **out, struct ps_err *err);

/* Make and sign a v2 CRL with AKI and CRL number; entries are sorted by serial (PostgreSQL pays for
 * unsorted lists at every connection). */
PS_MUST bool crl_make(const struct cert *issuer, const struct key *issuer_key,
                      const struct crl_entry *entries, size_t len, int64_t number,
                      time_t this_update, time_t next_update, struct crl **out,
                      struct ps_err *err);

#endif

/*
 * verify.h - would the other side accept this chain?  Asked as PostgreSQL and libpq ask.
 *
 * Source: be-secure-openssl.c (be_tls_init, initialize_SSL) and fe-secure-openssl.c: the anchors are
 * what ssl_ca_file / sslrootcert holds, no partial chains; when CRLs are given,
 * X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL: a CRL of every CA of the chain, root included.
 */
#ifndef PS_VERIFY_H
#define PS_VERIFY_H

#include "tls/cert.h"
#include "tls/crl.h"

/*
 * Is `chain` (leaf first) acceptable to a peer that trusts `anchors` and was given `crls` (may be
 * NULL or empty: no revocation check), for this use, at this time (0: now)?  PS_E_CERT otherwise, with
 * OpenSSL's reason, the depth and the subject in the detail, and what to do in the hint.
 */
PS_MUST bool verify_chain(const struct cert_list *chain, const struct cert_list *anchors,
                          const struct crl_list *crls, enum cert_use use, time_t when,
                          struct ps_err *err);

#endif

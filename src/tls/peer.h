/*
 * peer.h - the certificate that the other side of somebody else's TLS connection showed.
 *
 * libpq makes its own connections and gives its SSL away as a void pointer (PQsslStruct).
 */
#ifndef PS_PEER_H
#define PS_PEER_H

#include "base/err.h"
#include "base/mem.h"
#include "tls/cert.h"

/* `ssl` is OpenSSL's SSL after a handshake.  PS_E_CERT when the peer showed no certificate. */
PS_MUST bool peer_cert(void *ssl, struct cert **out, struct ps_err *err);

/* The signature by which it proved to have the key, by IANA's number (SignatureScheme); 0: not known. */
uint16_t peer_scheme(void *ssl);

/* All that it sent, leaf first; empty when it showed none. */
void peer_chain(void *ssl, struct cert_list *out);

/*
 * The CAs whose certificates the server would take, as it named them: RFC 2253, at most
 * PEER_AUTHORITIES_MAX, NULL at the end.  NULL when it named none.
 */
#define PEER_AUTHORITIES_MAX 1000
const char *const *peer_authorities(void *ssl, struct arena *arena);

#endif

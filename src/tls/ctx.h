/*
 * ctx.h - the only maker of SSL_CTX.
 *
 * Two kinds: a client that looks (it verifies nothing by itself unless told: a prober must see what is
 * there) and a server that pretends (the attacker of `prove`).
 */
#ifndef PS_CTX_H
#define PS_CTX_H

#include "base/err.h"
#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/key.h"
#include "tls/names.h"

struct ssl_ctx_st;      /* OpenSSL's SSL_CTX */

struct tls_ctx;         /* may serve many connections; freed after them */
void tls_ctx_free(struct tls_ctx *ctx);
PS_DEFINE_FREEP(struct tls_ctx, tls_ctx_free)
struct ssl_ctx_st *tls_ctx_raw(struct tls_ctx *ctx);    /* for net/io.c only */

struct tls_client_spec {
    enum tls_version min, max;          /* old versions lower the security level to 0 for this use */
    const struct cert_list *anchors;    /* NULL: nothing is verified */
    const struct crl_list *crls;        /* NULL: no revocation check */
    const struct cert_list *chain;      /* our certificate and its intermediates; may be NULL */
    const struct key *key;              /* of chain->at[0] */
    enum tls_version reversed;          /* offer the suites of this version the worst first; 1.2: and before */
    bool alpn_postgresql;               /* offer ALPN "postgresql" (direct TLS, 17+) */
};
PS_MUST bool tls_ctx_client(const struct tls_client_spec *spec, struct tls_ctx **out,
                            struct ps_err *err);

struct tls_server_spec {
    const struct cert_list *chain;
    const struct key *key;
    bool alpn_postgresql;               /* answer ALPN "postgresql" when it is offered */
};
PS_MUST bool tls_ctx_server(const struct tls_server_spec *spec, struct tls_ctx **out,
                            struct ps_err *err);

#endif

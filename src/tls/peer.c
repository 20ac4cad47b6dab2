/* peer.c - see peer.h. */
#include "tls/peer.h"

#include <openssl/ssl.h>

#include "tls/internal.h"

static void free_x509(X509 **x509)
{
    X509_free(*x509);
}

static void free_der(unsigned char **der)
{
    OPENSSL_free(*der);
}

static bool copy_cert(const X509 *x509, struct cert **out, struct ps_err *err)
{
    PS_AUTO(free_der) unsigned char *der = NULL;
    int len = x509 ? i2d_X509(x509, &der) : 0;

    if (len <= 0)
        return ps_fail(err, PS_E_CERT, _("the server showed no certificate"));
    return cert_from_der(der, (size_t)len, out, err);
}

bool peer_cert(void *ssl, struct cert **out, struct ps_err *err)
{
    PS_AUTO(free_x509) X509 *x509 = SSL_get1_peer_certificate(ssl);

    return copy_cert(x509, out, err);
}

void peer_chain(void *ssl, struct cert_list *out)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    struct ps_err ignored;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        PS_AUTO(cert_freep) struct cert *cert = NULL;

        if (copy_cert(sk_X509_value(chain, i), &cert, &ignored))
            cert_list_add(out, cert);
    }
}

const char *const *peer_authorities(void *ssl, struct arena *arena)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    int len = names ? sk_X509_NAME_num(names) : 0;

    if (len <= 0)
        return NULL;
    len = len < PEER_AUTHORITIES_MAX ? len : PEER_AUTHORITIES_MAX;
    const char **out = arena_alloc(arena, ((size_t)len + 1) * sizeof(*out));
    for (int i = 0; i < len; i++)
        out[i] = tls_name_text(arena, sk_X509_NAME_value(names, i));
    return out;
}

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

uint16_t peer_scheme(void *ssl)
{
    static const struct { int type, digest; uint16_t scheme; } schemes[] = {
        { NID_X9_62_id_ecPublicKey, NID_sha256, 0x0403 }, { NID_X9_62_id_ecPublicKey, NID_sha384, 0x0503 },
        { NID_X9_62_id_ecPublicKey, NID_sha512, 0x0603 }, { NID_X9_62_id_ecPublicKey, NID_sha1, 0x0203 },
        { NID_ED25519, NID_undef, 0x0807 }, { NID_ED448, NID_undef, 0x0808 },
        { NID_rsassaPss, NID_sha256, 0x0804 }, { NID_rsassaPss, NID_sha384, 0x0805 },
        { NID_rsassaPss, NID_sha512, 0x0806 }, { NID_rsaEncryption, NID_sha256, 0x0401 },
        { NID_rsaEncryption, NID_sha384, 0x0501 }, { NID_rsaEncryption, NID_sha512, 0x0601 },
        { NID_rsaEncryption, NID_sha1, 0x0201 },
    };
    enum { RSAE_TO_PSS = 0x0809 - 0x0804 };     /* the same hashes for keys that are good for PSS alone */
    const X509 *x509 = SSL_get0_peer_certificate(ssl);
    const EVP_PKEY *pkey = x509 ? X509_get0_pubkey(x509) : NULL;
    int type = NID_undef, digest = NID_undef;

    if (!SSL_get_peer_signature_type_nid(ssl, &type))
        return 0;
    (void)SSL_get_peer_signature_nid(ssl, &digest);
    for (size_t i = 0; i < PS_COUNT(schemes); i++)
        if (schemes[i].type == type && schemes[i].digest == digest)
            return type == NID_rsassaPss && pkey && EVP_PKEY_is_a(pkey, "RSA-PSS")
                 ? (uint16_t)(schemes[i].scheme + RSAE_TO_PSS) : schemes[i].scheme;
    return 0;
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

/* pkcs12.c - see pkcs12.h. */
#include "tls/pkcs12.h"

#include <openssl/pkcs12.h>

#include "tls/internal.h"

PS_DEFINE_FREEP(PKCS12, PKCS12_free)

static void free_certs(STACK_OF(X509) **certs)
{
    sk_X509_pop_free(*certs, X509_free);
}

/* ---- writing ---- */

static STACK_OF(X509) *rest_of(const struct cert_list *chain)
{
    STACK_OF(X509) *rest = sk_X509_new_null();

    for (size_t i = 1; rest && i < chain->len; i++) {
        X509_up_ref(chain->at[i]->x509);
        if (!sk_X509_push(rest, chain->at[i]->x509))
            X509_free(chain->at[i]->x509);
    }
    return rest;
}

static bool fail_make(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not make a PKCS#12 file"));
}

static bool take_der(PKCS12 *p12, struct secret *out, struct ps_err *err)
{
    unsigned char *der = NULL;
    int len = i2d_PKCS12(p12, &der);

    if (len <= 0)
        return fail_make(err);
    secret_set(out, der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    return true;
}

bool pkcs12_make(const struct cert_list *chain, const struct key *key, const char *name,
                 const struct secret *pass, struct secret *out, struct ps_err *err)
{
    PS_AUTO(free_certs) STACK_OF(X509) *rest = rest_of(chain);
    PS_AUTO(PKCS12_freep) PKCS12 *p12 = NULL;

    ERR_clear_error();
    if (chain->len == 0 || !cert_matches_key(chain->at[0], key))
        return ps_fail(err, PS_E_CERT, _("the certificate and the private key do not fit"));
    p12 = PKCS12_create(pass->p, name, key->pkey, chain->at[0]->x509, rest, NID_aes_256_cbc,
                        NID_aes_256_cbc, PKCS12_ROUNDS, -1, 0);
    if (!p12 || !PKCS12_set_mac(p12, pass->p, -1, NULL, 0, PKCS12_ROUNDS, EVP_sha256()))
        return fail_make(err);
    return take_der(p12, out, err);
}

/* ---- reading ---- */

static PKCS12 *parse(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    PS_AUTO(PKCS12_freep) PKCS12 *p12 = len <= PKCS12_MAX ? d2i_PKCS12(NULL, &p, (long)len) : NULL;

    return p12 && p == (const unsigned char *)bytes + len ? PS_TAKE(p12) : NULL;
}

bool pkcs12_is(const void *bytes, size_t len)
{
    PS_AUTO(PKCS12_freep) PKCS12 *p12 = parse(bytes, len);

    ERR_clear_error();
    return p12 != NULL;
}

/* The MAC is checked before anything is decrypted, so its rounds are the ones to bound. */
static bool rounds_ok(const PKCS12 *p12)
{
    const ASN1_INTEGER *rounds = NULL;
    int64_t count = 1;

    if (!PKCS12_mac_present(p12))
        return false;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    return (!rounds || ASN1_INTEGER_get_int64(&count, rounds) == 1) && count > 0
        && count <= PKCS12_ROUNDS_MAX;
}

static bool check(PKCS12 *p12, const char *name, const struct secret *pass, struct ps_err *err)
{
    if (!rounds_ok(p12)) {
        ERR_clear_error();
        ps_fail(err, PS_E_TOO_BIG, _("cannot check the integrity of \"%s\""), name);
        return ps_detail(err, _("It has no MAC, or one of more than %d rounds."), PKCS12_ROUNDS_MAX);
    }
    if (PKCS12_verify_mac(p12, pass ? pass->p : "", -1))
        return true;
    ERR_clear_error();
    if (pass)
        return ps_fail(err, PS_E_PASSPHRASE, _("wrong passphrase for \"%s\""), name);
    return ps_fail(err, PS_E_PASSPHRASE, _("\"%s\" is encrypted"), name);
}

static bool take(X509 *leaf, STACK_OF(X509) *rest, EVP_PKEY *pkey, const char *name,
                 struct cert_list *chain, struct key **key, struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *cert = leaf ? cert_wrap(leaf) : NULL;
    PS_AUTO(key_freep) struct key *own = pkey ? key_wrap(pkey) : NULL;

    if (!cert || !own)
        return ps_fail(err, PS_E_NOT_FOUND, _("no private key with its certificate in \"%s\""), name);
    cert_list_add(chain, cert);
    for (int i = 0; i < (rest ? sk_X509_num(rest) : 0) && chain->len < CERT_LIST_MAX; i++) {
        X509_up_ref(sk_X509_value(rest, i));
        PS_AUTO(cert_freep) struct cert *other = cert_wrap(sk_X509_value(rest, i));

        cert_list_add(chain, other);
    }
    *key = PS_TAKE(own);
    return true;
}

bool pkcs12_read(const void *bytes, size_t len, const char *name, const struct secret *pass,
                 struct cert_list *chain, struct key **key, struct ps_err *err)
{
    PS_AUTO(PKCS12_freep) PKCS12 *p12 = parse(bytes, len);
    PS_AUTO(free_certs) STACK_OF(X509) *rest = NULL;
    EVP_PKEY *pkey = NULL;
    X509 *leaf = NULL;

    if (!p12)
        return tls_fail(err, PS_E_SYNTAX, _("broken PKCS#12 file \"%s\""), name);
    if (!check(p12, name, pass, err))
        return false;
    if (!PKCS12_parse(p12, pass ? pass->p : "", &pkey, &leaf, &rest)) {
        tls_fail(err, PS_E_SYNTAX, _("could not decrypt \"%s\""), name);
        return ps_hint(err, _("Files of old Windows are encrypted by RC2; export it again with AES, or "
                              "convert it with \"openssl pkcs12 -legacy\"."));
    }
    ERR_clear_error();
    return take(leaf, rest, pkey, name, chain, key, err);
}

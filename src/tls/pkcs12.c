/* pkcs12.c - see pkcs12.h. */
#include "tls/pkcs12.h"

#include <openssl/pkcs12.h>

#include "tls/internal.h"

PS_DEFINE_FREEP(PKCS12, PKCS12_free)
PS_DEFINE_FREEP(PBE2PARAM, PBE2PARAM_free)
PS_DEFINE_FREEP(PBKDF2PARAM, PBKDF2PARAM_free)
PS_DEFINE_FREEP(PBEPARAM, PBEPARAM_free)

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

/*
 * A file says how often a passphrase is to be hashed: for its MAC, for each of its parts, and, inside of
 * a part, for each key.  All are bounded before they are done, or a file could keep us busy for years.
 */
static bool count_ok(const ASN1_INTEGER *rounds)
{
    int64_t count = 1;

    return (!rounds || ASN1_INTEGER_get_int64(&count, rounds) == 1) && count > 0
        && count <= PKCS12_ROUNDS_MAX;
}

static bool mac_rounds_ok(const PKCS12 *p12)
{
    const ASN1_INTEGER *rounds = NULL;

    if (!PKCS12_mac_present(p12))
        return false;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    return count_ok(rounds);
}

/* PBES2 of RFC 8018 A.4, by PBKDF2 alone: scrypt, which OpenSSL has too, asks for memory and time. */
static bool pbes2_ok(const ASN1_TYPE *params)
{
    PS_AUTO(PBE2PARAM_freep) PBE2PARAM *pbe2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM),
                                                                         params);
    if (!pbe2 || OBJ_obj2nid(pbe2->keyfunc->algorithm) != NID_id_pbkdf2)
        return false;

    PS_AUTO(PBKDF2PARAM_freep) PBKDF2PARAM *pbkdf2 =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbe2->keyfunc->parameter);
    return pbkdf2 && count_ok(pbkdf2->iter);
}

static bool cipher_ok(const X509_ALGOR *algor)
{
    if (OBJ_obj2nid(algor->algorithm) == NID_pbes2)
        return pbes2_ok(algor->parameter);

    PS_AUTO(PBEPARAM_freep) PBEPARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM),
                                                                      algor->parameter);
    return pbe && count_ok(pbe->iter);
}

static void free_bags(STACK_OF(PKCS12_SAFEBAG) **bags)
{
    sk_PKCS12_SAFEBAG_pop_free(*bags, PKCS12_SAFEBAG_free);
}

static void free_parts(STACK_OF(PKCS7) **parts)
{
    sk_PKCS7_pop_free(*parts, PKCS7_free);
}

enum { BAGS_DEEP = 4 };     /* bags in bags */

static bool bags_ok(const STACK_OF(PKCS12_SAFEBAG) *bags, int depth)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        const X509_SIG *sealed = PKCS12_SAFEBAG_get0_pkcs8(bag);
        const STACK_OF(PKCS12_SAFEBAG) *inner = PKCS12_SAFEBAG_get0_safes(bag);
        const X509_ALGOR *algor = NULL;

        if (sealed)
            X509_SIG_get0(sealed, &algor, NULL);
        if ((algor && !cipher_ok(algor)) || (inner && (depth == 0 || !bags_ok(inner, depth - 1))))
            return false;
    }
    return true;
}

/* A part that cannot be decrypted is PKCS12_parse()'s to refuse. */
static bool part_ok(PKCS7 *part, const char *pass)
{
    PS_AUTO(free_bags) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    if (PKCS7_type_is_data(part))
        bags = PKCS12_unpack_p7data(part);
    else if (PKCS7_type_is_encrypted(part)) {
        if (!part->d.encrypted || !cipher_ok(part->d.encrypted->enc_data->algorithm))
            return false;
        bags = PKCS12_unpack_p7encdata(part, pass, pass ? (int)strlen(pass) : 0);
    }
    return !bags || bags_ok(bags, BAGS_DEEP);
}

static bool parts_ok(PKCS12 *p12, const char *pass)
{
    PS_AUTO(free_parts) STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(p12);

    for (int i = 0; i < (parts ? sk_PKCS7_num(parts) : 0); i++)
        if (!part_ok(sk_PKCS7_value(parts, i), pass))
            return false;
    return parts != NULL;
}

/* "No passphrase" is hashed as an empty text by some programs, and by others as no text at all. */
static bool fits(PKCS12 *p12, const struct secret *pass, const char **text)
{
    *text = pass ? pass->p : "";
    if (PKCS12_verify_mac(p12, *text, -1))
        return true;
    *text = **text ? *text : NULL;
    return !*text && PKCS12_verify_mac(p12, NULL, 0);
}

/* *text: the passphrase as the functions of OpenSSL want it. */
static bool check(PKCS12 *p12, const char *name, const struct secret *pass, const char **text,
                  struct ps_err *err)
{
    if (!mac_rounds_ok(p12)) {
        ERR_clear_error();
        ps_fail(err, PS_E_TOO_BIG, _("cannot check the integrity of \"%s\""), name);
        return ps_detail(err, _("It has no MAC, or one of more than %d rounds."), PKCS12_ROUNDS_MAX);
    }
    if (!fits(p12, pass, text)) {
        ERR_clear_error();
        return pass ? ps_fail(err, PS_E_PASSPHRASE, _("wrong passphrase for \"%s\""), name)
                    : ps_fail(err, PS_E_PASSPHRASE, _("\"%s\" is encrypted"), name);
    }
    if (parts_ok(p12, *text))
        return true;
    ERR_clear_error();
    ps_fail(err, PS_E_TOO_BIG, _("could not decrypt \"%s\""), name);
    return ps_detail(err, _("It is not encrypted by a passphrase as PKCS#5 has it, or with more than %d "
                            "rounds."), PKCS12_ROUNDS_MAX);
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
    const char *text = NULL;
    EVP_PKEY *pkey = NULL;
    X509 *leaf = NULL;

    if (!p12)
        return tls_fail(err, PS_E_SYNTAX, _("broken PKCS#12 file \"%s\""), name);
    if (!check(p12, name, pass, &text, err))
        return false;
    if (!PKCS12_parse(p12, text, &pkey, &leaf, &rest)) {
        tls_fail(err, PS_E_SYNTAX, _("could not decrypt \"%s\""), name);
        return ps_hint(err, _("Files of old Windows are encrypted by RC2; export it again with AES, or "
                              "convert it with \"openssl pkcs12 -legacy\"."));
    }
    ERR_clear_error();
    return take(leaf, rest, pkey, name, chain, key, err);
}

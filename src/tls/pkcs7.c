/* pkcs7.c - see pkcs7.h. */
#include "tls/pkcs7.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include "tls/internal.h"

PS_DEFINE_FREEP(PKCS7, PKCS7_free)

static PKCS7 *parse_der(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    PS_AUTO(PKCS7_freep) PKCS7 *p7 = len <= PKCS7_MAX ? d2i_PKCS7(NULL, &p, (long)len) : NULL;

    ERR_clear_error();
    return p7 && p == (const unsigned char *)bytes + len ? PS_TAKE(p7) : NULL;
}

static PKCS7 *parse_pem(const void *bytes, size_t len)
{
    PS_AUTO(BIO_free_allp) BIO *bio =
        len <= PKCS7_MAX ? BIO_new_mem_buf(len ? bytes : "", (int)len) : NULL;
    PKCS7 *p7 = bio ? PEM_read_bio_PKCS7(bio, NULL, NULL, NULL) : NULL;

    ERR_clear_error();
    return p7;
}

static PKCS7 *parse(const void *bytes, size_t len)
{
    PKCS7 *p7 = parse_der(bytes, len);

    return p7 ? p7 : parse_pem(bytes, len);
}

bool pkcs7_is(const void *bytes, size_t len)
{
    PS_AUTO(PKCS7_freep) PKCS7 *p7 = parse(bytes, len);

    return p7 != NULL;
}

static STACK_OF(X509) *certs_in(const PKCS7 *p7)
{
    if (PKCS7_type_is_signed(p7) && p7->d.sign)
        return p7->d.sign->cert;
    if (PKCS7_type_is_signedAndEnveloped(p7) && p7->d.signed_and_enveloped)
        return p7->d.signed_and_enveloped->cert;
    return NULL;
}

bool pkcs7_certs(const void *bytes, size_t len, const char *name, struct cert_list *out,
                 struct ps_err *err)
{
    PS_AUTO(PKCS7_freep) PKCS7 *p7 = parse(bytes, len);
    STACK_OF(X509) *certs = p7 ? certs_in(p7) : NULL;
    int count = certs ? sk_X509_num(certs) : 0;

    if (!p7)
        return ps_fail(err, PS_E_SYNTAX, _("\"%s\" is no PKCS#7 file"), name);
    if (count == 0)
        return ps_fail(err, PS_E_CERT, _("no certificate in \"%s\""), name);
    if (count > CERT_LIST_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("too many certificates in \"%s\""), name);
    for (int i = 0; i < count; i++) {
        X509_up_ref(sk_X509_value(certs, i));
        PS_AUTO(cert_freep) struct cert *cert = cert_wrap(sk_X509_value(certs, i));

        cert_list_add(out, cert);
    }
    return true;
}

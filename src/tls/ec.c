/* ec.c - EC keys of the groups we make, written without libcrypto's encoders; see internal.h. */
#include <openssl/core_names.h>

#include "tls/internal.h"

enum { HEAD_MAX = 40, POINT_MAX = 97, SCALAR_MAX = 48, MIDDLE_BYTES = 5 };

/* The fixed bytes of SubjectPublicKeyInfo (RFC 5480 2) and of PKCS#8 with an ECPrivateKey in it
 * (RFC 5958 2, RFC 5915 3, without the parameters that PKCS#8 says already). */
static const struct form {
    const char *group;
    size_t scalar_len, point_len, public_len, private_len;
    unsigned char public_head[HEAD_MAX], private_head[HEAD_MAX], middle[MIDDLE_BYTES];
} forms[] = {
    { SN_X9_62_prime256v1, 32, 65, 26, 36,
      { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 },
      { 0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30,
        0x6b, 0x02, 0x01, 0x01, 0x04, 0x20 },
      { 0xa1, 0x44, 0x03, 0x42, 0x00 } },
    { SN_secp384r1, 48, 97, 23, 35,
      { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
        0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 },
      { 0x30, 0x81, 0xb6, 0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x04, 0x81, 0x9e, 0x30, 0x81, 0x9b,
        0x02, 0x01, 0x01, 0x04, 0x30 },
      { 0xa1, 0x64, 0x03, 0x62, 0x00 } },
};

/* NULL for a key that has none: another type or group, or a point that is not written in full. */
static const struct form *form_of(EVP_PKEY *pkey, unsigned char point[POINT_MAX])
{
    char group[32];
    size_t len = 0;

    if (!EVP_PKEY_is_a(pkey, "EC") || !EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL)
        || !EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_MAX,
                                            &len)) {
        ERR_clear_error();
        return NULL;
    }
    for (size_t i = 0; i < PS_COUNT(forms); i++)
        if (strcmp(group, forms[i].group) == 0 && len == forms[i].point_len)
            return &forms[i];
    return NULL;
}

bool tls_ec_public(EVP_PKEY *pkey, struct buf *out, size_t *bits_at)
{
    unsigned char point[POINT_MAX];
    const struct form *form = form_of(pkey, point);

    if (!form)
        return false;
    *bits_at = form->public_len;
    return buf_put(out, form->public_head, form->public_len)
        && buf_put(out, point, form->point_len);
}

/* Straight into `out`: EVP_PKEY_get_bn_param would leave the number on the stack. */
static bool read_scalar(EVP_PKEY *pkey, const struct form *form, unsigned char *out)
{
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, out, form->scalar_len),
        OSSL_PARAM_construct_end(),
    };

    if (!EVP_PKEY_get_params(pkey, wanted) || !OSSL_PARAM_modified(wanted)
        || wanted->return_size != form->scalar_len) {
        ERR_clear_error();
        return false;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__       /* a number of OSSL_PARAM is the machine's */
    for (size_t i = 0, j = form->scalar_len - 1; i < j; i++, j--) {
        unsigned char byte = out[i];

        out[i] = out[j];
        out[j] = byte;
    }
#endif
    return true;
}

bool tls_ec_pkcs8(EVP_PKEY *pkey, struct secret *out)
{
    unsigned char point[POINT_MAX];
    const struct form *form = form_of(pkey, point);
    PS_AUTO(secret_free) struct secret der = { 0 };

    if (!form)
        return false;
    secret_alloc(&der, form->private_len + form->scalar_len + MIDDLE_BYTES + form->point_len);

    unsigned char *to = (unsigned char *)der.p;
    memcpy(to, form->private_head, form->private_len);
    to += form->private_len;
    if (!read_scalar(pkey, form, to))
        return false;
    to += form->scalar_len;
    memcpy(to, form->middle, MIDDLE_BYTES);
    memcpy(to + MIDDLE_BYTES, point, form->point_len);
    secret_free(out);
    *out = der;
    der = (struct secret){ 0 };
    return true;
}

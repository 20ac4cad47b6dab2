/* hash.c - see hash.h. */
#include "tls/hash.h"

#include "tls/internal.h"

static unsigned long name_hash(const X509_NAME *name)
{
    unsigned long hash = X509_NAME_hash_ex(name, NULL, NULL, NULL);

    ERR_clear_error();
    return hash & 0xffffffffUL;
}

const char *hash_name_crl(const struct crl *crl, unsigned number, char out[HASH_NAME])
{
    snprintf(out, HASH_NAME, "%08lx.r%u", name_hash(X509_CRL_get_issuer(crl->x509_crl)), number);
    return out;
}

bool hash_name_is_crl(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot[1] == 'r' && dot[2] && strspn(dot + 2, "0123456789") == strlen(dot + 2);
}

const char *hash_name_cert(const struct cert *cert, unsigned number, char out[HASH_NAME])
{
    snprintf(out, HASH_NAME, "%08lx.%u", name_hash(X509_get_subject_name(cert->x509)), number);
    return out;
}

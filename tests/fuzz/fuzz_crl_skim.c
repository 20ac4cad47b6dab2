/*
 * fuzz_crl_skim.c - promises: of what crl_skim_der() takes the parts lie inside of the bytes, one behind
 * the other; and where OpenSSL takes it too, which also looks into names, it counts as many entries.
 */
#include <stdlib.h>

#include <openssl/x509.h>

#include "tls/crl_skim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(const struct span *part, const struct span *whole)
{
    return part->p >= whole->p && part->p + part->len <= whole->p + whole->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span all = { data, size };
    const unsigned char *p = data;
    struct crl_skim skim;

    if (!crl_skim_der(data, size, &skim))
        return 0;
    if (!lies_in(&skim.body, &all) || !lies_in(&skim.front, &skim.body)
        || !lies_in(&skim.tail, &skim.body) || !lies_in(&skim.algorithm, &all)
        || !lies_in(&skim.signature, &all) || skim.front.p + skim.front.len > skim.tail.p)
        abort();
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)size);
    if (crl && (p != data + size
                || sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) != (int)skim.entries))
        abort();
    X509_CRL_free(crl);
    return 0;
}

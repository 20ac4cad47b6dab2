/*
 * fuzz_pkcs7.c - promises: what is refused has a reason; what gives certificates is a PKCS#7 file, and
 * they can be put into the order of a chain or are said to be none.
 */
#include "tls/chain.h"
#include "tls/pkcs7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };
    struct ps_err err = { 0 };

    if (!pkcs7_certs(data, size, "fuzz", &list, &err)) {
        if (list.len || err.code == PS_E_NONE || !err.message[0])
            abort();
        return 0;
    }
    if (list.len == 0 || !pkcs7_is(data, size))
        abort();
    if (chain_order(&list, NULL, &err) && list.len == 0)
        abort();
    return 0;
}

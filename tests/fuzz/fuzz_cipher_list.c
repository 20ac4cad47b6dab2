/*
 * fuzz_cipher_list.c - promises: a word that is found lies in the list, and the list may be expanded or
 * refused, whatever it is.
 */
#include "base/mem.h"
#include "tls/cipher_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(ps_freep) char *list = ps_strndup((const char *)data, size);
    PS_AUTO(suites_free) struct suites suites = { 0 };
    enum suite_flaw flaw;
    size_t begin, len;
    struct ps_err err;

    if (suites_named_weak(list, &flaw, &begin, &len)
        && (len == 0 || begin + len > strlen(list)
            || (flaw != SUITE_NULL && flaw != SUITE_ANON && flaw != SUITE_WEAK)))
        abort();
    if (suites_expand(list, &suites, &err))
        for (size_t i = 0; i < suites.len; i++)
            if (!suites.at[i].name)
                abort();
    group_bits(list);
    return 0;
}

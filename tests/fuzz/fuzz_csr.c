/*
 * fuzz_csr.c - promises: a request that is read says everything, has a key, and is written and read
 * again as the same one; what is refused has a reason.
 */
#include "base/mem.h"
#include "tls/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct csr *csr)
{
    PS_AUTO(buf_free) struct buf pem = BUF(2 * CSR_MAX);
    PS_AUTO(csr_freep) struct csr *again = NULL;
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err;

    if (!csr_key(csr, &key, &err) || !csr_to_pem(csr, &pem, &err))
        abort();
    if (pem.len <= CSR_MAX && (!csr_read(pem.p, pem.len, "again", &again, &err)
                               || strcmp(csr_info(again)->subject, csr_info(csr)->subject) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(csr_freep) struct csr *csr = NULL;
    struct ps_err err = { 0 };

    if (!csr_read((const char *)data, size, "fuzz", &csr, &err)) {
        if (csr || err.code == PS_E_NONE || !err.message[0])
            abort();
        return 0;
    }
    const struct csr_info *info = csr_info(csr);
    if (!info->subject || !info->key_text || !info->dns || !info->ip)
        abort();
    check_again(csr);
    return 0;
}

/*
 * fuzz_key_pem.c - promises: a key that is read can be written and read again; one that is encrypted
 * is never read without a passphrase, and no error text quotes the input.
 */
#include "base/mem.h"
#include "tls/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *again = NULL;
    PS_AUTO(secret_free) struct secret pem = { 0 };
    struct ps_err err = { 0 };
    char text[64];

    (void)key_pem_is_encrypted((const char *)data, size);
    if (!key_from_pem((const char *)data, size, "fuzz", NULL, &key, &err)) {
        if (key || err.code == PS_E_NONE || !err.message[0] || strstr(err.detail, "BEGIN"))
            abort();
        return 0;
    }
    if (!*key_describe(key, text, sizeof(text)))
        abort();
    if (key_to_pem(key, NULL, &pem, &err)
        && !key_from_pem(pem.p, pem.len, "again", NULL, &again, &err))
        abort();
    return 0;
}

/*
 * fuzz_pkcs12.c - promises: what is refused has a reason and leaves everything alone; what gives a key
 * and certificates is a PKCS#12 file, the key fits the first of them, and together they can be written
 * again and read back.
 *
 * A changed file would end at its MAC, so one that can be taken apart gets a MAC that is right.
 */
#include <openssl/pkcs12.h>

#include "tls/pkcs12.h"

#define WORD "fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pair(const struct cert_list *chain, const struct key *key)
{
    PS_AUTO(cert_list_free) struct cert_list again = { 0 };
    PS_AUTO(key_freep) struct key *key_again = NULL;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(secret_free) struct secret p12 = { 0 };
    static bool was_written;        /* 100,000 rounds each time */
    struct ps_err err = { 0 };

    if (chain->len == 0 || !key || !cert_matches_key(chain->at[0], key))
        abort();
    if (was_written)
        return;
    was_written = true;
    secret_set(&pass, WORD, strlen(WORD));
    if (!pkcs12_make(chain, key, "fuzz", &pass, &p12, &err)
        || !pkcs12_read(p12.p, p12.len, "fuzz", &pass, &again, &key_again, &err)
        || again.len != chain->len || !cert_same(again.at[0], chain->at[0]))
        abort();
}

static void read_with(const uint8_t *data, size_t size, const struct secret *pass)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err = { 0 };

    if (!pkcs12_read(data, size, "fuzz", pass, &chain, &key, &err)) {
        if (chain.len || key || err.code == PS_E_NONE || !err.message[0])
            abort();
        return;
    }
    if (!pkcs12_is(data, size))
        abort();
    check_pair(&chain, key);
}

static void read_with_right_mac(const uint8_t *data, size_t size, const struct secret *pass)
{
    const unsigned char *p = data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)size);
    unsigned char *der = NULL;
    int len = -1;

    if (p12 && PKCS12_set_mac(p12, WORD, -1, NULL, 0, 1, EVP_sha256()))
        len = i2d_PKCS12(p12, &der);
    if (len > 0)
        read_with(der, (size_t)len, pass);
    OPENSSL_free(der);
    PKCS12_free(p12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(secret_free) struct secret pass = { 0 };

    if (size > PKCS12_MAX)
        return 0;
    secret_set(&pass, WORD, strlen(WORD));
    read_with(data, size, NULL);
    read_with(data, size, &pass);
    read_with_right_mac(data, size, &pass);
    return 0;
}

/*
 * fuzz_cert_pem.c - promises: what is read as certificates can be written, and read again as the same
 * ones; every text is there; every question about hosts and issuers has an answer.
 */
#include "base/mem.h"
#include "tls/cert.h"
#include "tls/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_info(const struct cert *cert)
{
    const struct cert_info *info = cert_info(cert);

    if (!info->subject || !info->issuer || !info->common_name || !info->key_text
        || !info->signature_text || strlen(info->fingerprint) != CERT_FINGERPRINT_HEX - 1
        || !*info->serial_hex || !*info->serial_dec || !info->dns || !info->ip)
        abort();
    for (const char *const *dns = info->dns; *dns; dns++)
        if (**dns && !cert_speaks_for(cert, *dns))
            abort();
    for (const char *const *ip = info->ip; *ip; ip++)
        if (!cert_speaks_for(cert, *ip))
            abort();
    (void)cert_issued_by(cert, cert);
}

static void check_again(const struct cert_list *list)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    PS_AUTO(cert_list_free) struct cert_list again = { 0 };
    struct ps_err err;

    for (size_t i = 0; i < list->len; i++)
        if (!cert_to_pem(list->at[i], &pem, &err))
            abort();
    if (!cert_list_from_pem(pem.p, pem.len, "again", &again, &err) || again.len != list->len)
        abort();
    for (size_t i = 0; i < list->len; i++)
        if (!cert_same(list->at[i], again.at[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };
    struct ps_err err = { 0 };

    if (!cert_list_from_pem((const char *)data, size, "fuzz", &list, &err)) {
        if (list.len != 0 || err.code == PS_E_NONE || !err.message[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < list.len; i++)
        check_info(list.at[i]);
    check_again(&list);
    return 0;
}

/*
 * fuzz_crl_pem.c - promises: what is read as CRLs holds no certificate, can be written, and is read
 * again as the same lists.
 */
#include "base/mem.h"
#include "tls/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct crl_list *list)
{
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    PS_AUTO(cert_list_free) struct cert_list certs = { 0 };
    PS_AUTO(crl_list_free) struct crl_list again = { 0 };
    struct ps_err err;

    for (size_t i = 0; i < list->len; i++)
        if (!crl_to_pem(list->at[i], &pem, &err))
            abort();
    if (cert_list_from_pem(pem.p, pem.len, "again", &certs, &err)
        || !crl_list_from_pem(pem.p, pem.len, "again", &again, &err) || again.len != list->len)
        abort();
    for (size_t i = 0; i < list->len; i++) {
        const struct crl_info *a = crl_info(list->at[i]), *b = crl_info(again.at[i]);

        if (strcmp(a->issuer, b->issuer) != 0 || a->number != b->number
            || a->revoked_len != b->revoked_len || a->next_update != b->next_update)
            abort();
        (void)crl_has_serial(list->at[i], "0a");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };
    struct ps_err err = { 0 };

    if (crl_list_from_pem((const char *)data, size, "fuzz", &list, &err))
        check_again(&list);
    else if (list.len != 0 || err.code == PS_E_NONE || !err.message[0])
        abort();
    return 0;
}

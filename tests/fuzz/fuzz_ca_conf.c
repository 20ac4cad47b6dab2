/*
 * fuzz_ca_conf.c - promise: what is taken can be written, and what was written reads as the same.
 */
#include "base/mem.h"
#include "ca/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(ca_conf_free) struct ca_conf conf = { 0 };
    PS_AUTO(ca_conf_free) struct ca_conf again = { 0 };
    PS_AUTO(buf_free) struct buf first = BUF(2 * CA_CONF_MAX_BYTES);
    PS_AUTO(buf_free) struct buf second = BUF(2 * CA_CONF_MAX_BYTES);
    struct ps_err err;

    if (!ca_conf_parse((const char *)data, size, "fuzz", &conf, &err))
        return 0;
    if (!ca_conf_write(&conf, &first, &err))
        abort();
    if (first.len >= CA_CONF_MAX_BYTES)     /* defaults were written out */
        return 0;
    if (!ca_conf_parse(first.p, first.len, "fuzz", &again, &err)
        || !ca_conf_write(&again, &second, &err) || strcmp(first.p, second.p) != 0)
        abort();
    return 0;
}

/*
 * fuzz_redact.c - a statement without its values.  Promises: it has a bound; no digit stands in it that does
 * not belong to a name, and no quote that opens a string.
 */
#include "base/mem.h"
#include "capture/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(buf_free) struct buf out = BUF(BUF_TEXT_MAX);

    redact_sql((const char *)data, size, &out);
    if (out.len > REDACT_MAX + 3)
        abort();
    if (!memchr(data, '"', size) && out.len && memchr(buf_text(&out), '\'', out.len))
        abort();
    return 0;
}

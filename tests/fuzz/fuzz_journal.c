/*
 * fuzz_journal.c - promise: what a journal says is written again as it was read, and read again as it
 * was written; a journal that is refused names a line.
 */
#include "secure/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(txn_freep) struct txn *first = NULL, *second = NULL;
    PS_AUTO(buf_free) struct buf once = BUF(4 * JOURNAL_MAX_BYTES), twice = BUF(4 * JOURNAL_MAX_BYTES);
    struct ps_err err = { 0 };

    if (!txn_parse((const char *)data, size, "fuzz", &first, &err)) {
        if (err.code != PS_E_SYNTAX)
            abort();
        return 0;
    }
    txn_write_text(first, &once);
    if (!txn_parse(once.p, once.len, "fuzz", &second, &err))
        abort();
    txn_write_text(second, &twice);
    if (once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
        abort();
    return 0;
}

/* fuzz_past.c - lines of an earlier scan.  Promise: each server read can be found again, and has its ids. */
#include "base/mem.h"
#include "probe/past.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(past_free) struct past past = { .arena = arena };
    struct ps_err err = { 0 };

    if (!past_parse((const char *)data, size, "lines", &past, &err) && !err.at.line)
        abort();
    for (size_t i = 0; err.code == PS_E_NONE && i < past.len; i++)
        if (past_find(&past, past.at[i].host, past.at[i].port) != &past.at[i] || !past.at[i].findings)
            abort();
    return 0;
}

/* fuzz_targets.c - a list of targets.  Promise: each has a host and a possible port; a fault has a place. */
#include "base/mem.h"
#include "probe/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int ports[] = { 5432 };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(targets_free) struct targets targets = { .arena = arena, .ports = ports, .ports_len = 1 };
    struct ps_err err = { 0 };

    if (!targets_add_list(&targets, (const char *)data, size, "list", &err) && !err.at.line)
        abort();
    targets_unique(&targets);
    for (size_t i = 0; i < targets.len; i++)
        if (!*targets.at[i].host || targets.at[i].port < 1 || targets.at[i].port > 65535)
            abort();
    return 0;
}

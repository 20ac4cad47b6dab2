/*
 * fuzz_exceptions.c - promises: an exception that is read names a rule, a day and a reason, and its line; what is
 * refused has a reason and a place.  A baseline that is read knows only fingerprints.
 */
#include "rules/baseline.h"
#include "rules/exceptions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_exceptions(const char *text, size_t len)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(exceptions_free) struct exceptions all = { .arena = arena };
    struct ps_err err = { 0 };

    if (!exceptions_parse(text, len, "fuzz", &all, &err)) {
        if (err.code == PS_E_NONE || (err.code != PS_E_TOO_BIG && err.at.line == 0))
            abort();
        return;
    }
    for (size_t i = 0; i < all.len; i++)
        if (!all.at[i].rule || !*all.at[i].reason || all.at[i].until <= 0 || all.at[i].line == 0
            || (all.at[i].where && !*all.at[i].where))
            abort();
}

static void try_baseline(const char *text, size_t len)
{
    PS_AUTO(baseline_free) struct baseline baseline = { 0 };
    struct ps_err err = { 0 };

    if (!baseline_parse(text, len, "fuzz", &baseline, &err))
        return;
    for (size_t i = 0; i < baseline.len; i++)
        if (strlen(baseline.prints[i]) != FINDING_PRINT_HEX - 1
            || !baseline_has(&baseline, baseline.prints[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_exceptions((const char *)data, size);
    try_baseline((const char *)data, size);
    return 0;
}

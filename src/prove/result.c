/* result.c - see result.h: what came of it, counted. */
#include "prove/result.h"

struct prove_result *prove_result_new(void)
{
    struct prove_result *result = ps_calloc(1, sizeof(*result));

    result->arena = arena_new();
    return result;
}

void prove_result_free(struct prove_result *result)
{
    arena_free(result->arena);
    free(result->rows);
    free(result->sieges);
    free(result);
}

static void count_one(enum prove_verdict verdict, struct prove_counts *counts)
{
    counts->passed += verdict == PROVE_PASS;
    counts->failed += verdict == PROVE_FAIL;
    counts->not_examined += verdict == PROVE_NOT_EXAMINED;
}

void prove_count(const struct prove_result *result, struct prove_counts *out)
{
    *out = (struct prove_counts){ 0 };
    for (size_t i = 0; i < result->rows_len; i++)
        count_one(result->rows[i].verdict, out);
    for (size_t i = 0; i < result->sieges_len; i++)
        for (size_t j = 0; j < ATTACK_COUNT; j++)
            count_one(result->sieges[i].against[j].verdict, out);
}

bool prove_passed(const struct prove_result *result)
{
    struct prove_counts counts;

    prove_count(result, &counts);
    /* a string has three attacks to withstand: one that was not seen is one too many */
    return counts.failed == 0 && counts.passed > 0
           && (!result->wire_needed
               || (result->wire.looked && !result->wire.why_not && !result->wire.unseen))
           && (!result->is_target || counts.not_examined == 0);
}

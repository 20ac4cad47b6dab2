/* survey_suites.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/* For who speaks TLS 1.2: which kinds of suites, and whose order counts. */
void survey_kinds(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_BROKEN }, { .question = ASK_WEAK },
                            { .question = ASK_NO_FS }, { .question = ASK_NO_AEAD },
                            { .question = ASK_DHE }, { .question = ASK_WEAK_GROUPS },
                            { .question = ASK_REVERSED } };
    uint16_t best = 0;

    for (size_t i = 0; i < seen->suites_len; i++)
        if (seen->suites[i].version == TLS_1_2 && seen->suites[i].suite != seen->suite)
            best = seen->suites[i].suite;
    if (!best && seen->version == TLS_1_2)
        best = seen->suite;
    survey_ask(survey, list, PS_COUNT(list), NULL);
    bool *const flags[] = { &seen->asked_broken, &seen->asked_weak, &seen->asked_no_fs,
                            &seen->asked_no_aead, NULL, &seen->asked_weak_groups };
    for (size_t i = 0; i < PS_COUNT(flags); i++)
        if (flags[i])
            *flags[i] = asked_accepted(&list[i]) || asked_refused(&list[i]);
    if (asked_accepted(&list[6]) && best)
        survey_set(&seen->server_order, list[6].answer.suite == best);
    asked_free(list, PS_COUNT(list));
}

/* Take away what was chosen, and ask again, until nothing is chosen any more. */
static bool exhaust(struct survey *survey, enum question question)
{
    struct seen *seen = survey->seen;
    bool groups = question == ASK_GROUPS13;

    for (int round = 0; round < SEEN_SUITES_MAX; round++) {
        struct offer_without without = { seen->suites, groups ? 0 : seen->suites_len, seen->groups,
                                         groups ? seen->groups_len : 0 };
        struct asked one = { .question = question };
        size_t before = groups ? seen->groups_len : seen->suites_len;

        survey_ask(survey, &one, 1, &without);
        bool over = asked_refused(&one) || one.nothing_left;
        bool more = (groups ? seen->groups_len : seen->suites_len) > before;
        asked_free(&one, 1);
        if (!more)
            return over;
    }
    return false;
}

void survey_all(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct seen_suite before[SEEN_SUITES_MAX];
    size_t before_len = seen->suites_len;
    static const struct { uint16_t version; enum question question; } each[] = {
        { TLS_1_3, ASK_TLS13 }, { TLS_1_2, ASK_TLS12 }, { TLS_1_1, ASK_OLD }, { TLS_1_0, ASK_TLS10 },
        { TLS_SSL3, ASK_SSL3 },
    };

    /* from the first on, so that they come in the server's order */
    memcpy(before, seen->suites, sizeof(before));
    seen->suites_len = 0;
    seen->all_suites = true;
    for (size_t i = 0; i < PS_COUNT(each); i++)
        if (survey_speaks(seen, each[i].version) && !exhaust(survey, each[i].question))
            seen->all_suites = false;
    for (size_t i = 0; i < before_len; i++)
        seen_add_suite(seen, before[i].version, before[i].suite);
    if (survey_speaks(seen, TLS_1_3))
        seen->all_groups = exhaust(survey, ASK_GROUPS13);
}

/* survey_suites.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/* ---- which kinds, and whose order counts ---- */

static size_t suites_of(const struct seen *seen, bool tls13)
{
    size_t n = 0;

    for (size_t i = 0; i < seen->suites_len; i++)
        n += (seen->suites[i].version == TLS_1_3) == tls13;
    return n;
}

/*
 * The same choice out of a list and out of its reverse is the server's own; unless it has no other suite,
 * which then is asked for.
 */
static void judge_order(struct survey *survey, const struct asked *reversed)
{
    struct seen *seen = survey->seen;
    struct asked other = { .question = ASK_TLS12 };

    if (!asked_accepted(reversed) || !survey->first_choice)
        return;
    if (reversed->answer.suite != survey->first_choice) {
        seen->server_order = FACT_NO;
        return;
    }
    if (suites_of(seen, false) == 1)
        survey_ask(survey, &other, 1, OFFER_NEW_SUITES);
    if (suites_of(seen, false) > 1)
        seen->server_order = FACT_YES;
    asked_free(&other, 1);
}

void survey_kinds(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_BROKEN }, { .question = ASK_WEAK },
                            { .question = ASK_NO_FS }, { .question = ASK_NO_AEAD },
                            { .question = ASK_DHE }, { .question = ASK_WEAK_GROUPS },
                            { .question = ASK_REVERSED } };
    bool *const flags[] = { &seen->asked_broken, &seen->asked_weak, &seen->asked_no_fs,
                            &seen->asked_no_aead, NULL, &seen->asked_weak_groups };

    survey_ask(survey, list, PS_COUNT(list), OFFER_ALL);
    for (size_t i = 0; i < PS_COUNT(flags); i++)
        if (flags[i])
            *flags[i] = asked_accepted(&list[i]) || asked_refused(&list[i]);
    judge_order(survey, &list[6]);
    asked_free(list, PS_COUNT(list));
}

/* ---- all of them ---- */

static size_t known(const struct seen *seen, enum leave_out what)
{
    return what == OFFER_NEW_GROUPS ? seen->groups_len : seen->suites_len;
}

/*
 * Take away what was chosen, and ask again, until nothing is chosen any more.  The curve of the server's key
 * is never taken away: a server that falls back on it has no other.
 */
static bool exhaust(struct survey *survey, enum question question, enum leave_out what)
{
    struct seen *seen = survey->seen;
    bool more = true, over = false;

    while (more) {
        struct asked one = { .question = question };
        size_t before = known(seen, what);

        survey_ask(survey, &one, 1, what);
        more = known(seen, what) > before;
        over = asked_refused(&one) || one.nothing_left
            || (what == OFFER_NEW_GROUPS && asked_accepted(&one) && one.answer.group);
        asked_free(&one, 1);
    }
    return over;
}

static void all_suites(struct survey *survey)
{
    static const struct { uint16_t version; enum question question; } each[] = {
        { TLS_1_3, ASK_TLS13 }, { TLS_1_2, ASK_TLS12 }, { TLS_1_1, ASK_OLD }, { TLS_1_0, ASK_TLS10 },
        { TLS_SSL3, ASK_SSL3 },
    };
    struct seen *seen = survey->seen;
    struct seen_suite before[SEEN_SUITES_MAX];
    size_t before_len = seen->suites_len;

    /* from the first on, so that they come in the server's order */
    memcpy(before, seen->suites, sizeof(before));
    seen->suites_len = 0;
    seen->all_suites = true;
    for (size_t i = 0; i < PS_COUNT(each); i++)
        if (survey_speaks(seen, each[i].version)
            && !exhaust(survey, each[i].question, OFFER_NEW_SUITES))
            seen->all_suites = false;
    for (size_t i = 0; i < before_len; i++)
        seen_add_suite(seen, before[i].version, before[i].suite);
}

/* For who speaks nothing older; the suites of TLS 1.3 stand first. */
static void order_of_tls13(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked reversed = { .question = ASK_REVERSED13 };

    if (suites_of(seen, true) < 2)
        return;
    survey_ask(survey, &reversed, 1, OFFER_ALL);
    if (asked_accepted(&reversed))
        seen->server_order = reversed.answer.suite == seen->suites[0].suite ? FACT_YES : FACT_NO;
    asked_free(&reversed, 1);
}

void survey_all(struct survey *survey)
{
    struct seen *seen = survey->seen;

    all_suites(survey);
    seen->all_groups = seen->all_suites;
    if (survey_speaks(seen, TLS_1_3) && !exhaust(survey, ASK_GROUPS13, OFFER_NEW_GROUPS))
        seen->all_groups = false;
    if (seen_has_trait(seen, TRAIT_ECDHE) && !exhaust(survey, ASK_GROUPS12, OFFER_NEW_GROUPS))
        seen->all_groups = false;
    if (!survey_speaks_before(seen, TLS_1_3))
        order_of_tls13(survey);
}

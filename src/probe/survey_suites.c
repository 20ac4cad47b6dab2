/* survey_suites.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/* ---- which kinds, and whose order counts ---- */

size_t survey_suites_of(const struct seen *seen, bool tls13)
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
static void judge_order(struct survey *survey, uint16_t out_of_reverse)
{
    struct seen *seen = survey->seen;
    struct asked other = { .question = ASK_TLS12 };

    if (!survey->first_choice || !out_of_reverse)
        return;
    if (out_of_reverse != survey->first_choice) {
        seen->server_order = FACT_NO;
        return;
    }
    if (survey_suites_of(seen, false) == 1)
        survey_ask(survey, &other, 1, OFFER_NEW_SUITES);
    if (survey_suites_of(seen, false) > 1)
        seen->server_order = FACT_YES;
    asked_free(&other, 1);
}

static uint16_t ask_for_choice(struct survey *survey, enum question question)
{
    struct asked one = { .question = question };

    survey_ask(survey, &one, 1, OFFER_ALL);
    const uint16_t suite = asked_accepted(&one) ? one.answer.suite : 0;
    asked_free(&one, 1);
    return suite;
}

/* `chosen` out of the reverse of what our library has: another choice may have been all that both have. */
static void ask_order(struct survey *survey, uint16_t chosen)
{
    if (survey->suites_max)         /* it never saw all of them in one list */
        return;
    if (!survey->first_choice)
        survey->first_choice = ask_for_choice(survey, ASK_TLS12);
    if (!chosen || chosen != survey->first_choice)
        chosen = ask_for_choice(survey, ASK_REVERSED);
    judge_order(survey, chosen);
}

static bool was_answered(const struct asked *asked)
{
    return asked_accepted(asked) || asked_refused(asked);
}

/* One hello for several kinds of suites: only what is taken is looked at more closely. */
static bool are_all_refused(struct survey *survey, enum question question)
{
    struct asked one = { .question = question };

    survey_ask(survey, &one, 1, OFFER_ALL);
    bool refused = asked_refused(&one);
    asked_free(&one, 1);
    return refused;
}

static void ask_obsolete(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_BROKEN }, { .question = ASK_WEAK } };

    if (are_all_refused(survey, ASK_OBSOLETE)) {
        seen->asked_broken = seen->asked_weak = true;
        return;
    }
    survey_ask(survey, list, PS_COUNT(list), OFFER_ALL);
    seen->asked_broken = was_answered(&list[0]);
    seen->asked_weak = was_answered(&list[1]);
    asked_free(list, PS_COUNT(list));
}

enum { DUBIOUS = TRAIT_BROKEN | TRAIT_WEAK | TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_DHE };

/* False: it takes none of them. */
static bool ask_dubious(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_NO_FS }, { .question = ASK_NO_AEAD },
                            { .question = ASK_DHE } };

    if (survey->all_new || are_all_refused(survey, ASK_DUBIOUS)) {
        seen->asked_broken = seen->asked_weak = seen->asked_no_fs = seen->asked_no_aead = true;
        return seen_has_trait(seen, DUBIOUS);
    }
    ask_obsolete(survey);
    survey_ask(survey, list, PS_COUNT(list), OFFER_ALL);
    seen->asked_no_fs = was_answered(&list[0]);
    seen->asked_no_aead = was_answered(&list[1]);
    asked_free(list, PS_COUNT(list));
    return true;
}

static void ask_weak_groups(struct survey *survey)
{
    struct asked one = { .question = ASK_WEAK_GROUPS };

    if (survey->all_new || survey_has_one_curve(survey->seen)) {
        survey->seen->asked_weak_groups = true;
        return;
    }
    survey_ask(survey, &one, 1, OFFER_ALL);
    survey->seen->asked_weak_groups = was_answered(&one);
    asked_free(&one, 1);
}

void survey_kinds(struct survey *survey)
{
    const bool dubious = ask_dubious(survey);
    uint16_t chosen = 0;

    ask_weak_groups(survey);
    if (survey_never_renegotiates(survey->seen))
        survey->seen->client_renegotiation = FACT_NO;
    else if (survey->seen->client_renegotiation == FACT_UNKNOWN)
        chosen = survey_renegotiation(survey);
    /* where every suite is good any order is: two lines in a log are too many for it */
    if (survey_has_own_order(survey->seen))
        survey->seen->server_order = FACT_YES;
    else if (dubious || chosen || survey->plan->all_ciphers)
        ask_order(survey, chosen);
}

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
    if (suites_of(seen, false) == 1)
        survey_ask(survey, &other, 1, OFFER_NEW_SUITES);
    if (suites_of(seen, false) > 1)
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

/* False: it takes none of them. */
static bool ask_dubious(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_NO_FS }, { .question = ASK_NO_AEAD },
                            { .question = ASK_DHE } };

    if (are_all_refused(survey, ASK_DUBIOUS)) {
        seen->asked_broken = seen->asked_weak = seen->asked_no_fs = seen->asked_no_aead = true;
        return false;
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

    if (survey_has_one_curve(survey->seen)) {
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

        if (what == OFFER_NEW_SUITES)
            survey_ask_both(survey, &one);
        else
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
        { TLS_1_3, ASK_TLS13 }, { TLS_1_2, ASK_TLS12 }, { TLS_1_2, ASK_DHE_NAMED },
        { TLS_1_1, ASK_OLD }, { TLS_1_0, ASK_TLS10 }, { TLS_SSL3, ASK_SSL3 },
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
    survey_schemes(survey);
}

/* survey_versions.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/* A chain that the full handshake could not bring. */
static void take_chain(struct seen *seen, const struct answer *answer)
{
    if (seen->chain.len)
        return;
    for (size_t i = 0; i < answer->certs_len; i++) {
        PS_AUTO(cert_freep) struct cert *cert = NULL;
        struct ps_err ignored = { 0 };

        if (!cert_from_der(answer->certs[i].p, answer->certs[i].len, &cert, &ignored))
            return;
        cert_list_add(&seen->chain, cert);
    }
}

static void ask_hybrid(struct survey *survey)
{
    struct asked hybrid = { .question = ASK_HYBRID };

    survey_ask(survey, &hybrid, 1, OFFER_ALL);
    survey->seen->asked_hybrid = asked_accepted(&hybrid) || asked_refused(&hybrid);
    asked_free(&hybrid, 1);
}

void survey_new_versions(struct survey *survey)
{
    struct seen *seen = survey->seen;
    bool hybrids = survey_speaks(seen, TLS_1_3) && !survey_has_one_curve(seen);
    struct asked list[] = { { .question = ASK_TLS12 },
                            { .question = hybrids ? ASK_HYBRID : ASK_TLS13 } };
    /* our library offered TLS 1.3 and it was not taken: that is known */
    size_t len = hybrids || (!survey_speaks(seen, TLS_1_3) && seen->handshake == FACT_NO) ? 2 : 1;

    survey_ask(survey, list, len, OFFER_ALL);
    take_chain(seen, &list[0].answer);
    if (asked_refused(&list[0]) || (asked_accepted(&list[0]) && list[0].answer.version < TLS_1_2))
        survey_note_version(seen, TLS_1_2, false);
    if (asked_accepted(&list[0]))
        survey->first_choice = list[0].answer.suite;
    if (asked_accepted(&list[0]) && survey_speaks(seen, TLS_1_3))
        survey_set(&seen->sentinel, list[0].answer.downgraded_from == TLS_1_3);
    if (len == 2 && list[1].question == ASK_TLS13 && asked_refused(&list[1]))
        survey_note_version(seen, TLS_1_3, false);
    if (len == 2 && list[1].question == ASK_HYBRID)
        seen->asked_hybrid = asked_accepted(&list[1]) || asked_refused(&list[1]);
    else if (survey_has_one_curve(seen))
        seen->asked_hybrid = true;
    else if (survey_speaks(seen, TLS_1_3))      /* our library could not, and it is there all the same */
        ask_hybrid(survey);
    asked_free(list, len);
}

/* Who takes an old one is asked for the ones below it. */
static void ask_old_versions(struct survey *survey)
{
    static const enum question rising[] = { ASK_SSL3, ASK_TLS10, ASK_OLD };
    struct seen *seen = survey->seen;

    for (int i = 2; i >= 0; i--) {
        struct asked one = { .question = rising[i] };

        survey_ask(survey, &one, 1, OFFER_ALL);
        if (asked_refused(&one))
            for (int j = i; j >= 0; j--)
                survey_note_version(seen, seen_versions[j], false);
        if (asked_accepted(&one)) {
            int got = seen_version_index(one.answer.version);
            for (int j = i; j > got; j--)
                survey_note_version(seen, seen_versions[j], false);
            i = got >= 0 && got < i ? got : i;
        }
        bool go_on = asked_accepted(&one);
        asked_free(&one, 1);
        if (!go_on)
            return;
    }
}

void survey_old_versions(struct survey *survey)
{
    if (!survey_is_cut_off(survey->seen) && !survey_has_nothing_old(survey->seen)) {
        ask_old_versions(survey);
        return;
    }
    for (int i = 0; i < seen_version_index(TLS_1_2); i++)
        survey_note_version(survey->seen, seen_versions[i], false);
}

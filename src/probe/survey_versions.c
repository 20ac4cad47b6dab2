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

/* By a whole handshake, which leaves no line in the log; it offers no compression, and some suites less. */
static bool whole_handshake_tells(struct survey *survey)
{
    struct seen *seen = survey->seen;

    if (!seen->chain.len || !survey_never_compresses(seen) || !survey_whole12(survey)
        || !survey_never_compresses(seen))      /* still */
        return false;
    survey_set(&seen->compression, false);
    return true;
}

/*
 * Some refuse a hello for its length: those of more than 128 suites are known.  A library's is shorter; who takes
 * that one is asked part by part from then on.
 */
static void ask_part_by_part(struct survey *survey, struct asked *asked)
{
    enum { SUITES_MAX = 100 };

    if (survey->suites_max || !asked_refused(asked) || survey_reads_all_hellos(survey->seen)
        || !(survey_speaks(survey->seen, TLS_1_2) || survey_whole12(survey))
        || !survey_speaks(survey->seen, TLS_1_2))
        return;
    survey->suites_max = SUITES_MAX;
    asked_free(asked, 1);
    survey_ask(survey, asked, 1, OFFER_ALL);
}

/* What TLS 1.2 agrees on with everything that we can offer. */
void survey_note_tls12(struct survey *survey, struct asked *asked)
{
    struct seen *seen = survey->seen;

    ask_part_by_part(survey, asked);
    take_chain(seen, &asked->answer);
    if (asked_refused(asked) || (asked_accepted(asked) && asked->answer.version < TLS_1_2))
        survey_note_version(seen, TLS_1_2, false);
    if (!asked_accepted(asked))
        return;
    survey->first_choice = asked->answer.suite;
    if (survey_speaks(seen, TLS_1_3))
        survey_set(&seen->sentinel, asked->answer.downgraded_from == TLS_1_3);
}

void survey_new_versions(struct survey *survey)
{
    struct seen *seen = survey->seen;
    /* where all suites and groups are asked for, these are among them */
    const bool all = survey->plan->all_ciphers;
    const bool tls12 = !all && !whole_handshake_tells(survey);
    const bool hybrids = !all && survey_speaks(seen, TLS_1_3) && !survey_has_one_curve(seen);
    /* our library offered TLS 1.3 and it was not taken: that is known */
    const bool tls13 = !survey_speaks(seen, TLS_1_3) && seen->handshake == FACT_NO;
    struct asked list[2];
    size_t len = 0;

    if (tls12)
        list[len++] = (struct asked){ .question = ASK_TLS12 };
    if (hybrids || tls13)
        list[len++] = (struct asked){ .question = hybrids ? ASK_HYBRID : ASK_TLS13 };
    survey_ask(survey, list, len, OFFER_ALL);
    if (tls12)
        survey_note_tls12(survey, &list[0]);
    if (tls13 && asked_refused(&list[len - 1]))
        survey_note_version(seen, TLS_1_3, false);
    if (hybrids)
        seen->asked_hybrid = asked_accepted(&list[len - 1]) || asked_refused(&list[len - 1]);
    else if (survey_has_one_curve(seen))
        seen->asked_hybrid = true;
    else if (!all && survey_speaks(seen, TLS_1_3))      /* our library could not, and it is there all the same */
        ask_hybrid(survey);
    asked_free(list, len);
}

/*
 * Who takes an old one is asked for the ones below it.  Who refuses one has none below in OpenSSL, which would have
 * gone down to it; others there are that refuse a hello for its version, and take the next.
 */
static void ask_old_versions(struct survey *survey)
{
    static const enum question rising[] = { ASK_SSL3, ASK_TLS10, ASK_OLD };
    struct seen *seen = survey->seen;

    for (int i = 2; i >= 0; i--) {
        struct asked one = { .question = rising[i] };
        const bool goes_down = survey_reads_all_hellos(seen);

        survey_ask(survey, &one, 1, OFFER_ALL);
        const bool refused = asked_refused(&one);
        for (int j = i; refused && j >= (goes_down ? 0 : i); j--)
            survey_note_version(seen, seen_versions[j], false);
        if (asked_accepted(&one)) {
            int got = seen_version_index(one.answer.version);
            for (int j = i; j > got; j--)
                survey_note_version(seen, seen_versions[j], false);
            i = got >= 0 && got < i ? got : i;
        }
        const bool go_on = asked_accepted(&one) || (refused && !goes_down);
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

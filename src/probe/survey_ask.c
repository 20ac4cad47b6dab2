/* survey_ask.c - see survey_parts.h. */
#include "probe/survey_parts.h"

static enum wire_parse hello_enough(const void *bytes, size_t len)
{
    PS_AUTO(answer_free) struct answer answer = { 0 };

    switch (answer_read(bytes, len, &answer)) {
    case ANSWER_MORE: return WIRE_MORE;
    case ANSWER_ALL:  return WIRE_DONE;
    case ANSWER_BAD:  break;
    }
    return WIRE_BAD;
}

void survey_set(enum fact_bool *fact, bool value)
{
    if (*fact != FACT_YES)
        *fact = value ? FACT_YES : FACT_NO;
}

void survey_note_version(struct seen *seen, uint16_t version, bool accepted)
{
    int i = seen_version_index(version);

    if (i >= 0)
        survey_set(&seen->versions[i], accepted);
}

void survey_note_hello(struct seen *seen, const struct answer *answer, bool offered_compression)
{
    bool tls13 = answer->version >= TLS_1_3;

    survey_note_version(seen, answer->version, true);
    seen_add_suite(seen, answer->version, answer->suite);
    seen_add_group(seen, answer->group);
    if (answer->dh_bits && (!seen->dh_bits || answer->dh_bits < seen->dh_bits))
        seen->dh_bits = answer->dh_bits;
    if (tls13)
        return;
    if (offered_compression)
        survey_set(&seen->compression, answer->compression);
    survey_set(&seen->secure_renegotiation, answer->secure_renegotiation);
    survey_set(&seen->extended_master_secret, answer->extended_master_secret);
    survey_set(&seen->encrypt_then_mac, answer->encrypt_then_mac);
    survey_set(&seen->tickets, answer->ticket);
    survey_set(&seen->session_ids, answer->session_id);
    seen->resumes |= answer->ticket || answer->session_id;
    if (answer->complete)
        survey_set(&seen->asks_certificate, answer->asks_certificate);
    seen_add_scheme(seen, answer->version, answer->scheme);
}

/* A hello that was refused leaves a line in the log; so does one that we leave in the middle. */
static void note_answer(struct survey *survey, struct asked *asked)
{
    struct seen *seen = survey->seen;
    const struct shot *shot = &asked->shot;

    (void)answer_read(buf_text(&shot->got), shot->got.len, &asked->answer);
    if (shot->letter == 'S')
        seen->refused_handshakes++;
    if (asked->answer.kind == ANSWER_HELLO || asked->answer.kind == ANSWER_RETRY)
        survey_note_hello(seen, &asked->answer, true);
}

bool asked_refused(const struct asked *asked)
{
    return asked->answer.kind == ANSWER_ALERT
        || (asked->shot.letter == 'S' && asked->answer.kind == ANSWER_NONE && !asked->cut_off
            && (asked->shot.end == SHOT_CLOSED || asked->shot.end == SHOT_RESET));
}

bool asked_accepted(const struct asked *asked)
{
    return asked->answer.kind == ANSWER_HELLO || asked->answer.kind == ANSWER_RETRY;
}

static bool ends_behind_letter(const struct shot *shot)
{
    return shot->letter == 'S' && !shot->got.len && (shot->end == SHOT_CLOSED || shot->end == SHOT_RESET);
}

/*
 * A connection that ends behind the S, without an alert: so do some refuse, and so is everybody let go of by a
 * server that is shut down or started anew.  Only the former says the same when it is asked again.
 */
static void fire_again(struct survey *survey, struct shot *shot)
{
    struct shot again = { .parts = { shot->parts[0], shot->parts[1] }, .go_on = shot->go_on,
                          .enough = shot->enough };

    if (!ends_behind_letter(shot))
        return;
    survey->seen->refused_handshakes++;
    shots_fire(&survey->target, &again, 1);
    shot_release(shot);
    *shot = again;
}

/* A limit on the way lets nobody through any more, whatever he asks: that refuses nothing, and no more is asked. */
static void tell_from_limit(struct survey *survey, struct asked *const *list, size_t len)
{
    bool any = false;

    for (size_t i = 0; i < len; i++)
        any |= ends_behind_letter(&list[i]->shot);
    if (!any || survey_shakes_still(survey))
        return;
    for (size_t i = 0; i < len; i++)
        list[i]->cut_off = ends_behind_letter(&list[i]->shot);
    survey->target.silent = SHOT_SILENT_MAX;
}

/* Ask several questions at once; those for which nothing is left to be offered are not asked. */
static void ask_part(struct survey *survey, struct asked *list, size_t len, enum leave_out leave_out, size_t skip)
{
    const struct seen *seen = survey->seen;
    struct offer_known known = {
        .host = survey->sni,
        .key_group = seen->chain.len ? offers_key_group(cert_info(seen->chain.at[0])->key_text) : 0,
        .suites = seen->suites, .suites_len = leave_out == OFFER_NEW_SUITES ? seen->suites_len : 0,
        .groups = seen->groups, .groups_len = leave_out == OFFER_NEW_GROUPS ? seen->groups_len : 0,
        .schemes = survey->schemes, .schemes_len = survey->schemes_len,
        .suites_max = survey->suites_max, .suites_skip = skip,
    };
    struct shot shots[8];
    struct asked *who[8];
    size_t n = 0;

    for (size_t i = 0; i < len && n < PS_COUNT(shots); i++) {
        list[i].offer = BUF(65536);
        list[i].shot = (struct shot){ .end = SHOT_NOT_SENT };
        list[i].answer = (struct answer){ 0 };
        list[i].cut_off = false;
        known.only = list[i].only;
        known.only_len = list[i].only_len;
        list[i].nothing_left = !offers_put(list[i].question, &known, &list[i].offer);
        if (list[i].nothing_left)
            continue;
        shots[n] = (struct shot){ .parts = { &survey->ssl, &list[i].offer }, .go_on = 'S',
                                  .enough = hello_enough };
        who[n++] = &list[i];
    }
    shots_fire(&survey->target, shots, n);
    for (size_t i = 0; i < n; i++) {
        fire_again(survey, &shots[i]);
        who[i]->shot = shots[i];
        note_answer(survey, who[i]);
    }
    tell_from_limit(survey, who, n);
}

void survey_ask(struct survey *survey, struct asked *list, size_t len, enum leave_out leave_out)
{
    ask_part(survey, list, len, leave_out, 0);
    for (size_t i = 0; survey->suites_max && i < len; i++)
        for (size_t skip = survey->suites_max; asked_refused(&list[i]); skip += survey->suites_max) {
            struct asked next = { .question = list[i].question, .only = list[i].only,
                                  .only_len = list[i].only_len };

            ask_part(survey, &next, 1, leave_out, skip);
            if (next.nothing_left) {
                asked_free(&next, 1);
                break;
            }
            asked_free(&list[i], 1);
            list[i] = next;
        }
}

void asked_free(struct asked *list, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf_free(&list[i].offer);
        shot_release(&list[i].shot);
        answer_free(&list[i].answer);
    }
}

bool survey_speaks(const struct seen *seen, uint16_t version)
{
    return seen->versions[seen_version_index(version)] == FACT_YES;
}

bool survey_speaks_before(const struct seen *seen, uint16_t version)
{
    for (int i = 0; i < seen_version_index(version); i++)
        if (seen->versions[i] == FACT_YES)
            return true;
    return false;
}

void survey_unreached(struct seen *seen, enum seen_reach reach, const char *text)
{
    seen->reach = reach;
    seen->reach_text = arena_strdup(seen->arena, text);
}

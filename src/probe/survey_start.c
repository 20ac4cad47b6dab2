/* survey_start.c - see survey_parts.h. */
#include "probe/survey_parts.h"

/* One more whole handshake; false when it could not be tried to its end. */
static bool shake_again(struct survey *survey, struct handshake_spec *spec, struct handshake *hand)
{
    const struct survey_plan *plan = survey->plan;

    if (!shot_target_pass(&survey->target))
        return false;
    spec->address = survey->seen->address;
    spec->port = survey->seen->port;
    spec->host = survey->seen->host;
    spec->connect_ms = plan->connect_ms;
    spec->answer_ms = plan->answer_ms;
    if (!spec->ctx)
        spec->ctx = plan->ctx;
    handshake_run(spec, survey->seen->arena, hand);
    shot_target_note(&survey->target, !hand->timeout);
    return hand->connected && !hand->timeout;
}

bool survey_shakes_still(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    return survey->seen->handshake != FACT_YES
        || (shake_again(survey, &(struct handshake_spec){ .hello = &survey->ssl }, &hand) && hand.done);
}

/* With the protocol "postgresql" agreed on: who goes on, and which version of the protocol he speaks. */
static bool ask_direct_with_alpn(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };
    struct seen *seen = survey->seen;

    if (!shake_again(survey, &(struct handshake_spec){ .ctx = survey->plan->ctx_alpn,
                                                       .startup = &survey->newest }, &hand))
        return false;
    seen->direct_tls = hand.done || hand.alerted ? FACT_YES : FACT_NO;
    if (hand.done) {
        seen->direct = hand.startup;
        survey_set(&seen->alpn, hand.alpn);
    } else {
        seen->refused_handshakes++;
    }
    return seen->direct_tls == FACT_YES;
}

/*
 * PostgreSQL 17 and later end a direct connection that did not agree on the protocol "postgresql"; those
 * before take the first byte of TLS for a length that cannot be.
 */
void survey_direct(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };
    struct seen *seen = survey->seen;

    if (seen->direct_tls != FACT_UNKNOWN || survey_has_no_direct_tls(seen) || !ask_direct_with_alpn(survey))
        return;
    if (survey_insists_on_alpn(seen)) {
        seen->direct_tls_without_alpn = FACT_NO;
        return;
    }
    if (!shake_again(survey, &(struct handshake_spec){ .startup = &survey->plain }, &hand))
        return;
    seen->refused_handshakes++;
    seen->direct_tls_without_alpn = hand.startup.end == STARTUP_UNKNOWN ? FACT_NO : FACT_YES;
}

/*
 * A startup glued to the request for TLS.  A server with CVE-2021-23214 takes it for the first words
 * inside the session and answers it there; the others have thrown it away, or refuse.
 */
void survey_stuffing(struct survey *survey)
{
    PS_AUTO(buf_free) struct buf glued = BUF(2 * WIRE_STARTUP_MAX);
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    if (survey->seen->stuffing_used != FACT_UNKNOWN || survey_forgets_what_comes_early(survey->seen))
        return;
    buf_put(&glued, survey->ssl.p, survey->ssl.len);
    buf_put(&glued, survey->plain.p, survey->plain.len);
    if (!shake_again(survey, &(struct handshake_spec){ .hello = &glued, .listen = true }, &hand))
        return;
    survey->seen->stuffed = hand.startup;
    survey->seen->stuffing_used =
        hand.done && startup_is_open(&hand.startup) ? FACT_YES : FACT_NO;
    survey->seen->refused_handshakes++;
}

/*
 * In TLS 1.3 the alert of a server that cannot do without a certificate crosses our startup, and may be lost
 * with the connection that it ends: then it is waited for, with nothing said.
 */
void survey_demand(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };
    struct seen *seen = survey->seen;

    if (seen->asks_certificate == FACT_YES && seen->demands_certificate == FACT_UNKNOWN
        && seen->handshake == FACT_YES && seen->over_tls.end == STARTUP_UNKNOWN
        && shake_again(survey, &(struct handshake_spec){ .hello = &survey->ssl, .listen = true }, &hand))
        seen->demands_certificate = hand.demands_certificate;
}

/* One of TLS 1.2 at most, the worst suites first. */
static bool shake12(struct survey *survey, bool renegotiate, struct handshake *hand)
{
    PS_AUTO(answer_free) struct answer answer = { 0 };
    struct seen *seen = survey->seen;

    if (!shake_again(survey, &(struct handshake_spec){ .ctx = survey->plan->ctx12, .renegotiate = renegotiate,
                                                       .hello = &survey->ssl, .keep_flight = true }, hand))
        return false;
    if (hand->done) {
        (void)answer_read(buf_text(&hand->flight), hand->flight.len, &answer);
        survey_note_hello(seen, &answer, false);
        if (survey_speaks(seen, TLS_1_3))
            survey_set(&seen->sentinel, answer.downgraded_from == TLS_1_3);
        seen_add_suite(seen, hand->version, hand->suite);
    } else {
        seen->refused_handshakes++;
    }
    if (hand->done && renegotiate)
        seen->client_renegotiation = hand->renegotiated;
    return true;
}

/* Its end leaves no line in the log, as a question of ours does that is answered. */
bool survey_whole12(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };
    struct seen *seen = survey->seen;

    if (!shake12(survey, !survey_never_renegotiates(seen), &hand))
        return false;
    /* RFC 5246 7.2.2: no other alert is about the version */
    if (!hand.done && strstr(hand.why, "alert protocol version"))
        survey_note_version(seen, TLS_1_2, false);
    return seen->versions[seen_version_index(TLS_1_2)] != FACT_UNKNOWN;
}

uint16_t survey_renegotiation(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    return shake12(survey, true, &hand) ? hand.suite : 0;
}

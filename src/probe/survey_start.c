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

    if (!ask_direct_with_alpn(survey))
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

uint16_t survey_renegotiation(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    if (shake_again(survey, &(struct handshake_spec){ .ctx = survey->plan->ctx12, .renegotiate = true,
                                                      .hello = &survey->ssl }, &hand)
        && hand.done) {
        survey->seen->client_renegotiation = hand.renegotiated;
        seen_add_suite(survey->seen, hand.version, hand.suite);
    }
    return hand.suite;
}

/* talk_verdict.c - what a conversation came to, from what is known of it; see talk.h. */
#include "capture/talk_part.h"

/* It was encrypted until something else came. */
static enum verdict behind_verdict(const struct talk *talk, enum reason *reason)
{
    const struct tls_suite *suite = talk->facts.tls_done ? tls_suite_find(talk->facts.cipher) : NULL;
    bool plain = talk->facts.behind == BEHIND_MESSAGES;

    *reason = !plain ? R_NO_FRAMES : suite && tls_suite_is_null(suite) ? R_NULL_SUITE : R_BEHIND;
    return plain ? V_PLAINTEXT : V_UNKNOWN;
}

static enum verdict tls_verdict(const struct talk *talk, bool closed, enum reason *reason)
{
    const struct talk_facts *facts = &talk->facts;
    const struct tls_suite *suite = tls_suite_find(facts->cipher);
    bool lost = talk->part && (talk->part->reader[SIDE_CLIENT].lost
                               || talk->part->reader[SIDE_SERVER].lost);

    if (facts->not_postgres)
        return V_NOT_POSTGRES;
    if (facts->tls_done && !facts->failed) {
        *reason = !suite ? R_SUITE : tls_suite_is_null(suite) ? R_NULL_SUITE : *reason;
        return !suite ? V_UNKNOWN : tls_suite_is_null(suite) ? V_PLAINTEXT : V_TLS;
    }
    if (facts->failed)
        return V_TLS_FAILED;
    if (facts->reason)
        return V_UNKNOWN;
    if (lost) {
        *reason = R_LOST;
        return V_UNKNOWN;
    }
    if (!facts->client_hello && talk->part
        && talk->offset[SIDE_CLIENT] == talk->part->tls_at[SIDE_CLIENT])
        return V_TLS_NOT_STARTED;
    *reason = closed ? R_CLOSED : R_ENDED;
    if (talk->offset[SIDE_SERVER] == 0) {
        *reason = R_ONE_DIRECTION;
        return V_UNKNOWN;
    }
    return closed ? V_TLS_FAILED : V_UNKNOWN;
}

static enum verdict gss_verdict(const struct talk *talk, bool closed, enum reason *reason)
{
    if (talk->facts.failed)
        return V_GSS_FAILED;
    /* a token each, and behind it something wrapped by each */
    if (talk->gss_packets[SIDE_CLIENT] >= 2 && talk->gss_packets[SIDE_SERVER] >= 2)
        return V_GSS;
    if (*reason)
        return V_UNKNOWN;
    *reason = closed ? R_CLOSED : R_ENDED;
    return closed ? V_GSS_FAILED : V_UNKNOWN;
}

static enum verdict asked_verdict(const struct talk *talk, enum reason *reason)
{
    const struct talk_facts *facts = &talk->facts;

    if (facts->ssl_answer == 'N' || facts->ssl_answer == 'E' || facts->gss_answer == 'N'
        || facts->gss_answer == 'E')
        return *reason ? V_UNKNOWN : V_REFUSED;
    if (!*reason)
        *reason = talk->offset[SIDE_SERVER] == 0 ? R_NO_ANSWER : R_LOST;
    return V_UNKNOWN;
}

static enum verdict beginning_verdict(const struct talk *talk, bool closed, enum reason *reason)
{
    bool nothing = talk->offset[SIDE_CLIENT] == 0 && talk->offset[SIDE_SERVER] == 0;

    if (talk->facts.not_postgres)
        return V_NOT_POSTGRES;
    if (!talk->from_start && talk->facts.start == START_UNKNOWN) {
        if (!*reason)
            *reason = R_BEGAN_BEFORE;
        return V_UNKNOWN;
    }
    if (*reason)
        return V_UNKNOWN;
    if (nothing)
        return V_NO_DATA;
    if (talk->offset[SIDE_CLIENT] == 0 && talk->part
        && talk->part->pending_acked[SIDE_SERVER] > 0) {
        *reason = R_ONE_DIRECTION;
        return V_UNKNOWN;
    }
    *reason = closed ? R_CLOSED : R_ENDED;
    return closed ? V_NOT_POSTGRES : V_UNKNOWN;     /* a first packet that never became whole */
}

enum verdict talk_verdict(const struct talk *talk, bool closed, enum reason *reason)
{
    const struct talk_facts *facts = &talk->facts;

    *reason = facts->reason;
    if (facts->injected)
        return V_INJECTED;
    if (facts->behind)
        return behind_verdict(talk, reason);
    if (facts->protocol) {
        *reason = R_NONE;
        return facts->asked_tls ? V_DOWNGRADED : V_PLAINTEXT;
    }
    if (facts->cancel)
        return V_CANCEL;
    if (facts->client_hello || facts->ssl_answer == 'S' || facts->start == START_DIRECT_TLS
        || facts->tls_begun_us)
        return tls_verdict(talk, closed, reason);
    if (facts->gss_answer == 'G')
        return gss_verdict(talk, closed, reason);
    if (talk->rounds && !facts->not_postgres)
        return asked_verdict(talk, reason);
    return beginning_verdict(talk, closed, reason);
}

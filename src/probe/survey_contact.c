/* survey_contact.c - see survey_parts.h. */
#include "probe/survey_parts.h"

#include <netdb.h>

#include "base/clock.h"
#include "probe/binding.h"

enum { RETRY_MS = 300, ADDRESSES_MAX = 8 };
/* A ticket that holds no session, but its number: construct_stateful_ticket of OpenSSL. */
enum { TICKET_NUMBER_LEN = 32 };

static void address_next(struct survey *survey, const struct addrinfo *one)
{
    char text[NI_MAXHOST] = "";

    memcpy(&survey->target.addr, one->ai_addr, one->ai_addrlen);
    survey->target.addr_len = one->ai_addrlen;
    survey->target.silent = 0;
    getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
    survey->seen->address = arena_strdup(survey->seen->arena, text);
    if (survey->plan->located)
        survey->plan->located(survey->plan->gate_arg, survey->seen->address);
}

/* Who is lost on the way is tried again, if so was asked for; false: no more connections are let through. */
static bool open_first(struct survey *survey, const struct handshake_spec *spec,
                       struct handshake *hand)
{
    const unsigned retries = survey->plan->retries;

    for (unsigned tried = 0; tried <= retries; tried++) {
        if (!shot_target_pass(&survey->target)) {
            if (!tried)
                survey_unreached(survey->seen, REACH_SILENT, shot_end_text(SHOT_NOT_SENT));
            return tried > 0;
        }
        handshake_free(hand);
        handshake_run(spec, survey->seen->arena, hand);
        if (!hand->lost)
            break;
        if (tried < retries)
            clock_sleep_ms(RETRY_MS);
    }
    if (hand->connected)
        shot_target_note(&survey->target, !hand->timeout);
    return true;
}

/* What a whole handshake says; its chain is taken over. */
static void note_handshake(struct seen *seen, struct handshake *hand)
{
    seen->handshake = hand->done ? FACT_YES : FACT_NO;
    seen->handshake_why = hand->why;
    if (hand->done || hand->asks_certificate)
        survey_set(&seen->asks_certificate, hand->asks_certificate);
    seen->demands_certificate = hand->demands_certificate;
    if (!hand->done) {
        seen->refused_handshakes++;
        return;
    }
    survey_note_version(seen, hand->version, true);
    if (hand->version < TLS_1_3)
        survey_note_version(seen, TLS_1_3, false);
    seen->version = hand->version;
    seen->suite = hand->suite;
    seen->group = hand->group;
    seen_add_suite(seen, hand->version, hand->suite);
    seen_add_group(seen, hand->group ? offers_group(hand->group) : 0);
    seen_add_scheme(seen, hand->version, hand->scheme);
    seen->authorities = hand->authorities;
    seen->over_tls = hand->startup;
    seen->binding = hand->binding;
    seen->bound = binding_read(&hand->binding);
    if (hand->ticket != FACT_UNKNOWN)
        survey_set(&seen->tickets, hand->ticket == FACT_YES);
    seen->resumes |= hand->ticket_len > TICKET_NUMBER_LEN;
    seen->chain = hand->chain;
    hand->chain = (struct cert_list){ 0 };
}

/* SSLRequest alone says whether somebody is there, and who; the handshake comes on the same connection. */
static bool first_contact(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct handshake_spec spec = {
        .address = seen->address, .port = seen->port, .host = seen->host, .ctx = survey->plan->ctx,
        .connect_ms = survey->plan->connect_ms, .answer_ms = survey->plan->answer_ms,
        .hello = &survey->ssl, .startup = survey->plan->certificate_only ? NULL : &survey->plain,
        .bind = true,
    };
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    if (!open_first(survey, &spec, &hand))
        return false;
    if (!hand.connected) {
        survey_unreached(seen, hand.timeout ? REACH_SILENT : REACH_NO_CONNECTION, hand.why);
        return false;
    }
    if (!hand.letter) {
        survey_unreached(seen, hand.timeout ? REACH_SILENT : REACH_CLOSED, hand.why);
        return false;
    }
    /* SSH and MySQL greet whoever comes, and a greeting may well begin with such a letter */
    if (!strchr("SNE", hand.letter) || (hand.letter != 'E' && hand.talks_on)
        /* whose error it is, only a startup would tell */
        || (hand.letter == 'E' && survey->plan->certificate_only)) {
        survey_unreached(seen, REACH_NOT_POSTGRES, _("the answer is not PostgreSQL's"));
        return false;
    }
    seen->reach = REACH_YES;
    seen->letter = hand.letter;
    if (hand.letter == 'S')
        note_handshake(seen, &hand);
    if (survey->plan->role)         /* of a role that is there it goes with copies of the role */
        seen->binding.salt = NULL;
    return true;
}

bool survey_reach(struct survey *survey)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list = NULL;
    struct seen *seen = survey->seen;
    char port[16];

    snprintf(port, sizeof(port), "%d", seen->port);
    int rc = getaddrinfo(seen->host, port, &hints, &list);
    if (rc != 0) {
        survey_unreached(seen, REACH_NO_NAME, gai_strerror(rc));
        return false;
    }
    bool found = false;
    int tried = 0;
    for (const struct addrinfo *one = list; one && !found && tried < ADDRESSES_MAX;
         one = one->ai_next, tried++) {
        address_next(survey, one);
        found = first_contact(survey);
        if (seen->reach == REACH_NOT_POSTGRES)
            break;
    }
    freeaddrinfo(list);
    return found;
}

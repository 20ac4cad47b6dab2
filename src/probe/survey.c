/* survey.c - see survey.h. */
#include "probe/survey.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"
#include "probe/handshake.h"
#include "probe/offers.h"
#include "probe/startup.h"

enum { QUICK_MS = 400 };

struct survey {
    const struct survey_plan *plan;
    struct seen *seen;
    struct shot_target target;
    char role[48];
    struct buf ssl, gss, plain, replication;    /* what is sent */
};

static void survey_release(struct survey *survey)
{
    buf_free(&survey->ssl);
    buf_free(&survey->gss);
    buf_free(&survey->plain);
    buf_free(&survey->replication);
}

static bool may_ask(const struct survey *survey)
{
    unsigned max = survey->plan->connections_max;

    return !max || survey->target.connections < max;
}

/* ---- what is asked, and what an answer says ---- */

struct asked {
    enum question question;
    struct buf offer;
    struct shot shot;
    struct answer answer;       /* points into its own bytes */
};

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

static enum wire_parse one_byte(const void *bytes, size_t len)
{
    (void)bytes;
    return len ? WIRE_DONE : WIRE_MORE;
}

static void set_bool(enum fact_bool *fact, bool value)
{
    if (*fact != FACT_YES)
        *fact = value ? FACT_YES : FACT_NO;
}

static void note_version(struct seen *seen, uint16_t version, bool accepted)
{
    int i = seen_version_index(version);

    if (i >= 0)
        set_bool(&seen->versions[i], accepted);
}

static void note_hello(struct seen *seen, const struct answer *answer)
{
    bool tls13 = answer->version >= TLS_1_3;

    note_version(seen, answer->version, true);
    seen_add_suite(seen, answer->version, answer->suite);
    seen_add_group(seen, answer->group);
    if (answer->dh_bits && (!seen->dh_bits || answer->dh_bits < seen->dh_bits))
        seen->dh_bits = answer->dh_bits;
    if (tls13)
        return;
    set_bool(&seen->compression, answer->compression);
    set_bool(&seen->secure_renegotiation, answer->secure_renegotiation);
    set_bool(&seen->extended_master_secret, answer->extended_master_secret);
    set_bool(&seen->encrypt_then_mac, answer->encrypt_then_mac);
    set_bool(&seen->tickets, answer->ticket);
    set_bool(&seen->session_ids, answer->session_id);
    if (answer->complete)
        set_bool(&seen->asks_certificate, answer->asks_certificate);
    if (answer->scheme && seen->schemes_len < PS_COUNT(seen->schemes)) {
        size_t i = 0;
        while (i < seen->schemes_len && seen->schemes[i] != answer->scheme)
            i++;
        if (i == seen->schemes_len)
            seen->schemes[seen->schemes_len++] = answer->scheme;
    }
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
        note_hello(seen, &asked->answer);
}

static bool refused(const struct asked *asked)
{
    return asked->answer.kind == ANSWER_ALERT
        || (asked->shot.letter == 'S' && asked->answer.kind == ANSWER_NONE
            && (asked->shot.end == SHOT_CLOSED || asked->shot.end == SHOT_RESET));
}

static bool accepted(const struct asked *asked)
{
    return asked->answer.kind == ANSWER_HELLO || asked->answer.kind == ANSWER_RETRY;
}

/* Ask several questions at once; those for which nothing is left to be offered are not asked. */
static void ask(struct survey *survey, struct asked *list, size_t len,
                const struct offer_without *without)
{
    struct shot shots[8];
    struct asked *who[8];
    size_t n = 0;

    for (size_t i = 0; i < len && n < PS_COUNT(shots); i++) {
        list[i].offer = BUF(65536);
        list[i].shot = (struct shot){ .end = SHOT_NOT_SENT };
        list[i].answer = (struct answer){ 0 };
        if (!may_ask(survey) || !offers_put(list[i].question, without, &list[i].offer))
            continue;
        shots[n] = (struct shot){ .first = &survey->ssl, .go_on = 'S', .second = &list[i].offer,
                                  .enough = hello_enough };
        who[n++] = &list[i];
    }
    shots_fire(&survey->target, shots, n);
    for (size_t i = 0; i < n; i++) {
        who[i]->shot = shots[i];
        note_answer(survey, who[i]);
    }
}

static void asked_free(struct asked *list, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf_free(&list[i].offer);
        shot_release(&list[i].shot);
        answer_free(&list[i].answer);
    }
}

/* ---- the first connection ---- */

static void address_next(struct survey *survey, const struct addrinfo *one)
{
    char text[NI_MAXHOST] = "";

    memcpy(&survey->target.addr, one->ai_addr, one->ai_addrlen);
    survey->target.addr_len = one->ai_addrlen;
    getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
    survey->seen->address = arena_strdup(survey->seen->arena, text);
}

static void unreached(struct seen *seen, enum seen_reach reach, const char *text)
{
    seen->reach = reach;
    seen->reach_text = arena_strdup(seen->arena, text);
}

/* One try; false: no more connections are let through. */
static bool open_once(struct survey *survey, const struct handshake_spec *spec,
                      struct handshake *hand)
{
    if (survey->plan->gate && !survey->plan->gate(survey->plan->gate_arg)) {
        unreached(survey->seen, REACH_SILENT, shot_end_text(SHOT_NOT_SENT));
        return false;
    }
    survey->target.connections++;
    handshake_run(spec, survey->seen->arena, hand);
    return true;
}

/*
 * Nearly all who are there connect at once; who does not is tried once more with all the patience that was
 * asked for, and others may use the time.
 */
static bool open_slowly(struct survey *survey, const struct handshake_spec *spec,
                        struct handshake *hand)
{
    const struct survey_plan *plan = survey->plan;
    struct handshake_spec quick = *spec;

    if (!plan->patience || plan->connect_ms <= QUICK_MS)
        return open_once(survey, spec, hand);
    quick.connect_ms = QUICK_MS;
    if (!open_once(survey, &quick, hand) || hand->connected || !hand->timeout)
        return hand->connected || hand->why;
    plan->patience(plan->gate_arg, true);
    bool tried = open_once(survey, spec, hand);
    plan->patience(plan->gate_arg, false);
    return tried;
}

/* SSLRequest alone says whether somebody is there, and who; the handshake comes on the same connection. */
static bool first_contact(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct handshake_spec spec = {
        .address = seen->address, .port = seen->port, .host = seen->host, .ctx = survey->plan->ctx,
        .connect_ms = survey->plan->connect_ms, .answer_ms = survey->plan->answer_ms,
        .hello = &survey->ssl, .startup = survey->plan->certificate_only ? NULL : &survey->plain,
    };
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    if (!open_slowly(survey, &spec, &hand))
        return false;
    if (!hand.connected) {
        unreached(seen, hand.timeout ? REACH_SILENT : REACH_NO_CONNECTION, hand.why);
        return false;
    }
    seen->letter = hand.letter;
    if (!hand.letter || !strchr("SNE", hand.letter)) {
        unreached(seen, hand.timeout ? REACH_SILENT : REACH_NOT_POSTGRES,
                  hand.letter ? _("the answer is not PostgreSQL's") : hand.why);
        return false;
    }
    seen->reach = REACH_YES;
    if (hand.letter != 'S')
        return true;
    seen->handshake = hand.done ? FACT_YES : FACT_NO;
    seen->handshake_why = hand.why;
    if (!hand.done) {
        seen->refused_handshakes++;
        return true;
    }
    note_version(seen, hand.version, true);
    if (hand.version < TLS_1_3)
        note_version(seen, TLS_1_3, false);
    seen->version = hand.version;
    seen->suite = hand.suite;
    seen->group = hand.group;
    seen_add_suite(seen, hand.version, hand.suite);
    seen_add_group(seen, hand.group ? offers_group(hand.group) : 0);
    set_bool(&seen->asks_certificate, hand.asks_certificate);
    seen->demands_certificate = hand.demands_certificate;
    seen->authorities = hand.authorities;
    seen->over_tls = hand.startup;
    seen->chain = hand.chain;
    hand.chain = (struct cert_list){ 0 };
    return true;
}

static bool reach(struct survey *survey)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list = NULL;
    struct seen *seen = survey->seen;
    char port[16];

    snprintf(port, sizeof(port), "%d", seen->port);
    int rc = getaddrinfo(seen->host, port, &hints, &list);
    if (rc != 0) {
        unreached(seen, REACH_NO_NAME, gai_strerror(rc));
        return false;
    }
    bool found = false;
    for (const struct addrinfo *one = list; one && !found; one = one->ai_next) {
        address_next(survey, one);
        found = first_contact(survey);
        if (seen->reach == REACH_NOT_POSTGRES)
            break;
    }
    freeaddrinfo(list);
    return found;
}

/* ---- without TLS ---- */

static void read_plain(struct survey *survey, const struct shot *shot, struct startup_seen *out)
{
    startup_read(buf_text(&shot->got), shot->got.len, survey->seen->arena, out);
}

/*
 * Is plaintext let in, and replication on it?  Is GSSAPI encryption offered, and is a second request for
 * encryption answered instead of refused (CVE-2026-6479)?
 */
static void ask_plain(struct survey *survey)
{
    struct seen *seen = survey->seen;
    const bool tls = seen->letter == 'S';
    struct shot shots[] = {
        { .first = &survey->plain, .enough = startup_enough },
        { .first = &survey->replication, .enough = startup_enough },
        /* what was declined once is asked for again, and then nothing more: two requests are harmless */
        { .first = tls ? &survey->gss : &survey->ssl, .go_on = 'N',
          .second = tls ? &survey->gss : &survey->ssl, .enough = one_byte },
    };

    shots_fire(&survey->target, shots, PS_COUNT(shots));
    read_plain(survey, &shots[0], &seen->plain);
    read_plain(survey, &shots[1], &seen->plain_replication);
    if (tls && shots[2].letter)
        seen->gss = shots[2].letter == 'G' ? FACT_YES : FACT_NO;
    if (shots[2].letter == 'N' && shots[2].end != SHOT_TIMEOUT)
        seen->negotiates_again = shots[2].end == SHOT_ANSWERED && *buf_text(&shots[2].got) == 'N'
                                 ? FACT_YES : FACT_NO;
    seen->kind = startup_kind(seen->plain.sqlstate ? &seen->plain : &seen->over_tls);
    for (size_t i = 0; i < PS_COUNT(shots); i++)
        shot_release(&shots[i]);
}

static bool is_open(const struct startup_seen *startup)
{
    return startup->end == STARTUP_ASKED || startup->end == STARTUP_IN;
}

/* ---- direct TLS, bytes before the handshake, and a second handshake ---- */

/* One more whole handshake; false when it could not be tried to its end. */
static bool shake_again(struct survey *survey, struct handshake_spec *spec, struct handshake *hand)
{
    const struct survey_plan *plan = survey->plan;

    if (!may_ask(survey) || (plan->gate && !plan->gate(plan->gate_arg)))
        return false;
    survey->target.connections++;
    spec->address = survey->seen->address;
    spec->port = survey->seen->port;
    spec->host = survey->seen->host;
    spec->connect_ms = plan->connect_ms;
    spec->answer_ms = plan->answer_ms;
    if (!spec->ctx)
        spec->ctx = plan->ctx;
    handshake_run(spec, survey->seen->arena, hand);
    return hand->connected && !hand->timeout;
}

/*
 * PostgreSQL 17 and later end a direct connection that did not agree on the protocol "postgresql"; those
 * before take the first byte of TLS for a length that cannot be.
 */
static void ask_direct(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };
    struct seen *seen = survey->seen;

    if (!shake_again(survey, &(struct handshake_spec){ .startup = &survey->plain }, &hand))
        return;
    seen->refused_handshakes++;
    seen->direct_tls = hand.done || hand.alerted ? FACT_YES : FACT_NO;
    if (seen->direct_tls == FACT_YES)
        seen->direct_tls_without_alpn =
            hand.startup.end == STARTUP_UNKNOWN ? FACT_NO : FACT_YES;
}

/*
 * A startup glued to the request for TLS.  A server with CVE-2021-23214 takes it for the first words
 * inside the session and answers it there; the others have thrown it away, or refuse.
 */
static void ask_stuffing(struct survey *survey)
{
    PS_AUTO(buf_free) struct buf glued = BUF(2 * WIRE_STARTUP_MAX);
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    buf_put(&glued, survey->ssl.p, survey->ssl.len);
    buf_put(&glued, survey->plain.p, survey->plain.len);
    if (!shake_again(survey, &(struct handshake_spec){ .hello = &glued, .listen = true }, &hand))
        return;
    survey->seen->stuffing_used =
        hand.done && is_open(&hand.startup) ? FACT_YES : FACT_NO;
    survey->seen->refused_handshakes++;
}

static void ask_renegotiation(struct survey *survey)
{
    PS_AUTO(handshake_free) struct handshake hand = { 0 };

    if (shake_again(survey, &(struct handshake_spec){ .ctx = survey->plan->ctx12, .renegotiate = true,
                                                      .hello = &survey->ssl }, &hand)
        && hand.done)
        survey->seen->client_renegotiation = hand.renegotiated;
}

/* ---- protocols, suites, groups ---- */

static bool speaks(const struct seen *seen, uint16_t version)
{
    return seen->versions[seen_version_index(version)] == FACT_YES;
}

/* A chain that the full handshake could not bring. */
static void take_chain(struct seen *seen, const struct answer *answer)
{
    for (size_t i = 0; !seen->chain.len && i < answer->certs_len; i++) {
        PS_AUTO(cert_freep) struct cert *cert = NULL;
        struct ps_err ignored = { 0 };

        if (!cert_from_der(answer->certs[i].p, answer->certs[i].len, &cert, &ignored))
            return;
        cert_list_add(&seen->chain, cert);
    }
}

static void ask_new_versions(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_TLS12 },
                            { .question = speaks(seen, TLS_1_3) ? ASK_HYBRID : ASK_TLS13 } };
    /* our library offered TLS 1.3 and it was not taken: that is known */
    size_t len = speaks(seen, TLS_1_3) || seen->handshake == FACT_NO ? 2 : 1;

    ask(survey, list, len, NULL);
    take_chain(seen, &list[0].answer);
    if (refused(&list[0]) || (accepted(&list[0]) && list[0].answer.version < TLS_1_2))
        note_version(seen, TLS_1_2, false);
    if (accepted(&list[0]) && speaks(seen, TLS_1_3))
        set_bool(&seen->sentinel, list[0].answer.downgraded_from == TLS_1_3);
    if (len == 2 && list[1].question == ASK_TLS13 && refused(&list[1]))
        note_version(seen, TLS_1_3, false);
    if (len == 2 && list[1].question == ASK_HYBRID)
        seen->asked_hybrid = accepted(&list[1]) || refused(&list[1]);
    asked_free(list, len);
}

/* Who takes an old one is asked for the ones below it. */
static void ask_old_versions(struct survey *survey)
{
    static const enum question rising[] = { ASK_SSL3, ASK_TLS10, ASK_OLD };
    struct seen *seen = survey->seen;

    for (int i = 2; i >= 0; i--) {
        struct asked one = { .question = rising[i] };

        ask(survey, &one, 1, NULL);
        if (refused(&one))
            for (int j = i; j >= 0; j--)
                note_version(seen, seen_versions[j], false);
        if (accepted(&one)) {
            int got = seen_version_index(one.answer.version);
            for (int j = i; j > got; j--)
                note_version(seen, seen_versions[j], false);
            i = got >= 0 && got < i ? got : i;
        }
        bool go_on = accepted(&one);
        asked_free(&one, 1);
        if (!go_on)
            return;
    }
}

/* PostgreSQL's versions are a range (ssl_min_protocol_version): where 1.2 is cut off, so is all below. */
static bool is_cut_off(const struct seen *seen)
{
    return seen->kind == KIND_POSTGRES && seen->plain.routine && speaks(seen, TLS_1_3)
        && seen->versions[seen_version_index(TLS_1_2)] == FACT_NO;
}

static void ask_versions(struct survey *survey)
{
    ask_new_versions(survey);
    if (!is_cut_off(survey->seen)) {
        ask_old_versions(survey);
        return;
    }
    for (int i = 0; i < seen_version_index(TLS_1_2); i++)
        note_version(survey->seen, seen_versions[i], false);
}

/* For who speaks TLS 1.2: which kinds of suites, and whose order counts. */
static void ask_kinds(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct asked list[] = { { .question = ASK_BROKEN }, { .question = ASK_WEAK },
                            { .question = ASK_NO_FS }, { .question = ASK_NO_AEAD },
                            { .question = ASK_DHE }, { .question = ASK_WEAK_GROUPS },
                            { .question = ASK_REVERSED } };
    uint16_t best = 0;

    for (size_t i = 0; i < seen->suites_len; i++)
        if (seen->suites[i].version == TLS_1_2 && seen->suites[i].suite != seen->suite)
            best = seen->suites[i].suite;
    if (!best && seen->version == TLS_1_2)
        best = seen->suite;
    ask(survey, list, PS_COUNT(list), NULL);
    bool *const flags[] = { &seen->asked_broken, &seen->asked_weak, &seen->asked_no_fs,
                            &seen->asked_no_aead, NULL, &seen->asked_weak_groups };
    for (size_t i = 0; i < PS_COUNT(flags); i++)
        if (flags[i])
            *flags[i] = accepted(&list[i]) || refused(&list[i]);
    if (accepted(&list[6]) && best)
        set_bool(&seen->server_order, list[6].answer.suite == best);
    asked_free(list, PS_COUNT(list));
}

/* Take away what was chosen, and ask again, until nothing is chosen any more. */
static bool exhaust(struct survey *survey, enum question question)
{
    struct seen *seen = survey->seen;
    bool groups = question == ASK_GROUPS13;

    for (int round = 0; round < SEEN_SUITES_MAX; round++) {
        struct offer_without without = { seen->suites, groups ? 0 : seen->suites_len, seen->groups,
                                         groups ? seen->groups_len : 0 };
        struct asked one = { .question = question };
        size_t before = groups ? seen->groups_len : seen->suites_len;

        ask(survey, &one, 1, &without);
        bool over = refused(&one) || (one.shot.end == SHOT_NOT_SENT && may_ask(survey));
        bool more = (groups ? seen->groups_len : seen->suites_len) > before;
        asked_free(&one, 1);
        if (!more)
            return over;
    }
    return false;
}

static void ask_all(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct seen_suite before[SEEN_SUITES_MAX];
    size_t before_len = seen->suites_len;
    static const struct { uint16_t version; enum question question; } each[] = {
        { TLS_1_3, ASK_TLS13 }, { TLS_1_2, ASK_TLS12 }, { TLS_1_1, ASK_OLD }, { TLS_1_0, ASK_TLS10 },
        { TLS_SSL3, ASK_SSL3 },
    };

    /* from the first on, so that they come in the server's order */
    memcpy(before, seen->suites, sizeof(before));
    seen->suites_len = 0;
    seen->all_suites = true;
    for (size_t i = 0; i < PS_COUNT(each); i++)
        if (speaks(seen, each[i].version) && !exhaust(survey, each[i].question))
            seen->all_suites = false;
    for (size_t i = 0; i < before_len; i++)
        seen_add_suite(seen, before[i].version, before[i].suite);
    if (speaks(seen, TLS_1_3))
        seen->all_groups = exhaust(survey, ASK_GROUPS13);
}

/* ---- the whole ---- */

static void prepare(struct survey *survey)
{
    const struct survey_plan *plan = survey->plan;
    unsigned char random[8] = { 0 };
    char hex[HEX_SIZE(sizeof(random))];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        random[0] = 1;          /* nobody needs it to be secret */
    hex_of(random, sizeof(random), hex);
    snprintf(survey->role, sizeof(survey->role), "pgseal_%s", hex);

    const char *role = plan->role ? plan->role : survey->role;
    const char *database = plan->database ? plan->database : "postgres";
    const char *const pairs[] = { "user", role, "database", database, NULL };
    const char *const walsender[] = { "user", role, "replication", "true", NULL };
    survey->ssl = survey->gss = survey->plain = survey->replication = BUF(WIRE_STARTUP_MAX);
    wire_put_ssl_request(&survey->ssl);
    wire_put_gssenc_request(&survey->gss);
    wire_put_startup(&survey->plain, WIRE_PROTOCOL_3_0, pairs);
    wire_put_startup(&survey->replication, WIRE_PROTOCOL_3_0, walsender);
}

static int64_t cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct seen *survey_run(const struct survey_plan *plan, const char *host, int port)
{
    struct seen *seen = ps_calloc(1, sizeof(*seen));
    PS_AUTO(survey_release) struct survey survey = {
        .plan = plan, .seen = seen,
        .target = { .connect_ms = plan->connect_ms, .answer_ms = plan->answer_ms,
                    .at_once = plan->at_once, .gate = plan->gate, .gate_arg = plan->gate_arg },
    };
    int64_t began = clock_mono_us(), cpu = cpu_us();

    seen->arena = arena_new();
    seen->host = arena_strdup(seen->arena, host);
    seen->port = port;
    prepare(&survey);
    if (reach(&survey) && !plan->certificate_only) {
        ask_plain(&survey);
        if (seen->letter == 'E' && !is_open(&seen->plain) && !seen->plain.sqlstate)
            unreached(seen, REACH_NOT_POSTGRES, _("the answer is not PostgreSQL's"));
        if (seen->reach == REACH_YES)
            ask_direct(&survey);
        if (seen->letter == 'S') {
            ask_stuffing(&survey);
            ask_versions(&survey);
            if (speaks(seen, TLS_1_2)) {
                ask_kinds(&survey);
                ask_renegotiation(&survey);
            }
            if (plan->all_ciphers)
                ask_all(&survey);
        }
    }
    seen->connections = survey.target.connections;
    seen->took_us = clock_mono_us() - began;
    seen->cpu_us = cpu_us() - cpu;
    return seen;
}

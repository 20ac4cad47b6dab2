/* talk.c - how a conversation begins, and its verdict; see talk.h. */
#include "capture/talk.h"

#include "base/mem.h"
#include "capture/talk_part.h"
#include "pg/wire.h"

const char *talk_start_word(enum talk_start start)
{
    static const char *const words[STARTS] = {
        [START_UNKNOWN] = "unknown", [START_SSL_REQUEST] = "ssl-request",
        [START_GSSENC_REQUEST] = "gssenc-request", [START_DIRECT_TLS] = "direct-tls",
        [START_PLAINTEXT] = "plaintext-startup", [START_CANCEL] = "cancel-request",
    };

    return words[start];
}

const char *talk_password_word(enum talk_password password)
{
    static const char *const words[PASSWORDS] = {
        [PASSWORD_CLEARTEXT] = "cleartext", [PASSWORD_MD5] = "md5", [PASSWORD_TOKEN] = "oauth-token",
        [PASSWORD_SCRAM] = "scram", [PASSWORD_GSS] = "gss", [PASSWORD_OTHER] = "other",
    };

    return words[password];
}

void talk_begin(struct talk *talk, bool from_start, bool want_samples, struct cert_shelf *shelf)
{
    *talk = (struct talk){ .from_start = from_start, .want_samples = want_samples, .shelf = shelf };
}

void talk_drop_part(struct talk *talk)
{
    struct talk_part *part = PS_TAKE(talk->part);

    if (!part)
        return;
    for (int side = 0; side < SIDES; side++) {
        buf_free(&part->pending[side]);
        tls_reader_free(&part->reader[side]);
    }
    free(part);
}

void talk_free(struct talk *talk)
{
    talk_drop_part(talk);
    for (int side = 0; side < SIDES; side++)
        buf_free(&talk->walk[side].body);
    for (int i = 0; i < TALK_TEXTS; i++)
        ps_freep(&talk->text[i]);
}

void talk_set_text(struct talk *talk, enum talk_text which, const void *p, size_t len)
{
    size_t most = which == TEXT_SNI ? 255 : which == TEXT_SAMPLE ? TALK_SAMPLE_MAX : TALK_NAME_MAX;

    ps_freep(&talk->text[which]);
    talk->text[which] = ps_strndup(p, len < most ? len : most);
}

void talk_give_up(struct talk *talk, enum reason reason)
{
    if (!talk->facts.reason)
        talk->facts.reason = reason;
    talk->phase[SIDE_CLIENT] = talk->phase[SIDE_SERVER] = PH_SKIP;
}

static void set_both(struct talk *talk, enum phase phase)
{
    talk->phase[SIDE_CLIENT] = talk->phase[SIDE_SERVER] = phase;
}

static void note_start(struct talk *talk, enum talk_start start)
{
    if (talk->facts.start == START_UNKNOWN)
        talk->facts.start = start;
}

/* ---- bytes whose meaning is not decided ---- */

static void need_part(struct talk *talk)
{
    if (talk->part)
        return;
    talk->part = ps_calloc(1, sizeof(*talk->part));
    for (int side = 0; side < SIDES; side++) {
        talk->part->pending[side].max = TALK_PENDING_MAX;
        talk->part->pending_acked[side] = -1;
    }
}

static struct span pending(const struct talk *talk, enum talk_side side)
{
    const struct buf *buf = &talk->part->pending[side];

    return (struct span){ (const uint8_t *)buf->p, buf->len };
}

static uint64_t pending_at(const struct talk *talk, enum talk_side side)
{
    return talk->offset[side] - talk->part->pending[side].len;
}

static void consume(struct talk *talk, enum talk_side side, size_t len)
{
    struct buf *buf = &talk->part->pending[side];

    memmove(buf->p, buf->p + len, buf->len - len);
    buf->len -= len;
}

static void route(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                  int64_t acked, int64_t now_us)
{
    switch ((enum phase)talk->phase[side]) {
    case PH_TLS:
        talk_tls_feed(talk, side, p, len, acked, now_us);
        break;
    case PH_GSS:
        talk_gss_feed(talk, side, p, len);
        break;
    case PH_MESSAGES:
    case PH_ERROR:
        talk_walk_feed(talk, side, p, len, now_us);
        break;
    default:
        break;
    }
}

static bool is_waiting(const struct talk *talk, enum talk_side side)
{
    return talk->phase[side] <= PH_WAIT_GSS;
}

/* A phase was entered that knows what to do with what had to wait. */
static void flush(struct talk *talk, enum talk_side side, int64_t now_us)
{
    if (!talk->part || is_waiting(talk, side) || !talk->part->pending[side].len)
        return;

    struct buf held = talk->part->pending[side];
    talk->part->pending[side] = BUF(TALK_PENDING_MAX);
    route(talk, side, (const uint8_t *)held.p, held.len, talk->part->pending_acked[side], now_us);
    buf_free(&held);
}

/* ---- what the client sends first ---- */

static void take_startup(struct talk *talk, const struct wire_first *first)
{
    struct talk_facts *facts = &talk->facts;
    const struct { const char *value; enum talk_text to; } texts[] = {
        { first->user, TEXT_USER }, { first->application, TEXT_APPLICATION },
        { first->database ? first->database : first->user, TEXT_DATABASE },
    };

    note_start(talk, START_PLAINTEXT);
    facts->protocol = first->protocol;
    for (size_t i = 0; i < PS_COUNT(texts); i++)
        if (texts[i].value)
            talk_set_text(talk, texts[i].to, texts[i].value, strlen(texts[i].value));
    /* backend_startup.c: "database" is logical, any true boolean physical */
    if (first->replication)
        facts->replication = strcmp(first->replication, "database") == 0 ? 2
                             : strchr("tTyY1oO", first->replication[0]) && first->replication[0]
                                   && strcasecmp(first->replication, "off") != 0 ? 1 : 0;
    set_both(talk, PH_MESSAGES);
}

/* Protocol 2 had packets of one size (StartupPacket of PostgreSQL 13 and before). */
static bool is_known_startup(const struct wire_first *first)
{
    return first->protocol >> 16 == 3 || (first->protocol == 2 << 16 && first->len == 296);
}

static void begin_tls(struct talk *talk)
{
    talk->part->tls_at[SIDE_CLIENT] = pending_at(talk, SIDE_CLIENT);
    talk->part->tls_at[SIDE_SERVER] = pending_at(talk, SIDE_SERVER);
    set_both(talk, PH_TLS);
}

static void not_postgres(struct talk *talk)
{
    talk->facts.not_postgres = true;
    set_both(talk, PH_SKIP);
}

static bool ask(struct talk *talk, enum phase wait, enum talk_start start)
{
    if (++talk->rounds > TALK_ROUNDS_MAX) {     /* CVE-2026-6479: it may go on for ever */
        talk_give_up(talk, R_OVER_BOUND);
        return false;
    }
    note_start(talk, start);
    set_both(talk, wait);
    return true;
}

/* True: something was decided, look again. */
static bool advance_first(struct talk *talk)
{
    struct span bytes = pending(talk, SIDE_CLIENT);
    struct wire_first first;

    if (!bytes.len) {
        /* A server of PostgreSQL never speaks first, but in an error of its own. */
        struct span server = pending(talk, SIDE_SERVER);

        if (server.len && server.p[0] != 'E' && talk->from_start
            && talk->part->pending_acked[SIDE_SERVER] == 0 && talk->rounds == 0)
            not_postgres(talk);
        return false;
    }
    switch (wire_first_parse(bytes.p, bytes.len, &first)) {
    case WIRE_MORE:
        return false;
    case WIRE_BAD:
        not_postgres(talk);
        return false;
    case WIRE_DONE:
        break;
    }
    switch (first.kind) {
    case WIRE_FIRST_SSL:
        consume(talk, SIDE_CLIENT, first.len);
        talk->facts.asked_tls = true;
        return ask(talk, PH_WAIT_SSL, START_SSL_REQUEST);
    case WIRE_FIRST_GSSENC:
        consume(talk, SIDE_CLIENT, first.len);
        talk->facts.asked_gss = true;
        return ask(talk, PH_WAIT_GSS, START_GSSENC_REQUEST);
    case WIRE_FIRST_CANCEL:
        note_start(talk, START_CANCEL);
        talk->facts.cancel = true;
        set_both(talk, PH_SKIP);
        return false;
    case WIRE_FIRST_TLS:
        note_start(talk, START_DIRECT_TLS);
        begin_tls(talk);
        return false;
    case WIRE_FIRST_STARTUP:
        if (!is_known_startup(&first)) {
            not_postgres(talk);
            return false;
        }
        take_startup(talk, &first);
        consume(talk, SIDE_CLIENT, first.len);
        return false;
    }
    return false;
}

/* ---- what the server answers ---- */

/*
 * Bytes that stood in the client's stream before it can have seen the answer: whoever put them there was
 * not in the handshake (CVE-2021-23214).
 */
static void look_for_stuffing(struct talk *talk, uint64_t answer_at)
{
    const struct talk_part *part = talk->part;

    if (part->pending[SIDE_CLIENT].len && part->pending_acked[SIDE_CLIENT] >= 0
        && (uint64_t)part->pending_acked[SIDE_CLIENT] <= answer_at) {
        talk->facts.injected = true;
        talk->facts.injected_by = SIDE_CLIENT;
    }
}

static bool take_ssl_answer(struct talk *talk, char answer)
{
    uint64_t at = pending_at(talk, SIDE_SERVER);

    talk->facts.ssl_answer = answer;
    if (answer == 'S') {
        look_for_stuffing(talk, at);
        consume(talk, SIDE_SERVER, 1);
        begin_tls(talk);
        return false;
    }
    if (answer == 'N') {
        consume(talk, SIDE_SERVER, 1);
        set_both(talk, PH_FIRST);
        return true;
    }
    if (answer == 'E') {
        talk->phase[SIDE_SERVER] = PH_ERROR;
        talk->phase[SIDE_CLIENT] = PH_SKIP;
        return false;
    }
    not_postgres(talk);
    return false;
}

static bool take_gss_answer(struct talk *talk, char answer)
{
    talk->facts.gss_answer = answer;
    if (answer == 'G') {
        look_for_stuffing(talk, pending_at(talk, SIDE_SERVER));
        consume(talk, SIDE_SERVER, 1);
        set_both(talk, PH_GSS);
        return false;
    }
    if (answer == 'N') {
        consume(talk, SIDE_SERVER, 1);
        set_both(talk, PH_FIRST);
        return true;
    }
    if (answer == 'E') {
        talk->phase[SIDE_SERVER] = PH_ERROR;
        talk->phase[SIDE_CLIENT] = PH_SKIP;
        return false;
    }
    not_postgres(talk);
    return false;
}

/* The answer was lost: what the client says next tells which one it was. */
static bool guess_answer(struct talk *talk)
{
    struct span client = pending(talk, SIDE_CLIENT);

    if (!client.len)
        return false;
    if (client.p[0] == TLS_CT_HANDSHAKE && talk->phase[SIDE_CLIENT] == PH_WAIT_SSL)
        begin_tls(talk);
    else if (talk_looks_like_start(client.p, client.len))
        set_both(talk, PH_FIRST);
    else
        talk_give_up(talk, R_LOST);
    return talk->phase[SIDE_CLIENT] == PH_FIRST;
}

static bool advance_answer(struct talk *talk, bool gss)
{
    char *answer = gss ? &talk->facts.gss_answer : &talk->facts.ssl_answer;
    struct span server = pending(talk, SIDE_SERVER);

    if (*answer == '?')
        return guess_answer(talk);
    if (!server.len)
        return false;
    return gss ? take_gss_answer(talk, (char)server.p[0]) : take_ssl_answer(talk, (char)server.p[0]);
}

static void advance(struct talk *talk, int64_t now_us)
{
    bool more = true;

    while (more)
        switch ((enum phase)talk->phase[SIDE_CLIENT]) {
        case PH_FIRST:
            more = advance_first(talk);
            break;
        case PH_WAIT_SSL:
            more = advance_answer(talk, false);
            break;
        case PH_WAIT_GSS:
            more = advance_answer(talk, true);
            break;
        default:
            more = false;
        }
    flush(talk, SIDE_CLIENT, now_us);
    flush(talk, SIDE_SERVER, now_us);
    if (talk->phase[SIDE_CLIENT] >= PH_GSS && talk->phase[SIDE_SERVER] >= PH_GSS)
        talk_drop_part(talk);
}

static void wait(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                 int64_t acked, int64_t now_us)
{
    need_part(talk);
    if (!talk->part->pending[side].len)
        talk->part->pending_acked[side] = acked;
    else if (talk->part->pending_acked[side] != acked)
        talk->part->pending_acked[side] = -1;
    if (!buf_put(&talk->part->pending[side], p, len)) {
        talk_give_up(talk, R_OVER_BOUND);
        talk_drop_part(talk);
        return;
    }
    advance(talk, now_us);
}

void talk_data(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
               int64_t now_us)
{
    talk->offset[side] += len;
    if (is_waiting(talk, side)) {
        wait(talk, side, p, len, acked, now_us);
        return;
    }
    route(talk, side, p, len, acked, now_us);
    if (talk->part && (talk->facts.tls_sure
                       || (talk->phase[SIDE_CLIENT] >= PH_GSS && talk->phase[SIDE_SERVER] >= PH_GSS)))
        talk_drop_part(talk);
}

static void gap_while_waiting(struct talk *talk, enum talk_side side, uint64_t len)
{
    bool wait_ssl = talk->phase[SIDE_CLIENT] == PH_WAIT_SSL;
    bool wait_gss = talk->phase[SIDE_CLIENT] == PH_WAIT_GSS;

    need_part(talk);
    if (side == SIDE_SERVER && (wait_ssl || wait_gss) && !talk->part->pending[side].len && len == 1) {
        *(wait_ssl ? &talk->facts.ssl_answer : &talk->facts.gss_answer) = '?';
        advance(talk, 0);
        return;
    }
    talk_give_up(talk, R_LOST);
    talk_drop_part(talk);
}

void talk_gap(struct talk *talk, enum talk_side side, uint64_t len)
{
    talk->offset[side] += len;
    if (is_waiting(talk, side))
        gap_while_waiting(talk, side, len);
    else if (talk->phase[side] == PH_TLS)
        tls_reader_gap(&talk->part->reader[side], len);
    else if (talk->phase[side] == PH_MESSAGES)
        talk_walk_gap(talk, side, len);
    else if (talk->phase[side] == PH_GSS)
        talk_give_up(talk, R_LOST);
}

/* Only the client's packets were captured: what it said next tells what it was answered. */
void talk_end(struct talk *talk)
{
    bool ssl = talk->phase[SIDE_CLIENT] == PH_WAIT_SSL;

    if ((!ssl && talk->phase[SIDE_CLIENT] != PH_WAIT_GSS) || !talk->part
        || talk->part->pending[SIDE_CLIENT].len == 0 || talk->part->pending[SIDE_SERVER].len > 0)
        return;
    *(ssl ? &talk->facts.ssl_answer : &talk->facts.gss_answer) = '?';
    advance(talk, 0);
}

size_t talk_part_bytes(const struct talk *talk)
{
    const struct talk_part *part = talk->part;
    size_t bytes = talk->walk[SIDE_CLIENT].body.cap + talk->walk[SIDE_SERVER].body.cap;

    for (int side = 0; part && side < SIDES; side++)
        bytes += part->pending[side].cap + part->reader[side].message.cap;
    return part ? bytes + sizeof(*part) : bytes;
}

bool talk_looks_like_start(const uint8_t *p, size_t len)
{
    struct wire_first first;

    return len >= 8 && p[0] == 0 && wire_first_parse(p, len, &first) == WIRE_DONE
        && (first.kind != WIRE_FIRST_STARTUP || first.user != NULL);
}

bool talk_is_settled(const struct talk *talk)
{
    return talk->phase[SIDE_CLIENT] == PH_SKIP && talk->phase[SIDE_SERVER] == PH_SKIP;
}

/* ---- the verdict ---- */

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

/* talk_start.c - how a conversation begins, until it is clear what its bytes are; see talk.h. */
#include "base/mem.h"
#include "capture/talk_part.h"
#include "pg/wire.h"

bool talk_looks_like_start(const uint8_t *p, size_t len)
{
    struct wire_first first;

    return len >= 8 && p[0] == 0 && wire_first_parse(p, len, &first) == WIRE_DONE
        && (first.kind != WIRE_FIRST_STARTUP || first.user != NULL);
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

void talk_need_part(struct talk *talk)
{
    if (talk->part)
        return;
    talk->part = ps_malloc(sizeof(*talk->part));        /* calloc() of glibc 2.36 has no quick way */
    *talk->part = (struct talk_part){ 0 };
    for (int side = 0; side < SIDES; side++) {
        talk->part->held[side].max = TALK_PENDING_MAX;
        talk->part->pending_acked[side] = -1;
    }
}

static struct span pending(const struct talk *talk, enum talk_side side)
{
    return talk->part->pending[side];
}

static uint64_t pending_at(const struct talk *talk, enum talk_side side)
{
    return talk->offset[side] - talk->part->pending[side].len;
}

static void consume(struct talk *talk, enum talk_side side, size_t len)
{
    talk->part->pending[side].p += len;
    talk->part->pending[side].len -= len;
}

/*
 * What came stands behind what waited.  Where nothing did, it is looked at where it lies, and copied only if
 * it still waits afterwards.  False: it would be too much.
 */
static bool add_pending(struct talk *talk, enum talk_side side, struct span bytes, bool *borrowed)
{
    struct talk_part *part = talk->part;
    struct buf *held = &part->held[side];
    size_t passed;

    *borrowed = part->pending[side].len == 0;
    if (*borrowed) {
        part->pending[side] = bytes;
        return true;
    }
    passed = (size_t)(part->pending[side].p - (const uint8_t *)held->p);
    if (!buf_put(held, bytes.p, bytes.len))
        return false;
    part->pending[side] = (struct span){ (const uint8_t *)held->p + passed, held->len - passed };
    return true;
}

static bool hold_pending(struct talk *talk, enum talk_side side)
{
    struct talk_part *part = talk->part;
    struct buf *held = &part->held[side];

    buf_clear(held);
    if (!buf_put(held, part->pending[side].p, part->pending[side].len))
        return false;
    part->pending[side].p = (const uint8_t *)held->p;
    return true;
}

/* A phase was entered that knows what to do with what had to wait. */
static void flush(struct talk *talk, enum talk_side side, int64_t now_us)
{
    if (!talk->part || talk_is_waiting(talk, side) || !talk->part->pending[side].len)
        return;

    struct span bytes = talk->part->pending[side];
    struct buf held = talk->part->held[side];       /* the part may be gone afterwards */
    talk->part->held[side] = BUF(TALK_PENDING_MAX);
    talk->part->pending[side] = (struct span){ 0 };
    talk_route(talk, side, bytes.p, bytes.len, talk->part->pending_acked[side], now_us);
    buf_free(&held);
}

/* ---- what the client sends first ---- */

void talk_take_names(struct talk *talk, const struct wire_first *first, bool whole)
{
    struct talk_facts *facts = &talk->facts;
    const struct { const char *value; enum talk_text to; } texts[] = {
        { first->user, TEXT_USER }, { first->application, TEXT_APPLICATION },
        { first->database || !whole ? first->database : first->user, TEXT_DATABASE },
    };

    facts->protocol = first->protocol;
    for (size_t i = 0; i < PS_COUNT(texts); i++)
        if (texts[i].value)
            talk_set_text(talk, texts[i].to, texts[i].value, strlen(texts[i].value));
    /* backend_startup.c: "database" is logical, any true boolean physical */
    if (first->replication)
        facts->replication = strcmp(first->replication, "database") == 0 ? 2
                             : strchr("tTyY1oO", first->replication[0]) && first->replication[0]
                                   && strcasecmp(first->replication, "off") != 0 ? 1 : 0;
}

static void take_startup(struct talk *talk, const struct wire_first *first, bool whole)
{
    note_start(talk, START_PLAINTEXT);
    talk_take_names(talk, first, whole);
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
        take_startup(talk, &first, true);
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

/* S or G: it goes on encrypted.  N: the client may begin anew, which is then looked at.  E: an error. */
static bool take_answer(struct talk *talk, bool gss, char answer)
{
    if (answer == (gss ? 'G' : 'S')) {
        look_for_stuffing(talk, pending_at(talk, SIDE_SERVER));
        consume(talk, SIDE_SERVER, 1);
        if (gss)
            set_both(talk, PH_GSS);
        else
            begin_tls(talk);
    } else if (answer == 'N') {
        consume(talk, SIDE_SERVER, 1);
        set_both(talk, PH_FIRST);
    } else if (answer == 'E') {
        talk->phase[SIDE_SERVER] = PH_ERROR;
        talk->phase[SIDE_CLIENT] = PH_SKIP;
    } else {
        not_postgres(talk);
    }
    return answer == 'N';
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
    *answer = (char)server.p[0];
    return take_answer(talk, gss, *answer);
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

static void give_up_waiting(struct talk *talk, enum reason reason)
{
    talk_give_up(talk, reason);
    talk_drop_part(talk);
}

void talk_wait(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
               int64_t now_us)
{
    bool borrowed;

    talk_need_part(talk);
    if (!talk->part->pending[side].len)
        talk->part->pending_acked[side] = acked;
    else if (talk->part->pending_acked[side] != acked)
        talk->part->pending_acked[side] = -1;
    if (!add_pending(talk, side, (struct span){ p, len }, &borrowed)) {
        give_up_waiting(talk, R_OVER_BOUND);
        return;
    }
    advance(talk, now_us);
    if (borrowed && talk->part && talk->part->pending[side].len && !hold_pending(talk, side))
        give_up_waiting(talk, R_OVER_BOUND);
}

/* Of a startup the head is enough: whoever sends one speaks plaintext. */
static bool take_cut_startup(struct talk *talk, uint64_t len)
{
    struct span bytes = pending(talk, SIDE_CLIENT);
    struct wire_first first;

    if (talk->phase[SIDE_CLIENT] != PH_FIRST || !wire_startup_head(bytes.p, bytes.len, bytes.len + len, &first))
        return false;
    take_startup(talk, &first, false);
    consume(talk, SIDE_CLIENT, bytes.len);
    talk->facts.incomplete = true;
    advance(talk, 0);
    return true;
}

void talk_wait_gap(struct talk *talk, enum talk_side side, uint64_t len)
{
    bool wait_ssl = talk->phase[SIDE_CLIENT] == PH_WAIT_SSL;
    bool wait_gss = talk->phase[SIDE_CLIENT] == PH_WAIT_GSS;

    talk_need_part(talk);
    if (side == SIDE_SERVER && (wait_ssl || wait_gss) && !talk->part->pending[side].len && len == 1) {
        *(wait_ssl ? &talk->facts.ssl_answer : &talk->facts.gss_answer) = '?';
        advance(talk, 0);
        return;
    }
    if (side != SIDE_CLIENT || !take_cut_startup(talk, len))
        give_up_waiting(talk, R_LOST);
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

/* talk_plain.c - messages and GSS packets, walked through without keeping them; see talk.h. */
#include "base/mem.h"
#include "capture/redact.h"
#include "capture/talk_part.h"
#include "pg/wire.h"

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

enum { MESSAGE_MAX = 0x3FFFFFFF + 4 };      /* PQ_LARGE_MESSAGE_LIMIT and its length word */

/* Manual, "Message Formats"; a row is as short as it can be, and there are millions of them. */
static const bool types[SIDES][256] = {
    [SIDE_CLIENT] = { ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
                      ['H'] = true, ['P'] = true, ['Q'] = true, ['S'] = true, ['X'] = true,
                      ['c'] = true, ['d'] = true, ['f'] = true, ['p'] = true },
    [SIDE_SERVER] = { ['1'] = true, ['2'] = true, ['3'] = true, ['A'] = true, ['C'] = true,
                      ['D'] = true, ['E'] = true, ['G'] = true, ['H'] = true, ['I'] = true,
                      ['K'] = true, ['N'] = true, ['R'] = true, ['S'] = true, ['T'] = true,
                      ['V'] = true, ['W'] = true, ['Z'] = true, ['c'] = true, ['d'] = true,
                      ['n'] = true, ['s'] = true, ['t'] = true, ['v'] = true },
};

static bool is_head(enum talk_side side, const uint8_t *head)
{
    uint32_t len = u32(head + 1);

    return types[side][head[0]] && len >= 4 && len <= MESSAGE_MAX;
}

bool talk_is_message(enum talk_side side, const uint8_t *p, size_t len)
{
    return len >= 5 ? is_head(side, p) : len >= 2 && types[side][p[0]] && p[1] < 0x40;
}

/* Of that many bytes none is beyond ASCII. */
static bool is_ascii(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] >= 0x80)
            return false;
    return true;
}

bool talk_seem_messages(enum talk_side side, const uint8_t *p, size_t len)
{
    enum { HEADS = 3, TEXT = 32 };
    int heads = 0;

    for (size_t at = 0; len - at >= 5 && is_head(side, p + at) && p[at + 1] == 0; heads++) {
        size_t size = 1 + (size_t)u32(p + at + 1);

        if (heads + 1 == HEADS || size == len - at)
            return true;
        if (size > len - at)
            return len - at >= 5 + TEXT && is_ascii(p + at + 5, TEXT);
        at += size;
    }
    return false;
}

/* ---- what messages tell ---- */

static void take_auth(struct talk *talk, struct span body)
{
    struct talk_facts *facts = &talk->facts;
    struct rd rd = rd_over(body.p, body.len);
    uint32_t code;
    const char *name;

    if (!rd_u32(&rd, &code) || code > 100)
        return;
    if (code == WIRE_AUTH_OK) {
        facts->authenticated = true;
        return;
    }
    facts->auth = (uint8_t)(code + 1);
    if (code != WIRE_AUTH_SASL)
        return;

    PS_AUTO(buf_free) struct buf names = BUF(TALK_NAME_MAX);
    while (rd_cstr(&rd, &name) && *name) {
        buf_printf(&names, "%s%s", names.len ? "," : "", name);
        facts->scram_plus |= strcmp(name, "SCRAM-SHA-256-PLUS") == 0;
    }
    talk_set_text(talk, TEXT_AUTH, buf_text(&names), names.len);
}

static void take_error(struct talk *talk, struct span body)
{
    struct rd rd = rd_over(body.p, body.len);
    bool fatal = false;
    const char *text;
    uint8_t field;

    while (rd_u8(&rd, &field) && field && rd_cstr(&rd, &text)) {
        if (field == 'V')
            fatal = strcmp(text, "FATAL") == 0 || strcmp(text, "PANIC") == 0;
        if (field == 'C' && !talk->facts.sqlstate[0] && (fatal || !talk->facts.ready))
            snprintf(talk->facts.sqlstate, sizeof(talk->facts.sqlstate), "%s", text);
    }
}

/* Only which mechanism it is: behind its name may stand a token. */
static void take_mechanism(struct talk *talk, struct span body)
{
    struct rd rd = rd_over(body.p, body.len);
    const char *name;

    if (rd_cstr(&rd, &name) && strcmp(name, "OAUTHBEARER") == 0)
        talk->facts.password = PASSWORD_TOKEN;
    else
        talk->facts.password = PASSWORD_SCRAM;
}

static void add_sample(struct talk *talk, const char *text, size_t len)
{
    enum { SAMPLES_MAX = 3 };
    PS_AUTO(buf_free) struct buf all = BUF(TALK_SAMPLE_MAX);

    if (!len || ++talk->samples > SAMPLES_MAX)
        return;
    if (talk->text[TEXT_SAMPLE])
        buf_printf(&all, "%s\n", talk->text[TEXT_SAMPLE]);
    redact_sql(text, len, &all);
    talk_set_text(talk, TEXT_SAMPLE, buf_text(&all), all.len);
}

static void take_query(struct talk *talk, struct span body)
{
    add_sample(talk, (const char *)body.p, strnlen((const char *)body.p, body.len));
}

static void take_parse(struct talk *talk, struct span body)
{
    size_t name = strnlen((const char *)body.p, body.len);

    if (name + 1 < body.len)
        add_sample(talk, (const char *)body.p + name + 1,
                   strnlen((const char *)body.p + name + 1, body.len - name - 1));
}

/* Messages of which the first TALK_GATHER_MAX bytes are looked at. */
static const struct {
    enum talk_side side;
    char type;
    bool sample;            /* only when samples are wanted */
    void (*take)(struct talk *talk, struct span body);
} gathered[] = {
    { SIDE_SERVER, 'R', false, take_auth },
    { SIDE_SERVER, 'E', false, take_error },
    { SIDE_CLIENT, 'p', false, take_mechanism },
    { SIDE_CLIENT, 'Q', true, take_query },
    { SIDE_CLIENT, 'P', true, take_parse },
};

static int gather_row(const struct talk *talk, enum talk_side side, char type)
{
    for (size_t i = 0; i < PS_COUNT(gathered); i++)
        if (gathered[i].side == side && gathered[i].type == type)
            return !gathered[i].sample || (talk->want_samples && talk->samples < 3) ? (int)i : -1;
    return -1;
}

/* Of a password nothing is looked at, only that it was sent. */
static bool is_first_of_sasl(const struct talk *talk)
{
    return talk->facts.auth == WIRE_AUTH_SASL + 1 && talk->facts.password == PASSWORD_NONE;
}

static void count_password(struct talk *talk)
{
    static const struct { int auth; enum talk_password password; } sent[] = {
        { WIRE_AUTH_CLEARTEXT, PASSWORD_CLEARTEXT }, { WIRE_AUTH_MD5, PASSWORD_MD5 },
        { WIRE_AUTH_GSS, PASSWORD_GSS },             { WIRE_AUTH_SSPI, PASSWORD_GSS },
    };

    if (talk->facts.password != PASSWORD_NONE || is_first_of_sasl(talk))
        return;
    talk->facts.password = PASSWORD_OTHER;
    for (size_t i = 0; i < PS_COUNT(sent); i++)
        if (talk->facts.auth == sent[i].auth + 1)
            talk->facts.password = (uint8_t)sent[i].password;
}

static void count_client(struct talk_facts *facts, char type, uint32_t len)
{
    switch (type) {
    case 'Q':
    case 'F':
        facts->queries++;
        facts->query_bytes += len;
        break;
    case 'E':
        facts->queries++;
        break;
    case 'P':
    case 'B':
        facts->query_bytes += len;
        break;
    case 'd':
        facts->copy_in_bytes += len;
        break;
    default:
        break;
    }
}

static void count_server(struct talk_facts *facts, char type, uint32_t len, int64_t now_us)
{
    switch (type) {
    case 'D':
        facts->rows++;
        facts->row_bytes += len;
        break;
    case 'd':
        facts->copy_out_bytes += len;
        break;
    case 'Z':
        if (!facts->ready)
            facts->ready_us = now_us;
        facts->ready = true;
        break;
    default:
        break;
    }
}

/* ---- the walk ---- */

static void begin_message(struct talk *talk, enum talk_side side, const uint8_t *head,
                          int64_t now_us)
{
    struct talk_walk *walk = &talk->walk[side];
    char type = (char)head[0];

    if (!is_head(side, head)) {
        walk->lost = true;
        talk->facts.incomplete = true;
        return;
    }
    walk->lost = false;
    walk->left = u32(head + 1) - 4;
    walk->head[0] = head[0];
    if (side == SIDE_CLIENT)
        count_client(&talk->facts, type, walk->left);
    else
        count_server(&talk->facts, type, walk->left, now_us);
    if (side == SIDE_CLIENT && type == 'p')
        count_password(talk);
    walk->gather = gather_row(talk, side, type) >= 0
                   && (type != 'p' || side != SIDE_CLIENT || is_first_of_sasl(talk));
}

static void forget_body(struct talk_walk *walk)
{
    buf_wipe(&walk->body);
    walk->gather = false;
}

static void end_message(struct talk *talk, enum talk_side side)
{
    struct talk_walk *walk = &talk->walk[side];
    int row = gather_row(talk, side, (char)walk->head[0]);

    if (row >= 0 && walk->body.p)
        gathered[row].take(talk, (struct span){ (const uint8_t *)walk->body.p, walk->body.len });
    forget_body(walk);
}

/* Of a client's proof the name of its mechanism is all that is looked at. */
static void gather(struct talk_walk *walk, const uint8_t *p, size_t len)
{
    size_t most = walk->head[0] == 'p' ? sizeof("SCRAM-SHA-256-PLUS") : TALK_GATHER_MAX, room;

    walk->body.max = most;
    room = most - walk->body.len;
    buf_put(&walk->body, p, len < room ? len : room);
}

/* An error of before protocol 3, or of a server that could not fork: text without a length. */
static bool is_old_error(enum talk_side side, const uint8_t *head)
{
    return side == SIDE_SERVER && head[0] == 'E' && head[1] != 0;
}

/* Whole messages of data, one behind the other: how many bytes they take. */
static size_t pass_data(struct talk_facts *facts, enum talk_side side, const uint8_t *p, size_t len)
{
    uint64_t rows = 0, row_bytes = 0, copy_bytes = 0;
    size_t at = 0;

    while (len - at >= 5 && (p[at] == 'd' || (p[at] == 'D' && side == SIDE_SERVER))) {
        uint32_t size = u32(p + at + 1);

        if (size < 4 || size > len - at - 1)
            break;
        if (p[at] == 'D') {
            rows++;
            row_bytes += size - 4;
        } else {
            copy_bytes += size - 4;
        }
        at += 1 + (size_t)size;
    }
    facts->rows += rows;
    facts->row_bytes += row_bytes;
    *(side == SIDE_CLIENT ? &facts->copy_in_bytes : &facts->copy_out_bytes) += copy_bytes;
    return at;
}

void talk_walk_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                    int64_t now_us)
{
    struct talk_walk *walk = &talk->walk[side];

    if (walk->lost && len >= 5 && !is_head(side, p))    /* messages mostly begin with a segment */
        return;
    walk->lost = false;
    while (len > 0 && !walk->lost) {
        if (walk->left > 0 || walk->gather) {
            size_t n = len < walk->left ? len : walk->left;

            if (walk->gather)
                gather(walk, p, n);
            walk->left -= (uint32_t)n;
            p += n;
            len -= n;
            if (walk->left == 0 && walk->gather)
                end_message(talk, side);
            continue;
        }
        if (walk->head_len == 0) {
            size_t n = pass_data(&talk->facts, side, p, len);

            p += n;
            len -= n;
            if (len == 0)
                return;
        }
        if (walk->head_len == 0 && len >= sizeof(walk->head)) {
            if (is_old_error(side, p))
                return;
            begin_message(talk, side, p, now_us);
            p += sizeof(walk->head);
            len -= sizeof(walk->head);
        } else {
            walk->head[walk->head_len++] = *p++;
            len--;
            if (walk->head_len < sizeof(walk->head))
                continue;
            walk->head_len = 0;
            if (is_old_error(side, walk->head))
                return;
            begin_message(talk, side, walk->head, now_us);
        }
        if (walk->left == 0 && walk->gather)
            end_message(talk, side);
    }
}

void talk_walk_gap(struct talk *talk, enum talk_side side, uint64_t len)
{
    struct talk_walk *walk = &talk->walk[side];

    talk->facts.incomplete = true;
    if (walk->gather)
        forget_body(walk);
    if (len <= walk->left) {
        walk->left -= (uint32_t)len;
        return;
    }
    walk->left = 0;
    walk->head_len = 0;
    walk->lost = true;
}

/* ---- GSS: a length of four bytes, then so many ---- */

/* A token of each, and behind it something wrapped by each. */
static bool is_gss_done(const struct talk *talk)
{
    return talk->gss_packets[SIDE_CLIENT] >= 2 && talk->gss_packets[SIDE_SERVER] >= 2;
}

void talk_gss_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len)
{
    enum { PACKET_MAX = 65536 };    /* PQ_GSS_AUTH_BUFFER_SIZE; 16384 once it is encrypted */
    struct talk_walk *walk = &talk->walk[side];

    while (len > 0) {
        if (walk->left > 0) {
            size_t n = len < walk->left ? len : walk->left;

            walk->left -= (uint32_t)n;
            p += n;
            len -= n;
            continue;
        }
        walk->head[walk->head_len++] = *p++;
        len--;
        if (walk->head_len == 1 && walk->head[0] != 0) {
            talk->facts.failed = true;      /* the message of an error, not a token */
            talk_give_up(talk, R_NONE);
            return;
        }
        if (walk->head_len < 4)
            continue;
        walk->head_len = 0;
        walk->left = u32(walk->head);
        if (walk->left == 0 || walk->left > PACKET_MAX) {
            talk_give_up(talk, R_LOST);
            return;
        }
        talk->gss_packets[side]++;
    }
    if (is_gss_done(talk))
        talk->phase[SIDE_CLIENT] = talk->phase[SIDE_SERVER] = PH_FRAMES;
}

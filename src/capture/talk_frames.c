/*
 * talk_frames.c - behind a finished handshake: frames with a head that is readable, one behind the other, to the end
 * of the connection; see talk.h.
 */
#include "capture/talk_part.h"

enum { SEEK_FRAMES = 8 };       /* so many of the longest without a head between them: there are none */

struct framing {
    uint8_t head;               /* bytes of a head */
    uint32_t most;              /* and of what follows it */
    bool (*is_head)(const uint8_t *head);
    uint32_t (*body)(const uint8_t *head);
    bool (*is_open)(const uint8_t *body, size_t len);   /* not encrypted, and says so; NULL: none can say so */
};

/* RFC 8446 5.1; RFC 6520 has the fifth content. */
static bool is_record(const uint8_t *head)
{
    enum { HEARTBEAT = 24 };
    const uint8_t plain[TLS_RECORD_HEAD] = { head[0] == HEARTBEAT ? TLS_CT_DATA : head[0], head[1], head[2],
                                             head[3], head[4] };

    return tls_looks_like_record(plain, sizeof(plain));
}

static uint32_t record_body(const uint8_t *head)
{
    return (uint32_t)head[3] << 8 | head[4];
}

enum { GSS_HEAD = 4, GSS_PACKET_MAX = 65536 };  /* be-secure-gssapi.c */

static uint32_t packet_body(const uint8_t *head)
{
    return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
}

static bool is_packet(const uint8_t *head)
{
    return packet_body(head) > 0 && packet_body(head) <= GSS_PACKET_MAX;
}

/* RFC 4121 4.2.6.2: a wrapped token that is signed, not sealed. */
static bool is_unsealed(const uint8_t *body, size_t len)
{
    enum { SEALED = 2 };

    return len >= 3 && body[0] == 5 && body[1] == 4 && !(body[2] & SEALED);
}

static const struct framing *framing_of(const struct talk *talk)
{
    static const struct framing tls = { TLS_RECORD_HEAD, TLS_RECORD_MAX, is_record, record_body, NULL };
    static const struct framing gss = { GSS_HEAD, GSS_PACKET_MAX, is_packet, packet_body, is_unsealed };

    return talk->facts.tls_done ? &tls : &gss;
}

/* ---- what does not belong there ---- */

static void note_behind(struct talk *talk, enum talk_side side, enum talk_behind behind)
{
    if (behind > talk->facts.behind)
        talk->facts.behind = (uint8_t)behind;
    talk->phase[side] = behind == BEHIND_MESSAGES ? PH_MESSAGES : PH_SKIP;
    talk->walk[side] = (struct talk_walk){ 0 };
}

size_t talk_startup_len(enum talk_side side, const uint8_t *p, size_t len, struct wire_first *first)
{
    return side == SIDE_CLIENT && talk_looks_like_start(p, len)
        && wire_first_parse(p, len, first) == WIRE_DONE && first->kind == WIRE_FIRST_STARTUP ? first->len : 0;
}

void talk_frames_breach(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                        int64_t now_us)
{
    struct wire_first first;
    size_t startup = talk_startup_len(side, p, len, &first);

    if (startup) {
        note_behind(talk, side, BEHIND_MESSAGES);
        talk_take_names(talk, &first, true);
    } else {
        note_behind(talk, side, talk_is_message(side, p, len) ? BEHIND_MESSAGES : BEHIND_OTHER);
    }
    talk_route(talk, side, p + startup, len - startup, -1, now_us);
}

/* ---- in step ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void lose_step(struct talk_walk *walk)
{
    walk->lost = true;
    walk->doubted = false;
    walk->gather = false;
    walk->left = 0;
    walk->head_len = 0;
}

static size_t breach(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t now_us)
{
    const struct framing *framing = framing_of(talk);
    struct talk_walk *walk = &talk->walk[side];
    uint8_t head[sizeof(walk->head)];

    memcpy(head, walk->head, sizeof(head));
    talk_frames_breach(talk, side, p ? p : head, p ? len : framing->head, now_us);
    return len;
}

/* A frame around what can be read protects nothing: whoever makes both ends can do without a cipher. */
static void look_inside(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len)
{
    const struct framing *framing = framing_of(talk);

    talk->walk[side].gather = false;
    if (!talk_seem_messages(side, p, len) && !(framing->is_open && framing->is_open(p, len)))
        return;
    talk->facts.behind = BEHIND_MESSAGES;
    talk->facts.incomplete = true;
}

/* A head, or as much of it as there is. */
static size_t take_head(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t now_us)
{
    const struct framing *framing = framing_of(talk);
    struct talk_walk *walk = &talk->walk[side];
    bool begins = walk->head_len == 0;
    size_t n = least(len, (size_t)framing->head - walk->head_len);

    memcpy(walk->head + walk->head_len, p, n);
    walk->head_len = (uint8_t)(walk->head_len + n);
    if (walk->head_len < framing->head)
        return n;
    walk->head_len = 0;
    if (framing->is_head(walk->head)) {
        walk->left = framing->body(walk->head);
        walk->doubted = false;
        walk->run = 0;
        walk->gather = true;
    } else if (walk->doubted) {
        lose_step(walk);
    } else {
        return breach(talk, side, begins ? p : NULL, begins ? len : n, now_us);
    }
    return n;
}

/* ---- out of step ---- */

/* Up to and with what seems to be a head, if there is one. */
static size_t seek(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len)
{
    const struct framing *framing = framing_of(talk);
    struct talk_walk *walk = &talk->walk[side];
    size_t at = 0;

    while (len - at >= framing->head && !framing->is_head(p + at))
        at++;
    if (len - at < framing->head) {
        walk->run += (uint32_t)len;
        at = len;
    } else {
        walk->lost = false;
        walk->doubted = true;
        walk->left = framing->body(p + at);
        walk->run += (uint32_t)at + walk->left;
        at += framing->head;
    }
    if (walk->run > SEEK_FRAMES * framing->most)
        note_behind(talk, side, BEHIND_OTHER);
    return at;
}

void talk_frames_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t now_us)
{
    struct talk_walk *walk = &talk->walk[side];
    struct wire_first first;

    if (walk->lost && (talk_seem_messages(side, p, len) || talk_startup_len(side, p, len, &first))) {
        talk_frames_breach(talk, side, p, len, now_us);
        return;
    }
    while (len > 0 && talk->phase[side] == PH_FRAMES) {
        size_t n;

        if (walk->lost) {
            n = seek(talk, side, p, len);
        } else if (walk->left > 0) {
            n = least(len, walk->left);
            if (walk->gather)
                look_inside(talk, side, p, n);
            walk->left -= (uint32_t)n;
        } else {
            n = take_head(talk, side, p, len, now_us);
        }
        p += n;
        len -= n;
    }
    if (len > 0)
        talk_route(talk, side, p, len, -1, now_us);
}

void talk_frames_gap(struct talk *talk, enum talk_side side, uint64_t len)
{
    struct talk_walk *walk = &talk->walk[side];

    if (len <= walk->left) {
        walk->gather = false;
        walk->left -= (uint32_t)len;
        return;
    }
    talk->facts.unfollowed = true;
    lose_step(walk);
    walk->run = 0;
}

/* talk.c - a conversation, and where its bytes go; see talk.h. */
#include "capture/talk.h"

#include "base/mem.h"
#include "capture/talk_part.h"

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
        buf_free(&part->held[side]);
        tls_reader_free(&part->reader[side]);
    }
    free(part);
}

/* Names are short: memory for each would cost more than all else that is done with them. */
static void drop_text(struct talk *talk, enum talk_text which)
{
    const char *text = talk->text[which];

    if (text && (text < talk->store || text >= talk->store + sizeof(talk->store)))
        free(talk->text[which]);
    talk->text[which] = NULL;
}

void talk_free(struct talk *talk)
{
    talk_drop_part(talk);
    for (int side = 0; side < SIDES; side++)
        if (talk->walk[side].body.p)
            buf_free(&talk->walk[side].body);
    for (int i = 0; i < TALK_TEXTS; i++)
        drop_text(talk, (enum talk_text)i);
}

void talk_set_text(struct talk *talk, enum talk_text which, const void *p, size_t len)
{
    size_t most = which == TEXT_SNI ? 255 : which == TEXT_SAMPLE ? TALK_SAMPLE_MAX : TALK_NAME_MAX;

    drop_text(talk, which);
    len = strnlen(p, len < most ? len : most);
    if (len >= sizeof(talk->store) - talk->stored) {
        talk->text[which] = ps_strndup(p, len);
        return;
    }
    talk->text[which] = memcpy(talk->store + talk->stored, p, len);     /* NUL is behind it already */
    talk->stored = (uint8_t)(talk->stored + len + 1);
}

void talk_give_up(struct talk *talk, enum reason reason)
{
    if (!talk->facts.reason)
        talk->facts.reason = reason;
    talk->facts.unfollowed |= talk->phase[SIDE_CLIENT] == PH_FRAMES || talk->phase[SIDE_SERVER] == PH_FRAMES;
    talk->phase[SIDE_CLIENT] = talk->phase[SIDE_SERVER] = PH_SKIP;
}

void talk_route(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
                int64_t now_us)
{
    switch ((enum phase)talk->phase[side]) {
    case PH_TLS:
        talk_tls_feed(talk, side, p, len, acked, now_us);
        break;
    case PH_GSS:
        talk_gss_feed(talk, side, p, len);
        break;
    case PH_FRAMES:
        talk_frames_feed(talk, side, p, len, now_us);
        break;
    case PH_MESSAGES:
    case PH_ERROR:
        talk_walk_feed(talk, side, p, len, now_us);
        break;
    default:
        break;
    }
}

bool talk_is_waiting(const struct talk *talk, enum talk_side side)
{
    return talk->phase[side] <= PH_WAIT_GSS;
}

static void remember(struct talk_part *part, enum talk_side side, uint64_t at, const uint8_t *p, size_t len)
{
    size_t room = sizeof(part->first[side]) - part->first_len[side];

    if (at != part->first_len[side] || room == 0)
        return;
    memcpy(part->first[side] + at, p, len < room ? len : room);
    part->first_len[side] = (uint8_t)(at + (len < room ? len : room));
}

bool talk_contradicts(const struct talk *talk, enum talk_side side, uint64_t at, const uint8_t *p,
                      size_t len)
{
    const struct talk_part *part = talk->part;
    enum phase phase = (enum phase)talk->phase[side];
    struct wire_first first;

    if (part && at < part->first_len[side]) {
        size_t known = part->first_len[side] - (size_t)at;

        if (memcmp(part->first[side] + at, p, len < known ? len : known) != 0)
            return true;
    }
    return (phase == PH_TLS || phase == PH_GSS || phase == PH_FRAMES)
        && (talk_seem_messages(side, p, len) || talk_startup_len(side, p, len, &first));
}

void talk_data(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len, int64_t acked,
               int64_t now_us)
{
    uint64_t at = talk->offset[side];

    talk->offset[side] += len;
    if (talk_is_waiting(talk, side))
        talk_need_part(talk);
    if (talk->part)
        remember(talk->part, side, at, p, len);
    if (talk_is_waiting(talk, side)) {
        talk_wait(talk, side, p, len, acked, now_us);
        return;
    }
    talk_route(talk, side, p, len, acked, now_us);
    if (talk->part && (talk->facts.tls_sure
                       || (talk->phase[SIDE_CLIENT] >= PH_GSS && talk->phase[SIDE_SERVER] >= PH_GSS)))
        talk_drop_part(talk);
}

void talk_gap(struct talk *talk, enum talk_side side, uint64_t len)
{
    talk->offset[side] += len;
    if (talk_is_waiting(talk, side))
        talk_wait_gap(talk, side, len);
    else if (talk->phase[side] == PH_TLS)
        tls_reader_gap(&talk->part->reader[side], len);
    else if (talk->phase[side] == PH_FRAMES)
        talk_frames_gap(talk, side, len);
    else if (talk->phase[side] == PH_MESSAGES)
        talk_walk_gap(talk, side, len);
    else if (talk->phase[side] == PH_GSS)
        talk_give_up(talk, R_LOST);
}

size_t talk_part_bytes(const struct talk *talk)
{
    const struct talk_part *part = talk->part;
    size_t bytes = talk->walk[SIDE_CLIENT].body.cap + talk->walk[SIDE_SERVER].body.cap;

    for (int side = 0; part && side < SIDES; side++)
        bytes += part->held[side].cap + part->reader[side].message.cap;
    return part ? bytes + sizeof(*part) : bytes;
}

bool talk_is_settled(const struct talk *talk)
{
    return talk->phase[SIDE_CLIENT] >= PH_FRAMES && talk->phase[SIDE_SERVER] >= PH_FRAMES;
}

bool talk_is_deaf_to(const struct talk *talk, enum talk_side side)
{
    return talk->phase[side] == PH_SKIP;
}

bool talk_is_deaf(const struct talk *talk)
{
    return talk_is_deaf_to(talk, SIDE_CLIENT) && talk_is_deaf_to(talk, SIDE_SERVER);
}

/* record.c - see record.h. */
#include "tls/record.h"

enum { HANDSHAKE_HEAD = 4 };

void tls_reader_free(struct tls_reader *reader)
{
    buf_free(&reader->message);
    *reader = (struct tls_reader){ 0 };
}

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

bool tls_looks_like_record(const uint8_t *p, size_t len)
{
    return len > 0 && p[0] >= TLS_CT_CHANGE_CIPHER && p[0] <= TLS_CT_DATA
        && (len < 2 || p[1] == 3) && (len < 3 || p[2] <= 4)
        && (len < TLS_RECORD_HEAD || (u16(p + 3) > 0 && u16(p + 3) <= TLS_RECORD_MAX));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t body_len(const uint8_t *message)
{
    return (size_t)u16(message + 2) + ((size_t)message[1] << 16);
}

static void tell_message(const uint8_t *message, size_t body, tls_event_fn event, void *of)
{
    event(of, &(struct tls_event){ .kind = TLS_EV_MESSAGE, .type = message[0], .whole = true,
                                   .body = { message + HANDSHAKE_HEAD, body } });
}

static void skip_message(struct tls_reader *reader, const uint8_t *head)
{
    reader->skip_kind = head[0];
    reader->skip_left = (uint32_t)body_len(head);
}

static size_t skip(struct tls_reader *reader, size_t len, tls_event_fn event, void *of)
{
    size_t n = least(len, reader->skip_left);

    reader->skip_left -= (uint32_t)n;
    if (reader->skip_left == 0)
        event(of, &(struct tls_event){ .kind = TLS_EV_MESSAGE, .type = reader->skip_kind });
    return n;
}

/* One that begins here.  How many bytes it took; 0: it is not all here, and has to be put together. */
static size_t take_in_place(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                            void *of)
{
    size_t body;

    if (len < HANDSHAKE_HEAD)
        return 0;
    body = body_len(p);
    if (body > TLS_MESSAGE_MAX - HANDSHAKE_HEAD) {
        skip_message(reader, p);
        return HANDSHAKE_HEAD;
    }
    if (len - HANDSHAKE_HEAD < body)
        return 0;
    tell_message(p, body, event, of);
    return HANDSHAKE_HEAD + body;
}

static size_t put_together(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                           void *of)
{
    struct buf *message = &reader->message;
    size_t whole = HANDSHAKE_HEAD, n;
    const uint8_t *at;

    message->max = TLS_MESSAGE_MAX;
    if (message->len >= HANDSHAKE_HEAD)
        whole += body_len((const uint8_t *)message->p);
    n = least(len, whole - message->len);
    buf_put(message, p, n);
    if (message->len < HANDSHAKE_HEAD)
        return n;
    at = (const uint8_t *)message->p;
    if (body_len(at) > TLS_MESSAGE_MAX - HANDSHAKE_HEAD) {
        skip_message(reader, at);
        buf_clear(message);
    } else if (message->len == HANDSHAKE_HEAD + body_len(at)) {
        tell_message(at, body_len(at), event, of);
        buf_clear(message);
    }
    return n;
}

/* Messages may share a record and may be split over several: RFC 8446 5.1. */
static void take_handshake(struct tls_reader *reader, const uint8_t *p, size_t len,
                           tls_event_fn event, void *of)
{
    while (len > 0) {
        size_t n = 0;

        if (reader->skip_left > 0)
            n = skip(reader, len, event, of);
        else if (reader->message.len == 0)
            n = take_in_place(reader, p, len, event, of);
        if (n == 0)
            n = put_together(reader, p, len, event, of);
        p += n;
        len -= n;
    }
}

static void take_alert(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                       void *of)
{
    for (size_t i = 0; i < len; i++) {
        reader->alert[reader->alert_len++] = p[i];
        if (reader->alert_len < sizeof(reader->alert))
            continue;
        reader->alert_len = 0;
        event(of, &(struct tls_event){ .kind = TLS_EV_ALERT, .level = reader->alert[0],
                                       .description = reader->alert[1] });
    }
}

/* A readable alert has two bytes; encrypted ones are longer. */
static void take_body(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                      void *of)
{
    uint8_t content = reader->head[0];

    if (reader->encrypted || reader->lost)
        return;
    if (content == TLS_CT_HANDSHAKE)
        take_handshake(reader, p, len, event, of);
    else if (content == TLS_CT_ALERT && u16(reader->head + 3) == 2)
        take_alert(reader, p, len, event, of);
}

/* The head of a record is there: judge it and say so. */
static void begin_record(struct tls_reader *reader, tls_event_fn event, void *of)
{
    const uint8_t *head = reader->head;

    if (!tls_looks_like_record(head, TLS_RECORD_HEAD)) {
        reader->bad = true;
        return;
    }
    reader->left = u16(head + 3);
    event(of, &(struct tls_event){ .kind = TLS_EV_RECORD, .content = head[0],
                                   .version = u16(head + 1), .len = reader->left });
}

size_t tls_reader_feed(struct tls_reader *reader, const uint8_t *p, size_t len, tls_event_fn event,
                       void *of)
{
    size_t at = 0;

    if (reader->lost && reader->head_len == 0 && reader->left == 0 && !tls_looks_like_record(p, len))
        return len;
    while (at < len && !reader->bad) {
        size_t n;

        if (reader->left == 0) {
            n = least(len - at, (size_t)TLS_RECORD_HEAD - reader->head_len);
            if (n == TLS_RECORD_HEAD)       /* nearly always, and then it is no call */
                memcpy(reader->head, p + at, TLS_RECORD_HEAD);
            else
                memcpy(reader->head + reader->head_len, p + at, n);
            reader->head_len = (uint8_t)(reader->head_len + n);
            at += n;
            if (reader->head_len < TLS_RECORD_HEAD)
                return at;
            begin_record(reader, event, of);
            reader->head_len = 0;
            continue;
        }
        n = least(len - at, reader->left);
        reader->left = (uint16_t)(reader->left - n);
        take_body(reader, p + at, n, event, of);
        at += n;
    }
    return at;
}

void tls_reader_gap(struct tls_reader *reader, uint64_t len)
{
    if (len <= reader->left && (reader->encrypted || reader->head[0] == TLS_CT_DATA)) {
        reader->left = (uint16_t)(reader->left - len);
        return;
    }
    reader->lost = true;
    reader->left = 0;
    reader->head_len = 0;
    reader->skip_left = 0;
    reader->alert_len = 0;
    buf_clear(&reader->message);
}

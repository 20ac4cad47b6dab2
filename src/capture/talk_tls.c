/* talk_tls.c - the TLS of a conversation, as far as it is visible; see talk.h. */
#include "base/mem.h"
#include "capture/talk_part.h"
#include "pg/wire.h"

enum { CERTS_MAX = 8 };

struct feed {
    struct talk *talk;
    enum talk_side side;
    int64_t now_us;
};

static void fail_tls(struct talk *talk, enum reason reason)
{
    talk->facts.failed = true;
    talk_give_up(talk, reason);
}

/* The hello of a client must not have been sent before it could see the S. */
static void take_client_hello(struct feed *feed, const struct tls_client_hello *hello)
{
    struct talk *talk = feed->talk;
    struct talk_facts *facts = &talk->facts;
    struct rd alpn = rd_over(hello->alpn.p, hello->alpn.len);
    struct span name;

    if (!facts->client_hello)
        facts->tls_begun_us = feed->now_us;
    facts->client_hello = true;
    facts->offered_version = tls_client_hello_version(hello);
    if (hello->server_name.len)
        talk_set_text(talk, TEXT_SNI, hello->server_name.p, hello->server_name.len);
    if (rd_vec8(&alpn, 1, 255, &name))
        talk_set_text(talk, TEXT_ALPN, name.p, name.len);
    talk->part->session_len = (uint8_t)(hello->session_id.len <= 32 ? hello->session_id.len : 0);
    if (talk->part->session_len)
        memcpy(talk->part->session_id, hello->session_id.p, talk->part->session_len);
    if (facts->start == START_DIRECT_TLS && !tls_alpn_has(hello->alpn, "postgresql")) {
        facts->not_postgres = true;
        facts->reason = R_NO_ALPN;
    }
}

static void take_server_hello(struct feed *feed, const struct tls_server_hello *hello)
{
    struct talk_facts *facts = &feed->talk->facts;
    const struct talk_part *part = feed->talk->part;

    facts->tls_version = hello->version;
    facts->cipher = hello->cipher;
    if (hello->group)
        facts->group = hello->group;
    if (hello->retry) {
        facts->retry = true;
        return;
    }
    facts->server_hello = true;
    facts->resumed = hello->version >= TLS_1_3
        ? hello->psk
        : hello->session_id.len > 0 && hello->session_id.len == part->session_len
              && memcmp(hello->session_id.p, part->session_id, part->session_len) == 0;
    if (hello->alpn.len)
        talk_set_text(feed->talk, TEXT_ALPN, hello->alpn.p, hello->alpn.len);
}

static void take_certificate(struct feed *feed, struct span body)
{
    struct talk_facts *facts = &feed->talk->facts;
    struct span certs[CERTS_MAX];
    size_t count;

    if (!tls_certificates_parse(body, certs, CERTS_MAX, &count) || count == 0 || !feed->talk->shelf)
        return;
    *(feed->side == SIDE_CLIENT ? &facts->client_cert : &facts->server_cert) =
        cert_shelf_put(feed->talk->shelf, certs[0].p, certs[0].len);
}

static void take_message(struct feed *feed, const struct tls_event *event)
{
    struct talk_facts *facts = &feed->talk->facts;
    struct tls_client_hello client;
    struct tls_server_hello server;
    uint16_t group;

    if (!event->whole)
        return;
    switch (event->type) {
    case TLS_HS_CLIENT_HELLO:
        if (feed->side == SIDE_CLIENT && tls_client_hello_parse(event->body, &client))
            take_client_hello(feed, &client);
        break;
    case TLS_HS_SERVER_HELLO:
        if (feed->side == SIDE_SERVER && !facts->server_hello
            && tls_server_hello_parse(event->body, &server))
            take_server_hello(feed, &server);
        break;
    case TLS_HS_CERTIFICATE:
        take_certificate(feed, event->body);
        break;
    case TLS_HS_SERVER_KEY_EXCHANGE:
        if (feed->side == SIDE_SERVER && tls_key_exchange_group(event->body, &group))
            facts->group = group;
        break;
    case TLS_HS_CERTIFICATE_REQUEST:
        facts->client_cert_asked = true;
        break;
    default:
        break;
    }
}

static void take_alert(struct feed *feed, const struct tls_event *event)
{
    enum { FATAL = 2, CLOSE_NOTIFY = 0, USER_CANCELED = 90 };
    struct talk_facts *facts = &feed->talk->facts;

    if (facts->tls_done || (facts->alert_seen && event->level != FATAL))
        return;
    facts->alert_seen = true;
    facts->alert = event->description;
    facts->alert_by = (uint8_t)feed->side;
    if (event->level == FATAL || event->description == CLOSE_NOTIFY
        || event->description == USER_CANCELED)
        fail_tls(feed->talk, R_NONE);
}

/* From now on heads of records are all that is looked at. */
static void follow(struct talk *talk)
{
    for (int side = 0; side < SIDES; side++) {
        const struct tls_reader *reader = &talk->part->reader[side];

        if (talk->phase[side] != PH_FRAMES)
            continue;
        talk->walk[side] = (struct talk_walk){ .left = reader->left, .head_len = reader->head_len,
                                               .lost = reader->lost };
        memcpy(talk->walk[side].head, reader->head, sizeof(reader->head));
        talk->facts.unfollowed |= reader->lost;
    }
}

static void finish(struct feed *feed, bool sure)
{
    struct talk_facts *facts = &feed->talk->facts;

    if (!facts->client_hello || !facts->server_hello)
        return;
    if (!facts->tls_done)
        facts->tls_done_us = feed->now_us;
    facts->tls_done = true;
    if (sure && !facts->tls_sure) {
        facts->tls_sure = true;
        for (int side = 0; side < SIDES; side++)
            if (feed->talk->phase[side] == PH_TLS)
                feed->talk->phase[side] = PH_FRAMES;
    }
}

static void hidden_alert(struct feed *feed)
{
    struct talk_facts *facts = &feed->talk->facts;

    facts->tls_done = false;
    facts->alert_seen = facts->alert_hidden = true;
    facts->alert_by = (uint8_t)feed->side;
    fail_tls(feed->talk, R_HIDDEN_ALERT);
}

/* What stands behind the bytes of a record: its content type and the tag of the cipher (RFC 8446 5.2, RFC 9150). */
static size_t around(const struct talk_facts *facts)
{
    static const struct { uint16_t cipher; uint8_t tag; } others[] = {
        { 0x1305, 8 }, { 0xC0B4, 32 }, { 0xC0B5, 48 },
    };

    for (size_t i = 0; i < PS_COUNT(others); i++)
        if (others[i].cipher == facts->cipher)
            return 1 + (size_t)others[i].tag;
    return 1 + 16;
}

/* Nothing else is so short. */
static bool has_size_of_alert(const struct talk_facts *facts, size_t len)
{
    return len == 2 + around(facts);
}

/* A Finished has a hash of 32 or 48 bytes: RFC 8446 4.4.4. */
static bool has_size_of_finished(const struct talk_facts *facts, size_t len)
{
    return len == 4 + 32 + around(facts) || len == 4 + 48 + around(facts);
}

/* A CancelRequest in a record of its own; its key has 4 bytes, or 32 since protocol 3.2. */
static bool has_size_of_cancel(const struct talk_facts *facts, size_t len)
{
    return len == 12 + 4 + around(facts) || len == 12 + 32 + around(facts);
}

/*
 * The server's first words after the client's Finished are an alert.  It refuses the client's certificate, or
 * the server closes, which is all that a request to cancel is answered with.  Where no certificate was asked
 * for there is nothing to refuse; otherwise behind a request to cancel it can be either.
 */
static void take_alert_of_server(struct feed *feed)
{
    const struct talk_part *part = feed->talk->part;

    if (part->client_closing)
        return;
    if (part->client_plain && feed->talk->facts.tls_done)
        finish(feed, true);
    else if (part->data_records[SIDE_CLIENT] > 1
             && has_size_of_cancel(&feed->talk->facts, part->client_last)) {
        feed->talk->facts.tls_done = false;
        talk_give_up(feed->talk, R_HIDDEN_ALERT);
    } else {
        hidden_alert(feed);
    }
}

/*
 * TLS 1.3: what is inside is hidden, but not how long it is.  The client's Finished, or anything it sends
 * behind its first encrypted record, ends the handshake; that the server took it is sure as soon as it
 * answers with more than an alert.
 */
static void take_hidden_record(struct feed *feed, size_t len)
{
    struct talk_part *part = feed->talk->part;
    const struct talk_facts *facts = &feed->talk->facts;
    bool alert = has_size_of_alert(facts, len);

    part->data_records[feed->side]++;
    if (feed->side == SIDE_CLIENT) {
        if (part->data_records[SIDE_CLIENT] == 1 && alert) {
            hidden_alert(feed);
            return;
        }
        part->client_closing |= alert;
        part->client_plain |= part->data_records[SIDE_CLIENT] == 1 && has_size_of_finished(facts, len);
        part->client_last = len;
        if (part->data_records[SIDE_SERVER] > 0
            && (part->data_records[SIDE_CLIENT] > 1 || has_size_of_finished(facts, len)))
            finish(feed, false);
        return;
    }
    if (part->data_records[SIDE_CLIENT] == 0)
        return;
    part->server_after++;
    if (!alert)
        finish(feed, true);
    else if (part->server_after == 1)
        take_alert_of_server(feed);
}

/* TLS 1.2 and before: one record behind each change of ciphers is Finished. */
static void take_old_record(struct feed *feed, uint8_t content)
{
    struct talk_part *part = feed->talk->part;

    if (content == TLS_CT_CHANGE_CIPHER) {
        part->ciphers_changed[feed->side] = true;
        part->reader[feed->side].encrypted = true;
        return;
    }
    if (content == TLS_CT_DATA)
        part->data_records[feed->side]++;
    if (part->ciphers_changed[feed->side] && content == TLS_CT_HANDSHAKE)
        part->finished_records[feed->side]++;
    if ((part->finished_records[SIDE_CLIENT] > 0 && part->finished_records[SIDE_SERVER] > 0)
        || (part->data_records[SIDE_CLIENT] > 0 && part->data_records[SIDE_SERVER] > 0))
        finish(feed, true);
}

static void take_event(void *of, const struct tls_event *event)
{
    struct feed *feed = of;
    const struct talk_facts *facts = &feed->talk->facts;

    if (feed->talk->phase[feed->side] != PH_TLS)
        return;
    if (event->kind == TLS_EV_MESSAGE)
        take_message(feed, event);
    else if (event->kind == TLS_EV_ALERT)
        take_alert(feed, event);
    else if (facts->tls_version >= TLS_1_3) {
        if (event->content == TLS_CT_DATA && facts->server_hello)
            take_hidden_record(feed, event->len);
    } else
        take_old_record(feed, event->content);
}

/* The first bytes behind the S are no record: an old hello, a client that did not listen, or rubbish. */
static void take_no_record(struct feed *feed, const uint8_t *p, size_t len)
{
    struct talk *talk = feed->talk;
    struct tls_client_hello hello;
    size_t whole;

    if (feed->side == SIDE_CLIENT && tls_sslv2_hello_parse(p, len, &whole, &hello)) {
        take_client_hello(feed, &hello);
        tls_reader_feed(&talk->part->reader[SIDE_CLIENT], p + whole, len - whole, take_event, feed);
        return;
    }
    if (feed->side == SIDE_CLIENT && talk_looks_like_start(p, len)) {
        struct wire_first first;

        if (wire_first_parse(p, len, &first) == WIRE_DONE && first.kind == WIRE_FIRST_STARTUP) {
            talk->facts.protocol = first.protocol;
            talk_set_text(talk, TEXT_USER, first.user, strlen(first.user));
            if (first.database)
                talk_set_text(talk, TEXT_DATABASE, first.database, strlen(first.database));
            talk_give_up(talk, R_NONE);
            return;
        }
    }
    fail_tls(talk, R_NO_TLS);
}

/*
 * A server has nothing to say in TLS before the client's hello: bytes that it sent without having received
 * one were put there by somebody else (CVE-2021-23222).
 */
static void look_for_stuffing(struct talk *talk, enum talk_side side, int64_t acked)
{
    struct talk_part *part = talk->part;

    if (side == SIDE_SERVER && acked >= 0 && (uint64_t)acked <= part->tls_at[SIDE_CLIENT]) {
        talk->facts.injected = true;
        talk->facts.injected_by = SIDE_SERVER;
    }
}

/* What is no record is a failure; behind the Finished of both it is a breach. */
static void take_records(struct feed *feed, const uint8_t *p, size_t len)
{
    struct talk *talk = feed->talk;
    struct tls_reader *reader = &talk->part->reader[feed->side];
    size_t taken = tls_reader_feed(reader, p, len, take_event, feed);

    if (talk->facts.tls_sure)
        follow(talk);
    if (!reader->bad || talk->phase[feed->side] == PH_SKIP)
        return;
    if (!talk->facts.tls_done) {
        fail_tls(talk, R_NO_TLS);
        return;
    }
    talk_frames_breach(talk, feed->side, reader->head, sizeof(reader->head), feed->now_us);
    talk_route(talk, feed->side, p + taken, len - taken, -1, feed->now_us);
}

void talk_tls_feed(struct talk *talk, enum talk_side side, const uint8_t *p, size_t len,
                   int64_t acked, int64_t now_us)
{
    struct feed feed = { talk, side, now_us };
    struct talk_part *part = talk->part;

    if (!part->begun[side]) {
        part->begun[side] = true;
        look_for_stuffing(talk, side, acked);
        if (side == SIDE_CLIENT && !talk->facts.tls_begun_us)
            talk->facts.tls_begun_us = now_us;
        if (!part->reader[side].lost && !tls_looks_like_record(p, len)) {
            take_no_record(&feed, p, len);
            return;
        }
    }
    take_records(&feed, p, len);
}

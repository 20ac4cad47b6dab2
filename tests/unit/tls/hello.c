/*
 * The promises of tls/hello.h, tls/record.h and tls/names.h, over what OpenSSL 3.0's client and server
 * really sent (tests/data/tls; each file is one direction of one connection).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/hello.h"
#include "tls/record.h"

static void load(const char *name, struct buf *out)
{
    PS_AUTO(ps_freep) char *path = path_join(TEST_DATA "/tls", name);
    struct ps_err err = { 0 };

    if (!file_read(path, 1u << 20, out, &err))
        fail_msg("%s", err.message);
}

/* What a direction says, in short: H2 a handshake message, C the change of ciphers, A48 an alert, D data. */
struct story {
    struct tls_reader reader;
    struct buf text;
    struct tls_client_hello client;
    struct tls_server_hello server;
    char sni[64];
    bool has_dummies;       /* a change of ciphers that changes nothing: RFC 8446 D.4 */
    uint16_t group;
    size_t certs;
};

static void tell_message(struct story *story, const struct tls_event *event)
{
    struct span certs[4];

    buf_printf(&story->text, "H%d ", event->type);
    if (event->type == TLS_HS_CLIENT_HELLO) {
        assert_true(tls_client_hello_parse(event->body, &story->client));
        snprintf(story->sni, sizeof(story->sni), "%.*s", (int)story->client.server_name.len,
                 (const char *)story->client.server_name.p);
        assert_true(tls_alpn_has(story->client.alpn, "postgresql"));
        assert_false(tls_alpn_has(story->client.alpn, "postgres"));
        assert_true(tls_codes_have(story->client.groups, 0x001D));
        story->has_dummies = tls_client_hello_version(&story->client) == TLS_1_3
                             && story->client.key_shares.len > 0;
    } else if (event->type == TLS_HS_SERVER_HELLO) {
        assert_true(tls_server_hello_parse(event->body, &story->server));
        story->reader.encrypted = story->server.version == TLS_1_3 && !story->server.retry;
    } else if (event->type == TLS_HS_CERTIFICATE) {
        assert_true(tls_certificates_parse(event->body, certs, PS_COUNT(certs), &story->certs));
    } else if (event->type == TLS_HS_SERVER_KEY_EXCHANGE) {
        assert_true(tls_key_exchange_group(event->body, &story->group));
    }
}

static void tell(void *of, const struct tls_event *event)
{
    struct story *story = of;

    if (event->kind == TLS_EV_MESSAGE)
        tell_message(story, event);
    else if (event->kind == TLS_EV_ALERT)
        buf_printf(&story->text, "A%d ", event->description);
    else if (event->content == TLS_CT_CHANGE_CIPHER) {
        buf_puts(&story->text, "C ");
        story->reader.encrypted = !story->has_dummies;
    } else if (event->content == TLS_CT_DATA)
        buf_printf(&story->text, "D%d ", event->len);
}

static void tell_story(const struct buf *bytes, size_t piece, struct story *story)
{
    *story = (struct story){ .text = BUF(1u << 16) };
    for (size_t at = 0; at < bytes->len; at += piece) {
        size_t len = bytes->len - at < piece ? bytes->len - at : piece;

        tls_reader_feed(&story->reader, (const uint8_t *)bytes->p + at, len, tell, story);
    }
}

static void end_story(struct story *story)
{
    tls_reader_free(&story->reader);
    buf_free(&story->text);
}

static const struct { const char *file, *events; } stories[] = {
    { "tls13.client", "H1 C D69 D77 " },
    { "tls13.server", "H2 C D40 D458 D95 D69 D266 D266 D77 " },
    { "tls13-retry.client", "H1 C H1 D69 D77 " },
    { "tls13-untrusted.client", "H1 A48 " },
    { "tls12.client", "H1 H16 C D84 " },
    { "tls12.server", "H2 H11 H12 H14 H4 C D84 " },
    { "tls12-client-cert.client", "H1 H11 H16 H15 C D84 " },
    { "tls12-client-cert.server", "H2 H11 H12 H13 H14 H4 C D84 " },
    { "tls12-untrusted.client", "H1 A48 " },
    { "version-refused.server", "A70 " },
};

static void a_direction_is_read_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = { 1, 2, 3, 5, 7, 64, 1000, 1u << 20 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(stories); i++) {
        PS_AUTO(buf_free) struct buf bytes = BUF(1u << 20);

        load(stories[i].file, &bytes);
        for (size_t j = 0; j < PS_COUNT(pieces); j++) {
            struct story story;

            tell_story(&bytes, pieces[j], &story);
            assert_string_equal(buf_text(&story.text), stories[i].events);
            assert_false(story.reader.bad);
            end_story(&story);
        }
    }
}

static void hellos_say_what_was_asked_and_chosen(void **state)
{
    static const struct {
        const char *client, *server;
        uint16_t asked, version, cipher, group;
        size_t certs;
    } rows[] = {
        { "tls13.client", "tls13.server", TLS_1_3, TLS_1_3, 0x1302, 0x001D, 0 },
        { "tls13-retry.client", "tls13-retry.server", TLS_1_3, TLS_1_3, 0x1302, 0x0018, 0 },
        { "tls12.client", "tls12.server", TLS_1_3, TLS_1_2, 0xC02C, 0x001D, 1 },
        { "version-refused.client", NULL, TLS_1_2, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(buf_free) struct buf client = BUF(1u << 20);
        PS_AUTO(buf_free) struct buf server = BUF(1u << 20);
        struct story said, answered;

        load(rows[i].client, &client);
        tell_story(&client, client.len, &said);
        assert_string_equal(said.sni, "db1.example.net");
        end_story(&said);
        if (!rows[i].server)
            continue;
        load(rows[i].server, &server);
        tell_story(&server, server.len, &answered);
        assert_int_equal(answered.server.version, rows[i].version);
        assert_int_equal(answered.server.cipher, rows[i].cipher);
        assert_int_equal(answered.server.group ? answered.server.group : answered.group,
                         rows[i].group);
        assert_int_equal(answered.certs, rows[i].certs);
        end_story(&answered);
    }
}

static void a_hello_in_the_form_of_sslv2_is_recognised(void **state)
{
    static const uint8_t hello[] = {
        0x80, 0x1F, 0x01, 0x03, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x10,
        0x00, 0x00, 0x2F, 0x00, 0x00, 0x0A,
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    };
    struct tls_client_hello out;
    size_t whole;

    (void)state;
    assert_true(tls_sslv2_hello_parse(hello, sizeof(hello), &whole, &out));
    assert_int_equal(whole, sizeof(hello));
    assert_int_equal(tls_client_hello_version(&out), TLS_1_0);
    assert_int_equal(out.sslv2_ciphers.len, 6);
    for (size_t len = 0; len < sizeof(hello); len++)
        assert_false(tls_sslv2_hello_parse(hello, len, &whole, &out));
}

/* Each length inside a hello, made wrong, makes it malformed; cut short it is never whole. */
static void broken_hellos_are_refused(void **state)
{
    PS_AUTO(buf_free) struct buf bytes = BUF(1u << 20);
    struct tls_client_hello out;
    const size_t head = TLS_RECORD_HEAD + 4, fixed = head + 2 + 32;     /* to the session's length */

    (void)state;
    load("tls13.client", &bytes);
    size_t len = (size_t)(uint8_t)bytes.p[3] << 8 | (uint8_t)bytes.p[4];
    struct span body = { (const uint8_t *)bytes.p + head, len - 4 };

    assert_true(tls_client_hello_parse(body, &out));
    bytes.p[fixed] = 33;                                /* a session of more than 32 bytes */
    assert_false(tls_client_hello_parse(body, &out));
    bytes.p[fixed] = 32;
    bytes.p[fixed + 33 + 1] ^= 1;                       /* an odd length of the suites */
    assert_false(tls_client_hello_parse(body, &out));
    bytes.p[fixed + 33 + 1] ^= 1;
    for (size_t cut = 0; cut < body.len; cut++) {
        struct span part = { body.p, cut };
        bool ok = tls_client_hello_parse(part, &out);

        assert_true(!ok || out.extensions.len == 0);    /* without extensions it was whole once */
    }
}

static void what_is_lost_inside_an_encrypted_record_is_no_loss(void **state)
{
    static const uint8_t one[] = { 23, 3, 3, 0, 100, 1, 2, 3 }, next[] = { 23, 3, 3, 0, 30 };
    struct story story = { .text = BUF(1u << 16) };

    (void)state;
    tls_reader_feed(&story.reader, one, sizeof(one), tell, &story);
    tls_reader_gap(&story.reader, 97);
    tls_reader_feed(&story.reader, next, sizeof(next), tell, &story);
    assert_false(story.reader.lost);
    assert_string_equal(buf_text(&story.text), "D100 D30 ");
    tls_reader_gap(&story.reader, 31);                  /* beyond its end: sought at the next piece */
    tls_reader_feed(&story.reader, (const uint8_t *)"xyz", 3, tell, &story);
    tls_reader_feed(&story.reader, next, sizeof(next), tell, &story);
    assert_true(story.reader.lost);
    assert_string_equal(buf_text(&story.text), "D100 D30 D30 ");
    end_story(&story);
}

static void messages_over_the_bound_are_reported_without_body(void **state)
{
    static const uint8_t head[] = { 22, 3, 3, 0x40, 0, 11, 0x02, 0, 0 };
    static uint8_t zeros[1 << 14];
    struct story story = { .text = BUF(1u << 16) };

    (void)state;
    tls_reader_feed(&story.reader, head, sizeof(head), tell, &story);
    tls_reader_feed(&story.reader, zeros, (1 << 14) - 4, tell, &story);
    for (int i = 0; i < 7; i++) {
        tls_reader_feed(&story.reader, head, TLS_RECORD_HEAD, tell, &story);
        tls_reader_feed(&story.reader, zeros, 1 << 14, tell, &story);
    }
    assert_int_equal(story.reader.skip_left, 4);
    assert_true(story.reader.message.cap < TLS_MESSAGE_MAX);
    end_story(&story);
}

static void names_are_those_of_the_registry(void **state)
{
    (void)state;
    for (size_t i = 1; i < tls_suites_count; i++)
        assert_true(tls_suites[i - 1].code < tls_suites[i].code);
    assert_string_equal(tls_suite_find(0x1302)->name, "TLS_AES_256_GCM_SHA384");
    assert_string_equal(tls_suite_find(0xC030)->openssl, "ECDHE-RSA-AES256-GCM-SHA384");
    assert_null(tls_suite_find(0x0A0A));
    assert_true(tls_suite_is_null(tls_suite_find(0x003B)));
    assert_true(tls_suite_is_null(tls_suite_find(0xC0B4)));
    assert_true(tls_suite_is_anonymous(tls_suite_find(0x00A7)));
    assert_false(tls_suite_is_null(tls_suite_find(0x1301)));
    assert_string_equal(tls_version_name(0x0301), "TLSv1");
    assert_string_equal(tls_group_name(0x11EC), "X25519MLKEM768");
    assert_string_equal(tls_scheme_name(0x0403), "ecdsa_secp256r1_sha256");
    assert_string_equal(tls_alert_name(48), "unknown_ca");
    assert_null(tls_alert_name(200));
    assert_true(tls_is_grease(0x3A3A));
    assert_false(tls_is_grease(0x1301));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direction_is_read_in_pieces_of_any_size),
        cmocka_unit_test(hellos_say_what_was_asked_and_chosen),
        cmocka_unit_test(a_hello_in_the_form_of_sslv2_is_recognised),
        cmocka_unit_test(broken_hellos_are_refused),
        cmocka_unit_test(what_is_lost_inside_an_encrypted_record_is_no_loss),
        cmocka_unit_test(messages_over_the_bound_are_reported_without_body),
        cmocka_unit_test(names_are_those_of_the_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

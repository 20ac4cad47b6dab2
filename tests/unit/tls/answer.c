/* The first flight of a server, recorded from PostgreSQL 15 with OpenSSL 3.0 answering offers of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/answer.h"
#include "tls/cert.h"

static void load(const char *name, struct buf *out)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/answer/%s", TEST_DATA, name);
    struct ps_err err = { 0 };

    *out = BUF(ANSWER_FLIGHT_MAX);
    assert_true(file_read(path, ANSWER_FLIGHT_MAX, out, &err));
}

static enum answer_state read_file(const char *name, struct answer *answer)
{
    PS_AUTO(buf_free) struct buf bytes = { 0 };

    load(name, &bytes);
    return answer_read(bytes.p, bytes.len, answer);
}

static void refusals_name_their_alert(void **state)
{
    static const struct { const char *name; uint8_t alert; } rows[] = {
        { "alert-version", 70 }, { "alert-handshake", 40 }, { "alert-share", 40 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(answer_free) struct answer answer = { 0 };

        assert_int_equal(read_file(rows[i].name, &answer), ANSWER_ALL);
        assert_int_equal(answer.kind, ANSWER_ALERT);
        assert_int_equal(answer.alert, rows[i].alert);
    }
}

/* RFC 6066 3: unrecognized_name as a warning; the handshake goes on. */
static void a_warning_about_the_name_is_no_refusal(void **state)
{
    static const unsigned char warning[] = { 21, 3, 3, 0, 2, 1, 112 }, fatal[] = { 21, 3, 3, 0, 2, 2, 112 };
    PS_AUTO(buf_free) struct buf flight = { 0 }, warned = BUF(ANSWER_FLIGHT_MAX);
    PS_AUTO(answer_free) struct answer answer = { 0 };

    (void)state;
    load("tls12-ecdhe", &flight);
    buf_put(&warned, warning, sizeof(warning));
    assert_int_equal(answer_read(warned.p, warned.len, &answer), ANSWER_MORE);
    buf_put(&warned, flight.p, flight.len);
    assert_int_equal(answer_read(warned.p, warned.len, &answer), ANSWER_ALL);
    assert_int_equal(answer.kind, ANSWER_HELLO);
    assert_int_equal(answer.version, TLS_1_2);

    assert_int_equal(answer_read(fatal, sizeof(fatal), &answer), ANSWER_ALL);
    assert_int_equal(answer.kind, ANSWER_ALERT);
}

static void tls13_shows_its_suite_and_group(void **state)
{
    PS_AUTO(answer_free) struct answer answer = { 0 }, retry = { 0 };

    (void)state;
    assert_int_equal(read_file("tls13-hello", &answer), ANSWER_ALL);
    assert_int_equal(answer.kind, ANSWER_HELLO);
    assert_true(answer.complete);
    assert_int_equal(answer.version, TLS_1_3);
    assert_int_equal(answer.suite, 0x1302);
    assert_int_equal(answer.group, 23);
    assert_int_equal(answer.certs_len, 0);

    assert_int_equal(read_file("tls13-retry", &retry), ANSWER_ALL);
    assert_int_equal(retry.kind, ANSWER_RETRY);
    assert_int_equal(retry.group, 23);
}

static void tls12_shows_its_whole_flight(void **state)
{
    PS_AUTO(answer_free) struct answer answer = { 0 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_int_equal(read_file("tls12-ecdhe", &answer), ANSWER_ALL);
    assert_int_equal(answer.kind, ANSWER_HELLO);
    assert_true(answer.complete);
    assert_int_equal(answer.version, TLS_1_2);
    assert_int_equal(answer.suite, 0xc030);
    assert_int_equal(answer.group, 23);
    assert_int_equal(answer.dh_bits, 0);
    assert_true(answer.scheme != 0);
    assert_int_equal(answer.downgraded_from, TLS_1_3);
    assert_true(answer.secure_renegotiation && answer.extended_master_secret);
    assert_false(answer.compression || answer.ticket || answer.session_id);
    assert_true(answer.asks_certificate);
    assert_true(answer.authorities.len > 0);
    assert_int_equal(answer.certs_len, 1);
    assert_true(cert_from_der(answer.certs[0].p, answer.certs[0].len, &cert, &err));
    assert_string_equal(cert_info(cert)->common_name, "localhost");
}

static void the_size_of_a_dh_group_is_measured(void **state)
{
    PS_AUTO(answer_free) struct answer dhe = { 0 }, fixed = { 0 };

    (void)state;
    assert_int_equal(read_file("tls12-dhe", &dhe), ANSWER_ALL);
    assert_int_equal(dhe.dh_bits, 2048);
    assert_int_equal(dhe.group, 0);
    assert_int_equal(read_file("tls12-static", &fixed), ANSWER_ALL);
    assert_int_equal(fixed.dh_bits, 0);
    assert_int_equal(fixed.suite, 0x009d);
    assert_true(fixed.complete);
}

static void cut_anywhere_it_wants_more(void **state)
{
    PS_AUTO(buf_free) struct buf bytes = { 0 };

    (void)state;
    load("tls12-ecdhe", &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        PS_AUTO(answer_free) struct answer answer = { 0 };

        assert_int_equal(answer_read(bytes.p, len, &answer), ANSWER_MORE);
        assert_false(answer.complete);
    }
}

static void what_is_no_tls_is_said_to_be_none(void **state)
{
    static const char *const others[] = { "HTTP/1.1 400 Bad Request\r\n", "SSSSSSSSSSSSSSSSSS",
                                          "E\0\0\0\x40SFATAL", "\x16\x03\x01\xff\xff" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        PS_AUTO(answer_free) struct answer answer = { 0 };

        assert_int_equal(answer_read(others[i], 5, &answer), ANSWER_BAD);
        assert_int_equal(answer.kind, ANSWER_NONE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_name_their_alert),
        cmocka_unit_test(a_warning_about_the_name_is_no_refusal),
        cmocka_unit_test(tls13_shows_its_suite_and_group),
        cmocka_unit_test(tls12_shows_its_whole_flight),
        cmocka_unit_test(the_size_of_a_dh_group_is_measured),
        cmocka_unit_test(cut_anywhere_it_wants_more),
        cmocka_unit_test(what_is_no_tls_is_said_to_be_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_wire.c - packets of the start-up protocol, whole, cut short and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pg/wire.h"

#define BYTES(literal) literal, sizeof(literal) - 1

/* A copy of exactly `len` bytes, so that a sanitizer sees a step beyond. */
static enum wire_parse parse_first(const char *bytes, size_t len, struct wire_first *out)
{
    PS_AUTO(ps_freep) char *copy = ps_memdup(bytes, len);
    enum wire_parse parse = wire_first_parse(copy, len, out);

    if (parse == WIRE_DONE && out->user)        /* is read while the copy is there */
        assert_true(strlen(out->user) < len);
    return parse;
}

static enum wire_parse parse_message(const char *bytes, size_t len, struct wire_message *out)
{
    PS_AUTO(ps_freep) char *copy = ps_memdup(bytes, len);
    enum wire_parse parse = wire_message_parse(copy, len, out);

    if (parse == WIRE_DONE)
        assert_true(strlen(out->error.message) < len);
    return parse;
}

/* ---- what a client sends first ---- */

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    enum wire_parse want;
    enum wire_first_kind kind;
} firsts[] = {
    { "SSLRequest", BYTES("\0\0\0\x08\x04\xd2\x16\x2f"), WIRE_DONE, WIRE_FIRST_SSL },
    { "GSSENCRequest", BYTES("\0\0\0\x08\x04\xd2\x16\x30"), WIRE_DONE, WIRE_FIRST_GSSENC },
    { "CancelRequest", BYTES("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"), WIRE_DONE,
      WIRE_FIRST_CANCEL },
    { "CancelRequest of 3.2, one byte of key", BYTES("\0\0\0\x0d\x04\xd2\x16\x2e\0\0\0\x01\xff"),
      WIRE_DONE, WIRE_FIRST_CANCEL },
    { "CancelRequest without a key", BYTES("\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\x01"), WIRE_BAD, 0 },
    { "CancelRequest without a process", BYTES("\0\0\0\x08\x04\xd2\x16\x2e"), WIRE_BAD, 0 },
    { "startup", BYTES("\0\0\0\x10\0\x03\0\0" "user\0b\0\0"), WIRE_DONE, WIRE_FIRST_STARTUP },
    { "startup without a user", BYTES("\0\0\0\x09\0\x03\0\0\0"), WIRE_DONE, WIRE_FIRST_STARTUP },
    { "startup of 2.0, told by its code alone", BYTES("\0\0\0\x0a\0\x02\0\0ab"), WIRE_DONE,
      WIRE_FIRST_STARTUP },
    { "startup of 3.9999", BYTES("\0\0\0\x09\0\x03\x27\x0f\0"), WIRE_DONE, WIRE_FIRST_STARTUP },
    { "startup without its last zero", BYTES("\0\0\0\x0f\0\x03\0\0" "user\0b\0"), WIRE_BAD, 0 },
    { "startup without pairs and zero", BYTES("\0\0\0\x08\0\x03\0\0"), WIRE_BAD, 0 },
    { "a name without a value", BYTES("\0\0\0\x0e\0\x03\0\0" "user\0\0"), WIRE_BAD, 0 },
    { "a value without an end", BYTES("\0\0\0\x0e\0\x03\0\0" "user\0b"), WIRE_BAD, 0 },
    { "a byte behind the last zero", BYTES("\0\0\0\x11\0\x03\0\0" "user\0b\0\0x"), WIRE_BAD, 0 },
    { "length 7", BYTES("\0\0\0\x07\0\x03\0\0"), WIRE_BAD, 0 },
    { "length 0", BYTES("\0\0\0\0"), WIRE_BAD, 0 },
    { "length 10004", BYTES("\0\0\x27\x14"), WIRE_MORE, 0 },
    { "length 10005", BYTES("\0\0\x27\x15"), WIRE_BAD, 0 },
    { "a negative length", BYTES("\xff\xff\xff\xff"), WIRE_BAD, 0 },
    { "HTTP", BYTES("GET / HTTP/1.1\r\n"), WIRE_BAD, 0 },
    { "nothing", BYTES(""), WIRE_MORE, 0 },
};

static void first_packets_are_taken_as_the_server_takes_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(firsts); i++) {
        struct wire_first first;

        if (parse_first(firsts[i].bytes, firsts[i].len, &first) != firsts[i].want)
            fail_msg("%s", firsts[i].what);
        if (firsts[i].want != WIRE_DONE)
            continue;
        assert_int_equal(first.kind, firsts[i].kind);
        assert_int_equal(first.len, firsts[i].len);
        for (size_t len = 0; len < firsts[i].len; len++)
            assert_int_equal(parse_first(firsts[i].bytes, len, &first), WIRE_MORE);
    }
}

static void direct_tls_is_known_by_its_first_byte(void **state)
{
    struct wire_first first;

    (void)state;
    assert_int_equal(parse_first("\x16", 1, &first), WIRE_DONE);
    assert_int_equal(first.kind, WIRE_FIRST_TLS);
    assert_int_equal(first.len, 0);
}

static void a_startup_that_we_write_reads_as_meant(void **state)
{
    static const char *const pairs[] = { "user", "first", "user", "app", "database", "db",
                                         "application_name", "pgseal", "replication", "true",
                                         "options", "", NULL };
    PS_AUTO(buf_free) struct buf out = BUF(WIRE_STARTUP_MAX);
    struct wire_first first;

    (void)state;
    wire_put_startup(&out, WIRE_PROTOCOL_3_2, pairs);
    buf_puts(&out, "stuffed");
    assert_int_equal(wire_first_parse(out.p, out.len, &first), WIRE_DONE);
    assert_int_equal(first.len, out.len - strlen("stuffed"));
    assert_int_equal(first.protocol, WIRE_PROTOCOL_3_2);
    assert_string_equal(first.user, "app");
    assert_string_equal(first.database, "db");
    assert_string_equal(first.application, "pgseal");
    assert_string_equal(first.replication, "true");
}

static void requests_are_those_of_pqcomm_h(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(100);

    (void)state;
    wire_put_ssl_request(&out);
    wire_put_gssenc_request(&out);
    assert_int_equal(out.len, 16);
    assert_memory_equal(out.p, "\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x30", 16);
}

/* ---- what a server answers ---- */

/* Said by servers of 15.18 and 18.4 to a client of our own. */
static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    const char *types;          /* of the messages in it */
    int auth;
    bool plus;
    const char *sqlstate, *message;
} captured[] = {
    { "password", BYTES("R\0\0\0\x08\0\0\0\x03"), "R", WIRE_AUTH_CLEARTEXT, false, "", "" },
    { "md5", BYTES("R\0\0\0\x0c\0\0\0\x05o\xd1j#"), "R", WIRE_AUTH_MD5, false, "", "" },
    { "scram", BYTES("R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0"), "R", WIRE_AUTH_SASL, false, "", "" },
    { "scram over TLS", BYTES("R\0\0\0*\0\0\0\nSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), "R",
      WIRE_AUTH_SASL, true, "", "" },
    { "trust, 18, protocol 3.2 and an unknown option",
      BYTES("v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0" "R\0\0\0\x08\0\0\0\0"
            "S\0\0\0\x18server_version\0" "18.4\0" "S\0\0\0\x19server_encoding\0UTF8\0"
            "K\0\0\0(\0\0%h/N\xf7\xbc'F\x0b\xc5\x9f\xb6\xef\xd7\xdc\xe6\xae~\xce\xa4\xf9\x1ei\xc7"
            "\xeaN\x1b,\x85\xb9\xb3\x7fT\x14" "Z\0\0\0\x05I"),
      "vRSSKZ", WIRE_AUTH_OK, false, "", "" },
    { "no rule, 15",
      BYTES("E\0\0\0\x9bSFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host \"127.0.0.1\", user "
            "\"nobody\", database \"postgres\", no encryption\0Fauth.c\0L544\0RClientAuthentication"
            "\0\0"),
      "E", 0, false, "28000",
      "no pg_hba.conf entry for host \"127.0.0.1\", user \"nobody\", database \"postgres\", no "
      "encryption" },
    { "protocol 4.0, 18",
      BYTES("E\0\0\0\x87SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 4.0: server supports "
            "3.0 to 3.2\0Fbackend_startup.c\0L732\0RProcessStartupPacket\0\0"),
      "E", 0, false, "0A000", "unsupported frontend protocol 4.0: server supports 3.0 to 3.2" },
    { "protocol 2.0, 15",
      BYTES("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n\0"),
      "E", 0, false, "", "FATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n" },
};

static void real_answers_are_read_and_cut_ones_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(captured); i++) {
        const char *at = captured[i].bytes;
        size_t left = captured[i].len;
        struct wire_message message;

        for (const char *type = captured[i].types; *type; type++) {
            assert_int_equal(wire_message_parse(at, left, &message), WIRE_DONE);
            assert_int_equal(message.type, *type);
            if (*type == 'R') {
                assert_int_equal(message.auth, captured[i].auth);
                assert_int_equal(message.scram_plus, captured[i].plus);
            }
            assert_string_equal(message.error.sqlstate, captured[i].sqlstate);
            assert_string_equal(message.error.message, captured[i].message);
            for (size_t len = 0; len < message.len; len++) {
                struct wire_message cut;
                assert_int_equal(parse_message(at, len, &cut), WIRE_MORE);
            }
            at += message.len;
            left -= message.len;
        }
        assert_int_equal(left, 0);
    }
}

static void every_field_of_an_error_is_found(void **state)
{
    static const char bytes[] = "E\0\0\0\x35SHECHO\0VFATAL\0C42601\0Mm\0Dd\0Hh\0P7\0Ff.c\0L12\0Rr\0Xx\0";
    struct wire_message message;

    (void)state;
    assert_int_equal(wire_message_parse(bytes, sizeof(bytes), &message), WIRE_DONE);
    assert_string_equal(message.error.severity, "FATAL");
    assert_string_equal(message.error.sqlstate, "42601");
    assert_string_equal(message.error.message, "m");
    assert_string_equal(message.error.detail, "d");
    assert_string_equal(message.error.hint, "h");
    assert_string_equal(message.error.file, "f.c");
    assert_string_equal(message.error.line, "12");
    assert_string_equal(message.error.routine, "r");
}

static void old_servers_without_v_have_a_severity(void **state)
{
    struct wire_message message;

    (void)state;
    assert_int_equal(wire_message_parse(BYTES("E\0\0\0\x0cSFATAL\0\0"), &message), WIRE_DONE);
    assert_string_equal(message.error.severity, "FATAL");
}

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    enum wire_parse want;
} hostile[] = {
    { "length 3", BYTES("R\0\0\0\x03"), WIRE_BAD },
    { "length 0", BYTES("Z\0\0\0\0"), WIRE_BAD },
    { "a negative length", BYTES("R\xff\xff\xff\xff"), WIRE_BAD },
    { "length 29999", BYTES("R\0\0\x75\x2f"), WIRE_MORE },
    { "length 30000", BYTES("R\0\0\x75\x30"), WIRE_BAD },
    { "an error as long as that", BYTES("E\0\0\x75\x30"), WIRE_BAD },
    { "HTTP", BYTES("HTTP/1.1 400 Bad Request\r\n"), WIRE_BAD },
    { "an auth request without a code", BYTES("R\0\0\0\x07\0\0\0"), WIRE_BAD },
    { "a negative auth code", BYTES("R\0\0\0\x08\xff\xff\xff\xff"), WIRE_BAD },
    { "OK with more", BYTES("R\0\0\0\x09\0\0\0\0x"), WIRE_BAD },
    { "a salt cut short", BYTES("R\0\0\0\x0b\0\0\0\x05sal"), WIRE_BAD },
    { "mechanisms without an end", BYTES("R\0\0\0\x0a\0\0\0\nS\0"), WIRE_BAD },
    { "bytes behind the mechanisms", BYTES("R\0\0\0\x0c\0\0\0\nS\0\0x"), WIRE_BAD },
    { "an unknown auth code", BYTES("R\0\0\0\x08\0\0\0\x63"), WIRE_DONE },
    { "an error without an end", BYTES("E\0\0\0\x07Mm\0"), WIRE_BAD },
    { "a field without an end", BYTES("E\0\0\0\x06Mm"), WIRE_BAD },
    { "bytes behind an error", BYTES("E\0\0\0\x09Mm\0\0x"), WIRE_BAD },
    { "an error without fields", BYTES("E\0\0\0\x05\0"), WIRE_DONE },
    { "a parameter without a value", BYTES("S\0\0\0\x06" "a\0"), WIRE_BAD },
    { "bytes behind a parameter", BYTES("S\0\0\0\x09" "a\0b\0c"), WIRE_BAD },
    { "ready without a state", BYTES("Z\0\0\0\x04"), WIRE_BAD },
    { "ready in no state", BYTES("Z\0\0\0\x05x"), WIRE_BAD },
    { "ready in state zero", BYTES("Z\0\0\0\x05\0"), WIRE_BAD },
    { "an old error of one letter", BYTES("Ex\0"), WIRE_DONE },
    { "an old error without an end", BYTES("Ecould not fork"), WIRE_MORE },
};

static void broken_answers_are_refused(void **state)
{
    struct wire_message message;

    (void)state;
    for (size_t i = 0; i < PS_COUNT(hostile); i++)
        if (parse_message(hostile[i].bytes, hostile[i].len, &message) != hostile[i].want)
            fail_msg("%s", hostile[i].what);
}

static void an_old_error_has_a_bound(void **state)
{
    PS_AUTO(ps_freep) char *bytes = ps_malloc(WIRE_MESSAGE_MAX + 1);
    struct wire_message message;

    (void)state;
    memset(bytes, 'E', WIRE_MESSAGE_MAX + 1);
    assert_int_equal(wire_message_parse(bytes, WIRE_MESSAGE_MAX - 1, &message), WIRE_MORE);
    assert_int_equal(wire_message_parse(bytes, WIRE_MESSAGE_MAX, &message), WIRE_BAD);
    bytes[WIRE_MESSAGE_MAX] = '\0';
    assert_int_equal(wire_message_parse(bytes, WIRE_MESSAGE_MAX + 1, &message), WIRE_BAD);
    bytes[WIRE_MESSAGE_MAX - 1] = '\0';
    assert_int_equal(wire_message_parse(bytes, WIRE_MESSAGE_MAX, &message), WIRE_DONE);
}

static void parameters_are_given(void **state)
{
    struct wire_message message;

    (void)state;
    assert_int_equal(wire_message_parse(BYTES("S\0\0\0\x18server_version\0" "18.4\0"), &message),
                     WIRE_DONE);
    assert_string_equal(message.name, "server_version");
    assert_string_equal(message.value, "18.4");
}

static void what_the_attacker_says_reads_as_a_server(void **state)
{
    PS_AUTO(buf_free) struct buf out = BUF(1000);
    struct wire_message message;

    (void)state;
    wire_put_auth(&out, WIRE_AUTH_CLEARTEXT);
    size_t auth = out.len;
    wire_put_error(&out, "28P01", "password authentication failed");
    assert_int_equal(wire_message_parse(out.p, out.len, &message), WIRE_DONE);
    assert_int_equal(message.auth, WIRE_AUTH_CLEARTEXT);
    assert_int_equal(message.len, auth);
    assert_int_equal(wire_message_parse(out.p + auth, out.len - auth, &message), WIRE_DONE);
    assert_string_equal(message.error.severity, "FATAL");
    assert_string_equal(message.error.sqlstate, "28P01");
    assert_string_equal(message.error.message, "password authentication failed");
}

static const struct {
    const char *bytes;
    size_t len;
    enum wire_parse want;
    const char *password;
} passwords[] = {
    { BYTES("p\0\0\0\x0bsecret\0"), WIRE_DONE, "secret" },
    { BYTES("p\0\0\0\x05\0"), WIRE_DONE, "" },
    { BYTES("p\0\0\0\x0asecret"), WIRE_BAD, NULL },
    { BYTES("p\0\0\0\x0bsec\0et\0"), WIRE_BAD, NULL },
    { BYTES("p\0\0\0\x04"), WIRE_BAD, NULL },
    { BYTES("p\0\0\x75\x30"), WIRE_BAD, NULL },
    { BYTES("p\xff\xff\xff\xff"), WIRE_BAD, NULL },
    { BYTES("Q\0\0\0\x05\0"), WIRE_BAD, NULL },
};

static void passwords_are_one_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(passwords); i++) {
        const char *password = NULL;

        assert_int_equal(wire_password_parse(passwords[i].bytes, passwords[i].len, &password),
                         passwords[i].want);
        if (passwords[i].want != WIRE_DONE)
            continue;
        assert_string_equal(password, passwords[i].password);
        for (size_t len = 0; len < passwords[i].len; len++)
            assert_int_equal(wire_password_parse(passwords[i].bytes, len, &password), WIRE_MORE);
    }
}

static void methods_have_names(void **state)
{
    (void)state;
    assert_string_equal(wire_auth_name(WIRE_AUTH_SASL), "SCRAM-SHA-256");
    assert_string_equal(wire_auth_name(WIRE_AUTH_MD5), "MD5 password");
    assert_string_equal(wire_auth_name(99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_packets_are_taken_as_the_server_takes_them),
        cmocka_unit_test(direct_tls_is_known_by_its_first_byte),
        cmocka_unit_test(a_startup_that_we_write_reads_as_meant),
        cmocka_unit_test(requests_are_those_of_pqcomm_h),
        cmocka_unit_test(real_answers_are_read_and_cut_ones_are_not),
        cmocka_unit_test(every_field_of_an_error_is_found),
        cmocka_unit_test(old_servers_without_v_have_a_severity),
        cmocka_unit_test(broken_answers_are_refused),
        cmocka_unit_test(an_old_error_has_a_bound),
        cmocka_unit_test(parameters_are_given),
        cmocka_unit_test(what_the_attacker_says_reads_as_a_server),
        cmocka_unit_test(passwords_are_one_string),
        cmocka_unit_test(methods_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

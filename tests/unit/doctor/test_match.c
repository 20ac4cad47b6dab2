/* Texts as people paste them, and which answer stands first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "doctor/match.h"
#include "doctor/nearest.h"

static struct doctor *doctor;

static const struct {
    const char *text, *first, *second;      /* NULL: none */
} texts[] = {
    /* who says it decides: the same alert from the client and in the server's log */
    { "psql: error: connection to server at \"db\" (10.0.0.1), port 5432 failed: SSL error: tlsv1 alert "
      "unknown ca", "client-ca-unknown", NULL },
    { "LOG:  could not accept SSL connection: tlsv1 alert unknown ca", "server-ca-unknown", NULL },
    { "LOG:  could not accept SSL connection: sslv3 alert certificate expired", "server-cert-expired", NULL },
    { "SSL error: ssl/tls alert certificate expired", "client-cert-expired", NULL },
    /* the DETAIL knows more than the message */
    { "LOG:  could not accept SSL connection: certificate verify failed\nDETAIL:  Client certificate "
      "verification failed at depth 0: certificate revoked.", "client-cert-revoked",
      "client-cert-not-verified" },
    { "LOG:  could not accept SSL connection: certificate verify failed\nDETAIL:  Client certificate "
      "verification failed at depth 1: unable to get certificate CRL.", "server-crl-missing",
      "client-cert-not-verified" },
    /* a fallback: what was tried first counts */
    { "connection to server at \"db\", port 5432 failed: SSL error: certificate verify failed connection to "
      "server at \"db\", port 5432 failed: FATAL:  no pg_hba.conf entry for host \"10.0.0.9\", user \"a\", "
      "database \"d\", no encryption", "server-cert-not-verified", "hba-no-entry-plaintext" },
    /* the aftermath never stands first */
    { "could not send startup packet: Connection reset by peer SSL error: sslv3 alert certificate revoked",
      "client-cert-revoked", "startup-not-sent" },
    { "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate (_ssl.c:1131)",
      "server-ca-unknown", NULL },
    { "javax.net.ssl.SSLHandshakeException: PKIX path building failed: "
      "sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to "
      "requested target", "server-ca-unknown", NULL },
    { "Npgsql.PostgresException (0x80004005): 28000: no pg_hba.conf entry for host \"::1\", user \"citus\", "
      "database \"citus\", SSL off", "hba-no-entry-plaintext", NULL },
    { "certificate verify failed", "server-cert-not-verified", NULL },
    { "everything is fine", NULL, NULL },
    { "", NULL, NULL },
};

static void the_first_answer_is_the_right_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        struct doctor_match match;

        doctor_match(doctor, texts[i].text, strlen(texts[i].text), &match);
        if (!texts[i].first) {
            assert_int_equal(match.len, 0);
            continue;
        }
        if (match.len == 0 || strcmp(match.hits[0].entry->id, texts[i].first) != 0)
            fail_msg("%s: %s", texts[i].text, match.len ? match.hits[0].entry->id : "nothing");
        if (texts[i].second)
            assert_string_equal(match.hits[1].entry->id, texts[i].second);
    }
}

static const struct {
    const char *text;
    enum doctor_what what;
    const char *want;           /* NULL: not said */
} captures[] = {
    { "no pg_hba.conf entry for host \"10.0.0.9\", user \"o\"brien\", database \"shop\", no encryption",
      WHAT_ROLE, "o\"brien" },
    { "no pg_hba.conf entry for host \"10.0.0.9\", user \"app\", database \"shop\", no encryption",
      WHAT_ADDRESS, "10.0.0.9" },
    { "no hay una línea en pg_hba.conf para «10.0.0.9», usuario «app», base de datos «shop», sin cifrado",
      WHAT_DATABASE, "shop" },
    { "server certificate for \"db1\" (and 2 other names) does not match host name \"db2\"", WHAT_HOST,
      "db2" },
    { "could not load server certificate file \"/a b/server.crt\": No such file or directory", WHAT_FILE,
      "/a b/server.crt" },
    { "certificate verify failed\nFailed certificate data (unverified): subject \"/CN=app\", serial number 77, "
      "issuer \"/CN=Root\".", WHAT_SERIAL, "77" },
    { "unrecognized configuration parameter \"ssl_groups\" in file \"/d/postgresql.conf\" line 7",
      WHAT_LINE, "7" },
    { "private key file \"/k\" has group or world access", WHAT_ROLE, NULL },
};

static void names_are_captured(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(captures); i++) {
        struct doctor_match match;
        const struct doctor_text *got = &match.got[captures[i].what];

        doctor_match(doctor, captures[i].text, strlen(captures[i].text), &match);
        if (!captures[i].want) {
            assert_null(got->p);
            continue;
        }
        assert_non_null(got->p);
        assert_int_equal(got->len, strlen(captures[i].want));
        assert_memory_equal(got->p, captures[i].want, got->len);
    }
}

/* A capture is one line of bounded length: what a stranger puts in between does not count. */
static void captures_end_at_the_line_and_at_the_bound(void **state)
{
    PS_AUTO(buf_free) struct buf text = BUF(8192);
    struct doctor_match match;

    (void)state;
    buf_puts(&text, "no match in usermap \"m\nap\" for user \"a\" authenticated as \"b\"");
    doctor_match(doctor, buf_text(&text), text.len, &match);
    assert_int_equal(match.len, 0);
    buf_clear(&text);
    buf_puts(&text, "no match in usermap \"");
    for (int i = 0; i < DOCTOR_CAPTURE_MAX + 1; i++)
        buf_putc(&text, 'x');
    buf_puts(&text, "\" for user \"a\" authenticated as \"b\"");
    doctor_match(doctor, buf_text(&text), text.len, &match);
    assert_int_equal(match.len, 0);
}

static void an_unknown_text_has_near_entries_at_most(void **state)
{
    static const char near[] = "the certificate does not match private key of the server";
    static const char far[] = "relation \"customers\" does not have a column \"colour\"";
    static const char code[] = "FEHLER 28P01: Passwort-Authentifizierung fehlgeschlagen";
    struct nearest found[NEAREST_MAX];

    (void)state;
    assert_true(doctor_nearest(near, strlen(near), found) > 0);
    assert_string_equal(found[0].entry->id, "key-of-another-certificate");
    assert_true(found[0].likeness >= NEAREST_LEAST && found[0].likeness <= 1);
    assert_int_equal(doctor_nearest(far, strlen(far), found), 0);
    assert_int_equal(doctor_nearest(code, strlen(code), found), 1);
    assert_string_equal(found[0].entry->id, "password-failed");
    assert_int_equal(doctor_nearest("", 0, found), 0);
}

static int start(void **state)
{
    (void)state;
    doctor = doctor_new();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    doctor_free(doctor);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_answer_is_the_right_one),
        cmocka_unit_test(names_are_captured),
        cmocka_unit_test(captures_end_at_the_line_and_at_the_bound),
        cmocka_unit_test(an_unknown_text_has_near_entries_at_most),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

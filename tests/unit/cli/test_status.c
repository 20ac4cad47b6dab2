/* What `pgseal status` makes of what it saw; the cases that no test server can show on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli/status_doc.h"

#define NOW ((time_t)1800000000)
#define DAY ((time_t)24 * 60 * 60)

static struct session sessions[] = {
    { .pid = 1, .link = LINK_PLAIN, .role = "app", .database = "shop", .address = "192.0.2.7",
      .application = "till" },
    { .pid = 2, .link = LINK_GSS, .role = "app", .database = "shop", .address = "192.0.2.8" },
    { .pid = 3, .link = LINK_TLS, .role = "dba", .database = "shop", .address = "192.0.2.9",
      .application = "till", .version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .bits = 256 },
};

static struct inforce_setting settings[] = {
    { .name = "ssl", .value = "on", .source = "configuration file" },
};

static struct status seen(struct arena *arena)
{
    return (struct status){
        .arena = arena,
        .link = { .host = "192.0.2.1", .port = "5432" },
        .now = NOW,
        .warn_days = 30,
        .sessions = { .at = sessions, .len = PS_COUNT(sessions),
                      .count = { [LINK_PLAIN] = 1, [LINK_GSS] = 1, [LINK_TLS] = 1 } },
        .settings = { .at = settings, .len = PS_COUNT(settings), .all_shown = true },
    };
}

static const char *word(struct doc *doc, const char *path)
{
    struct doc_view view = { 0 };
    const struct doc_node *node = doc_find(doc_top(doc), path);

    if (!node)
        fail_msg("nothing at %s", path);
    doc_look(node, &view);
    return view.word ? view.word : view.text;
}

static void plaintext_over_a_network_is_a_high_finding(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("status", NULL);
    struct status status = seen(arena);

    (void)state;
    assert_int_equal(status_describe(&status, doc_root(doc)), SEV_HIGH);
    assert_string_equal(word(doc, "findings.0.id"), "plaintext-session");
    assert_string_equal(word(doc, "findings.0.severity"), "high");
    assert_string_equal(word(doc, "sessions.0.link"), "plaintext");
    assert_string_equal(word(doc, "sessions.1.link"), "gss");
    assert_string_equal(word(doc, "totals.plaintext"), "1");
}

static void totals_are_by_role_and_by_application(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("status", NULL);
    struct status status = seen(arena);

    (void)state;
    status_describe(&status, doc_root(doc));
    assert_string_equal(word(doc, "by_role.0.role"), "app");
    assert_string_equal(word(doc, "by_role.0.plaintext"), "1");
    assert_string_equal(word(doc, "by_role.0.gss"), "1");
    assert_string_equal(word(doc, "by_role.0.tls"), "0");
    assert_string_equal(word(doc, "by_application.0.application"), "till");
    assert_string_equal(word(doc, "by_application.0.tls"), "1");
    assert_string_equal(word(doc, "by_application.0.plaintext"), "1");
    assert_null(doc_find(doc_top(doc), "by_application.2"));      /* one without a name */
}

static void nothing_wrong_is_said_in_words(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("status", NULL);
    struct status status = seen(arena);

    (void)state;
    status.sessions.count[LINK_PLAIN] = 0;
    assert_int_equal(status_describe(&status, doc_root(doc)), SEV_NOTHING);
    assert_null(doc_first(doc_find(doc_top(doc), "findings")));
    assert_non_null(strstr(word(doc, "findings"), "nothing is wrong"));
}

static void the_worst_finding_stands_first_and_counts(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(doc_freep) struct doc *doc = doc_new("status", NULL);
    struct status status = seen(arena);
    struct tls_item items[] = {
        { .setting = "ssl_cert_file", .path = "server.crt", .kind = ITEM_CERT, .subject = "CN=a",
          .issuer = "CN=b", .from = NOW - 300 * DAY, .until = NOW + 5 * DAY },
        { .setting = "ssl_crl_file", .path = "root.crl", .kind = ITEM_CRL, .issuer = "CN=b",
          .from = NOW - 9 * DAY, .until = NOW - DAY },
        { .setting = "ssl_ca_file", .path = "root.crt", .kind = ITEM_CERT, .why = "no right" },
    };

    (void)state;
    status.sessions.count[LINK_PLAIN] = 0;
    status.files = (struct tls_items){ .at = items, .len = PS_COUNT(items) };
    assert_int_equal(status_describe(&status, doc_root(doc)), SEV_HIGH);
    assert_string_equal(word(doc, "findings.0.object"), "root.crl");
    assert_string_equal(word(doc, "findings.1.id"), "expires-soon");
    assert_string_equal(word(doc, "findings.2.id"), "file-not-examined");
    assert_string_equal(word(doc, "files.0.days_left"), "5");
    assert_string_equal(word(doc, "files.1.state"), "expired");
    assert_string_equal(word(doc, "files.2.state"), "not_examined");
}

static void severities_are_words_of_the_command_line(void **state)
{
    struct ps_err err = { 0 };
    enum severity severity;

    (void)state;
    assert_true(severity_parse(NULL, SEV_HIGH, &severity, &err) && severity == SEV_HIGH);
    assert_true(severity_parse("low", SEV_HIGH, &severity, &err) && severity == SEV_LOW);
    assert_true(severity_parse("none", SEV_HIGH, &severity, &err) && severity == SEV_NEVER);
    assert_false(severity_parse("nothing", SEV_HIGH, &severity, &err));
    assert_false(severity_parse("", SEV_HIGH, &severity, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plaintext_over_a_network_is_a_high_finding),
        cmocka_unit_test(totals_are_by_role_and_by_application),
        cmocka_unit_test(nothing_wrong_is_said_in_words),
        cmocka_unit_test(the_worst_finding_stands_first_and_counts),
        cmocka_unit_test(severities_are_words_of_the_command_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

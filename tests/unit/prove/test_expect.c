/* What should become of each way, for a server whose files are given as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/file.h"
#include "prove/expect.h"
#include "tls/ctx.h"

/* ---- a server made of text ---- */

struct texts {
    const char *conf, *hba;
};

static bool read_text(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct texts *texts = arg;
    const char *text = strcmp(path, "/d/postgresql.conf") == 0 ? texts->conf
                       : strcmp(path, "/d/pg_hba.conf") == 0 ? texts->hba : NULL;

    *out = BUF(BUF_TEXT_MAX);
    if (!text)
        return ps_fail(err, PS_E_NOT_FOUND, "no file \"%s\"", path);
    buf_puts(out, text);
    return true;
}

static bool list_nothing(void *arg, const char *dir, char ***names, size_t *len,
                         struct ps_err *err)
{
    (void)arg;
    (void)names;
    (void)len;
    return ps_fail(err, PS_E_NOT_FOUND, "no folder \"%s\"", dir);
}

static void load(struct texts texts, unsigned major, struct server *server)
{
    struct pg_source source = { .arg = &texts, .read = read_text, .list = list_nothing };
    struct ps_err err;

    *server = (struct server){ .major = major, .running = true, .data_dir = "/d",
                               .ident_file = "/d/no/pg_ident.conf" };
    assert_true(conf_load(&source, "/d/postgresql.conf", NULL, &server->conf, &err));
    assert_true(hba_load(&source, "/d/pg_hba.conf", major, &server->hba, &err));
    assert_int_equal(hba_problems(server->hba), 0);
}

static void unload(struct server *server)
{
    conf_freep(&server->conf);
    hba_freep(&server->hba);
}

static struct expect prepare(const struct server *server, enum fact_bool can_login,
                             bool plaintext_allowed)
{
    struct expect_spec spec = { .server = server, .role = "app", .database = "postgres",
                                .known = { .can_login = can_login },
                                .plaintext_allowed = plaintext_allowed };
    struct sockaddr_in *addr = (struct sockaddr_in *)&spec.addr;
    struct expect expect;

    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect_prepare(&spec, &expect);
    return expect;
}

#define FULL "ssl = on\nssl_ca_file = 'ca.crt'\nssl_crl_file = 'ca.crl'\n"
#define NO_CA "ssl = on\n"
#define OFF "ssl = off\n"

static const struct {
    const char *conf, *hba, *sslmode;
    enum way_cert cert;
    enum way_end want;
} cases[] = {
    /* certificate rule for the role */
    { FULL, "hostssl all app all cert\n", "verify-full", CARD_GOOD, WAY_IN_TLS },
    { FULL, "hostssl all app all cert\n", "verify-full", CARD_NONE, WAY_REFUSED },
    { FULL, "hostssl all app all cert\n", "verify-full", CARD_OTHER, WAY_REFUSED },
    { FULL, "hostssl all app all cert\n", "verify-full", CARD_REVOKED, WAY_REFUSED },
    { FULL, "hostssl all app all cert\n", "disable", CARD_GOOD, WAY_REFUSED },
    { FULL, "hostssl all app all cert\n", "allow", CARD_GOOD, WAY_IN_TLS },
    { FULL, "hostssl all app all cert\n", "prefer", CARD_NONE, WAY_REFUSED },
    /* a server that cannot do it should: what is missing is the finding */
    { NO_CA, "hostssl all app all cert\n", "require", CARD_GOOD, WAY_IN_TLS },
    { OFF, "hostssl all app all cert\n", "require", CARD_GOOD, WAY_IN_TLS },
    { OFF, "hostssl all all all scram-sha-256\n", "prefer", CARD_NONE, WAY_PASSWORD_TLS },

    /* a bad certificate kills the handshake on any rule, trust too */
    { FULL, "hostssl all all all trust\n", "verify-full", CARD_REVOKED, WAY_REFUSED },
    { FULL, "hostssl all all all trust\n", "verify-full", CARD_FOREIGN, WAY_REFUSED },
    { FULL, "hostssl all all all trust\n", "verify-full", CARD_OTHER, WAY_IN_TLS },
    { FULL, "hostssl all all all trust\n", "verify-full", CARD_NONE, WAY_IN_TLS },

    /* passwords, with and without a certificate beside them */
    { FULL, "hostssl all all all scram-sha-256\n", "require", CARD_NONE, WAY_PASSWORD_TLS },
    { FULL, "hostssl all all all scram-sha-256 clientcert=verify-full\n", "require", CARD_NONE,
      WAY_REFUSED },
    { FULL, "hostssl all all all scram-sha-256 clientcert=verify-full\n", "require", CARD_GOOD,
      WAY_PASSWORD_TLS },
    { FULL, "hostssl all all all trust clientcert=verify-ca\n", "require", CARD_OTHER, WAY_IN_TLS },
    { FULL, "hostssl all all all trust clientcert=verify-full\n", "require", CARD_OTHER,
      WAY_REFUSED },

    /* what must not be is not expected, whatever the files say */
    { FULL, "host all all all scram-sha-256\n", "disable", CARD_NONE, WAY_REFUSED },
    { FULL, "host all all all trust\n", "allow", CARD_NONE, WAY_IN_TLS },

    /* the rule that was meant stands below the one that is reached */
    { FULL, "hostssl all all all scram-sha-256\nhostssl all app all cert\n", "verify-full",
      CARD_NONE, WAY_REFUSED },
    { FULL, "hostssl all all all scram-sha-256\nhostssl all app all cert\n", "verify-full",
      CARD_GOOD, WAY_IN_TLS },
    /* but an exception above the general rule is meant */
    { FULL, "hostssl postgres app all scram-sha-256\nhostssl all app all cert\n", "verify-full",
      CARD_NONE, WAY_PASSWORD_TLS },
    { FULL, "hostssl all app 127.0.0.1/32 scram-sha-256\nhostssl all app all cert\n",
      "verify-full", CARD_NONE, WAY_PASSWORD_TLS },

    /* no rule, other people's rules, rejection */
    { FULL, "hostssl all other all trust\n", "require", CARD_GOOD, WAY_REFUSED },
    { FULL, "hostssl all app all reject\nhostssl all all all trust\n", "require", CARD_GOOD,
      WAY_REFUSED },
    { FULL, "hostnossl all all all trust\n", "require", CARD_NONE, WAY_REFUSED },

    /* not known */
    { FULL, "hostssl all all all gss\n", "require", CARD_NONE, WAY_UNKNOWN },
    { FULL, "hostssl all all db.example.net reject\nhostssl all all all trust\n", "require",
      CARD_NONE, WAY_UNKNOWN },
};

static void each_way_ends_as_the_files_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct server server;

        load((struct texts){ cases[i].conf, cases[i].hba }, 17, &server);
        struct expect expect = prepare(&server, FACT_YES, false);
        enum way_end got = expect_way(&expect, cases[i].sslmode, cases[i].cert);
        if (got != cases[i].want)
            print_error("case %zu: %s", i, cases[i].hba);
        assert_string_equal(way_end_word(got), way_end_word(cases[i].want));
        expect_free(&expect);
        unload(&server);
    }
}

static void allowed_plaintext_is_expected_as_it_is(void **state)
{
    struct server server;

    (void)state;
    load((struct texts){ FULL, "host all all all scram-sha-256\n" }, 17, &server);
    struct expect expect = prepare(&server, FACT_YES, true);
    assert_int_equal(expect_plain(&expect), WAY_PASSWORD_PLAIN);
    assert_int_equal(expect_way(&expect, "disable", CARD_NONE), WAY_PASSWORD_PLAIN);
    assert_int_equal(expect_way(&expect, "allow", CARD_NONE), WAY_PASSWORD_PLAIN);
    assert_int_equal(expect_way(&expect, "prefer", CARD_NONE), WAY_PASSWORD_TLS);
    expect_free(&expect);
    unload(&server);
}

static void a_refusal_of_a_role_that_does_not_exist_proves_nothing(void **state)
{
    struct server server;

    (void)state;
    load((struct texts){ FULL, "hostssl all all all cert\n" }, 17, &server);
    struct expect expect = prepare(&server, FACT_NO, false);
    assert_int_equal(expect_way(&expect, "require", CARD_GOOD), WAY_UNKNOWN);
    assert_int_equal(expect_way(&expect, "require", CARD_NONE), WAY_REFUSED);
    expect_free(&expect);
    unload(&server);
}

static void protocols_follow_settings_and_version(void **state)
{
    static const struct {
        const char *conf;
        unsigned major;
        int version;
        enum way_end want;
    } rows[] = {
        { NO_CA, 17, TLS_1_2, WAY_ACCEPTED }, { NO_CA, 17, TLS_1_3, WAY_ACCEPTED },
        { NO_CA, 17, TLS_1_1, WAY_REFUSED },
        { NO_CA "ssl_min_protocol_version = 'TLSv1.3'\n", 17, TLS_1_2, WAY_REFUSED },
        { NO_CA "ssl_max_protocol_version = 'TLSv1.2'\n", 17, TLS_1_3, WAY_REFUSED },
        { NO_CA "ssl_min_protocol_version = 'TLSv1'\n", 17, TLS_1_0, WAY_REFUSED },
        { OFF, 17, TLS_1_3, WAY_ACCEPTED },
        { NO_CA, 12, TLS_1_2, WAY_ACCEPTED },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct server server;

        load((struct texts){ rows[i].conf, "hostssl all all all trust\n" }, rows[i].major, &server);
        struct expect expect = prepare(&server, FACT_YES, false);
        assert_int_equal(expect_version(&expect, rows[i].version), rows[i].want);
        expect_free(&expect);
        unload(&server);
    }
}

static void direct_tls_needs_17_and_alpn(void **state)
{
    static const struct { unsigned major; bool alpn; enum way_end want; } rows[] = {
        { 16, true, WAY_REFUSED }, { 17, true, WAY_ACCEPTED }, { 17, false, WAY_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct server server;

        load((struct texts){ FULL, "hostssl all all all trust\n" }, rows[i].major, &server);
        struct expect expect = prepare(&server, FACT_YES, false);
        assert_int_equal(expect_direct(&expect, rows[i].alpn), rows[i].want);
        expect_free(&expect);
        unload(&server);
    }
}

static void the_guilty_rule_is_named(void **state)
{
    static const struct { const char *hba; enum way_end seen; enum way_cert cert;
                          const char *line; } rows[] = {
        { "host all all all scram-sha-256\n", WAY_PASSWORD_PLAIN, CARD_NONE,
          "/d/pg_hba.conf:1: host all all all scram-sha-256" },
        { "\nhostssl all all all scram-sha-256\nhostssl all app all cert\n", WAY_PASSWORD_TLS,
          CARD_GOOD, "/d/pg_hba.conf:3: hostssl all app all cert" },
        { "hostssl all all all trust\n", WAY_IN_TLS, CARD_NONE,
          "/d/pg_hba.conf:1: hostssl all all all trust" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
        struct server server;

        load((struct texts){ FULL, rows[i].hba }, 17, &server);
        struct expect expect = prepare(&server, FACT_YES, false);
        expect_explain(&expect, rows[i].seen, rows[i].cert, &text);
        assert_non_null(strstr(buf_text(&text), rows[i].line));
        expect_free(&expect);
        unload(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_ends_as_the_files_say),
        cmocka_unit_test(allowed_plaintext_is_expected_as_it_is),
        cmocka_unit_test(a_refusal_of_a_role_that_does_not_exist_proves_nothing),
        cmocka_unit_test(protocols_follow_settings_and_version),
        cmocka_unit_test(direct_tls_needs_17_and_alpn),
        cmocka_unit_test(the_guilty_rule_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

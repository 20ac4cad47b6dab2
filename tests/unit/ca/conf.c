/* The promises of ca/conf.h: what is written is read back, and nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "ca/conf.h"

static bool parse(const char *text, struct ca_conf *out, struct ps_err *err)
{
    return ca_conf_parse(text, strlen(text), "ca.conf", out, err);
}

static void what_is_written_is_read_back(void **state)
{
    static const char text[] =
        "# hand made\n"
        "format = 1\r\n"
        "  days_server=90\n"
        "crl_shards = 64\n"
        "crl_url = http://crl.example.net/a=b\n"
        "permit_dns = example.net\npermit_dns = example.org\npermit_ip = 10.0.0.0/8\n"
        "passphrase_command = ask '%p' | head -1\n"
        "store = postgresql://ledger/ca\n"
        "\n[root]\nstate = active\nkey = offline\n"
        "[server-ca]\nstate = old\nparent = root\nkey = file\n"
        "[server-ca-12]\nstate = next\nparent = root\nkey = uri pkcs11:token=a;object=b\n"
        "revoked = yes\n";
    PS_AUTO(ca_conf_free) struct ca_conf conf = { 0 };
    PS_AUTO(ca_conf_free) struct ca_conf again = { 0 };
    PS_AUTO(buf_free) struct buf first = BUF(CA_CONF_MAX_BYTES);
    PS_AUTO(buf_free) struct buf second = BUF(CA_CONF_MAX_BYTES);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(parse(text, &conf, &err));
    assert_int_equal(conf.days.server, 90);
    assert_int_equal(conf.days.client, CA_DAYS_CLIENT);
    assert_int_equal(conf.crl_shards, 64);
    assert_string_equal(conf.crl_url, "http://crl.example.net/a=b");
    assert_string_equal(conf.pass_command, "ask '%p' | head -1");
    assert_string_equal(conf.permit_dns[1], "example.org");
    assert_null(conf.permit_dns[2]);
    assert_int_equal(conf.len, 3);
    assert_int_equal(conf.rows[0].key_kind, CA_KEY_OFFLINE);
    assert_int_equal(conf.rows[2].generation, 12);
    assert_int_equal(conf.rows[2].who, CA_SERVER);
    assert_int_equal(conf.rows[2].state, CA_NEXT);
    assert_string_equal(conf.rows[2].key_uri, "pkcs11:token=a;object=b");
    assert_true(conf.rows[2].revoked);

    assert_true(ca_conf_write(&conf, &first, &err));
    assert_true(ca_conf_parse(first.p, first.len, "ca.conf", &again, &err));
    assert_true(ca_conf_write(&again, &second, &err));
    assert_string_equal(first.p, second.p);
}

static void what_cannot_be_is_refused_with_its_line(void **state)
{
    static const struct { const char *text; unsigned line; } rows[] = {
        { "days_server = 90\n", 2 },                    /* no format */
        { "format = x\n", 1 },
        { "format = 1\nnonsense = 1\n", 2 },
        { "format = 1\njust words\n", 2 },
        { "format = 1\ndays_server = 0\n", 2 },
        { "format = 1\ndays_server = 90 days\n", 2 },
        { "format = 1\ncrl_shards = 1025\n", 2 },
        { "format = 1\ncrl_url =\n", 2 },
        { "format = 1\nstore = a\rb\n", 2 },
        { "format = 1\n[ca]\n", 2 },
        { "format = 1\n[server-ca-1]\n", 2 },
        { "format = 1\n[server-ca-02]\n", 2 },
        { "format = 1\n[server-ca-]\n", 2 },
        { "format = 1\n[../root]\n", 2 },
        { "format = 1\n[root\n", 2 },
        { "format = 1\n[root]\n[root]\n", 3 },
        { "format = 1\n[root]\nstate = gone\n", 3 },
        { "format = 1\n[root]\nkey = uri \n", 3 },
        { "format = 1\n[root]\nrevoked = no\n", 3 },
        { "format = 1\n[server-ca]\nparent = client-ca\n", 3 },
        { "format = 1\n[server-ca]\nparent = root\n", 4 },      /* a root that is not there */
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        struct ca_conf conf = { 0 };
        struct ps_err err = { 0 };

        if (parse(rows[i].text, &conf, &err))
            fail_msg("row %zu was taken", i);
        assert_int_equal(err.code, PS_E_SYNTAX);
        assert_int_equal(err.at.line, rows[i].line);
        assert_int_equal(conf.len, 0);
    }
}

static void a_format_of_the_future_is_left_alone(void **state)
{
    struct ca_conf conf = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    assert_false(parse("format = 2\nwhatever = new\n", &conf, &err));
    assert_int_equal(err.code, PS_E_UNSUPPORTED);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    PS_AUTO(ps_freep) char *big = ps_malloc(CA_CONF_MAX_BYTES);
    struct ca_conf conf = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    assert_false(ca_conf_parse("format = 1\n\0", 12, "c", &conf, &err));
    assert_int_equal(err.code, PS_E_SYNTAX);
    memset(big, '\n', CA_CONF_MAX_BYTES);
    assert_false(ca_conf_parse(big, CA_CONF_MAX_BYTES, "c", &conf, &err));
    assert_int_equal(err.code, PS_E_SYNTAX);
}

static void a_value_that_no_line_can_hold_is_not_written(void **state)
{
    static const char *const values[] = { "", "a\nstore = b", " a", "a ", "a\r" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        PS_AUTO(ca_conf_free) struct ca_conf conf = { 0 };
        PS_AUTO(buf_free) struct buf out = BUF(CA_CONF_MAX_BYTES);
        struct ps_err err = { 0 };

        ca_conf_default(&conf);
        conf.pass_command = ps_strdup(values[i]);
        assert_false(ca_conf_write(&conf, &out, &err));
        assert_int_equal(err.code, PS_E_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_cannot_be_is_refused_with_its_line),
        cmocka_unit_test(a_format_of_the_future_is_left_alone),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_value_that_no_line_can_hold_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

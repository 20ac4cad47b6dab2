/* test_settings.c - the table of settings; that the servers say the same: tests/integration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pg/settings.h"

static const struct {
    const char *name;
    unsigned major;
    const char *want;       /* default; NULL: that major does not have it */
    bool reloads;
} cases[] = {
    { "ssl", 10, "off", true },
    { "SSL", 18, "off", true },
    { "ssl", 9, "off", false },
    { "password_encryption", 9, "on", true },
    { "log_line_prefix", 9, "", true },
    { "ssl_crl_dir", 13, NULL, false },
    { "ssl_crl_dir", 14, "", true },
    { "ssl_min_protocol_version", 11, NULL, false },
    { "ssl_min_protocol_version", 12, "TLSv1", true },
    { "ssl_min_protocol_version", 13, "TLSv1.2", true },
    { "ssl_min_protocol_version", 19, "TLSv1.2", true },
    { "ssl_ecdh_curve", 17, "prime256v1", true },
    { "ssl_ecdh_curve", 18, NULL, false },
    { "ssl_groups", 17, NULL, false },
    { "ssl_groups", 18, "X25519:prime256v1", true },
    { "ssl_tls13_ciphers", 17, NULL, false },
    { "ssl_tls13_ciphers", 18, "", true },
    { "password_encryption", 13, "md5", true },
    { "password_encryption", 14, "scram-sha-256", true },
    { "log_connections", 17, "off", true },
    { "log_connections", 18, "", true },
    { "hba_file", 15, "", false },
    { "port", 15, "5432", false },
    { "ssl_library", 15, "OpenSSL", false },
    { "work_mem", 15, NULL, false },
};

static void each_major_has_its_settings_and_defaults(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const char *value = pg_setting_default(cases[i].name, cases[i].major);

        assert_int_equal(pg_setting_known(cases[i].name, cases[i].major), cases[i].want != NULL);
        assert_int_equal(pg_setting_reloads(cases[i].name, cases[i].major), cases[i].reloads);
        if (cases[i].want)
            assert_string_equal(value, cases[i].want);
        else
            assert_null(value);
    }
}

static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < pg_settings_count(); i++) {
        const struct pg_setting *setting = pg_setting_at(i);
        unsigned last = setting->until ? setting->until : PG_MAJOR_MAX;

        assert_ptr_equal(pg_setting_find(setting->name), setting);      /* no name twice */
        assert_true(setting->since <= last);
        assert_true(setting->reload_since == 0 || setting->reload_since >= setting->since);
        assert_true(setting->what[0]);
        for (unsigned major = setting->since; major <= last; major++)
            assert_non_null(pg_setting_default(setting->name, major));
        if (setting->became)
            assert_true(pg_setting_known(setting->became, last + 1));
    }
}

static void an_old_name_stands_for_the_new_one(void **state)
{
    (void)state;
    assert_string_equal(pg_setting_name("SSL_ecdh_curve", 18), "ssl_groups");
    assert_string_equal(pg_setting_name("ssl_ecdh_curve", 17), "ssl_ecdh_curve");
    assert_string_equal(pg_setting_name("work_mem", 17), "work_mem");
}

static void a_word_that_switches_the_check_off_is_never_given(void **state)
{
    (void)state;
    assert_string_equal(pg_clientcert_word(11, false), "1");
    assert_null(pg_clientcert_word(11, true));
    for (unsigned major = 12; major <= PG_MAJOR_MAX; major++) {
        assert_string_equal(pg_clientcert_word(major, false), "verify-ca");
        assert_string_equal(pg_clientcert_word(major, true), "verify-full");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_major_has_its_settings_and_defaults),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(an_old_name_stands_for_the_new_one),
        cmocka_unit_test(a_word_that_switches_the_check_off_is_never_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

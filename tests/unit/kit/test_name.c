/* Folder names and what may stand in a kit's strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kit/name.h"

static const struct { const char *role, *folder; } folders[] = {
    { "app", "app" },
    { "App User", "App User" },
    { "josé", "josé" },
    { "a.b", "a.b" },
    { ".hidden", "%2Ehidden" },
    { ".", "%2E" },
    { "..", "%2E." },
    { "a/b", "a%2Fb" },
    { "a%2Fb", "a%252Fb" },             /* not the folder of a/b */
    { "a\\b", "a%5Cb" },
    { "engine:key", "engine%3Akey" },
    { "a\tb", "a%09b" },
};

static void folders_are_named_as_the_file_system_and_libpq_take_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(folders); i++) {
        PS_AUTO(ps_freep) char *name = kit_folder_name(folders[i].role);

        assert_string_equal(name, folders[i].folder);
    }
}

static void two_roles_never_share_a_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(folders); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(folders[i].folder, folders[j].folder);
}

static void the_longest_role_of_the_worst_bytes_has_a_whole_folder_name(void **state)
{
    char role[KIT_ROLE_MAX + 1];

    (void)state;
    memset(role, '/', KIT_ROLE_MAX);
    role[KIT_ROLE_MAX] = '\0';

    PS_AUTO(ps_freep) char *name = kit_folder_name(role);
    assert_int_equal(strlen(name), 3 * KIT_ROLE_MAX);
}

static const struct { const char *text; bool ok; } texts[] = {
    { "", true },
    { "plain", true },
    { "ñandú 東京 \xf0\x9f\x90\x98", true },
    { "new\nline", false },
    { "escape\x1b[31m", false },
    { "delete\x7f", false },
    { "c1 \xc2\x9b", false },
    { "latin1 \xf1", false },
    { "cut \xe6\x9d", false },
    { "overlong \xc0\xaf", false },
    { "surrogate \xed\xa0\x80", false },
    { "beyond \xf4\x90\x80\x80", false },
};

static void texts_are_clean_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++)
        assert_int_equal(kit_text_ok(texts[i].text), texts[i].ok);
}

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define GOOD .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "db1.example.net"

static const struct { struct kit_spec spec; bool ok; } specs[] = {
    { { GOOD }, true },
    { { GOOD, .port = 65535 }, true },
    { { GOOD, .port = 65536 }, false },
    { { GOOD, .port = -1 }, false },
    { { GOOD, .database = "my db" }, true },
    { { GOOD, .database = "" }, false },
    { { GOOD, .database = "a\nb" }, false },
    { { .trust_pem = NULL, .role = "app", .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "", .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = NULL, .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "a\nb", .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "\xff", .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = X63, .dir = "/kits", .host = "db1" }, true },
    { { .trust_pem = "PEM", .role = X63 "x", .dir = "/kits", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "/a:b", .host = "db1" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "::1" }, true },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "192.0.2.1" }, true },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "db1,db2" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "/run/postgresql" }, false },
    { { .trust_pem = "PEM", .role = "app", .dir = "/kits", .host = "db1 user=postgres" }, false },
};

static void a_kit_is_made_only_for_what_can_be_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(specs); i++) {
        struct ps_err err = { 0 };

        assert_int_equal(kit_spec_check(&specs[i].spec, &err), specs[i].ok);
        assert_int_equal(err.code, specs[i].ok ? PS_E_NONE : PS_E_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_named_as_the_file_system_and_libpq_take_them),
        cmocka_unit_test(two_roles_never_share_a_folder),
        cmocka_unit_test(the_longest_role_of_the_worst_bytes_has_a_whole_folder_name),
        cmocka_unit_test(texts_are_clean_utf8),
        cmocka_unit_test(a_kit_is_made_only_for_what_can_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_ident.c - maps of names, as in each version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hba_memory.h"
#include "pg/ident.h"

static struct ident *memory_ident(const char *text, unsigned major)
{
    const struct memory_file files[] = { { "/d/pg_ident.conf", text }, { NULL, NULL } };
    struct pg_source source = memory_source(files);
    struct ps_err err = { 0 };
    struct ident *ident = NULL;

    if (!ident_load(&source, "/d/pg_ident.conf", major, &ident, &err))
        abort();
    return ident;
}

static const struct {
    unsigned major;
    const char *text, *map, *system_user, *role;
    enum hba_match want;
} cases[] = {
    { 15, "", NULL, "ana", "ana", HBA_YES },        /* no map: the same name */
    { 15, "", "", "ana", "luis", HBA_NO },
    { 15, "", "m", "ana", "ana", HBA_NO },          /* a map that is not there lets nobody in */
    { 15, "m ana app", "m", "ana", "app", HBA_YES },
    { 15, "m Ana app", "m", "ana", "app", HBA_NO },
    { 15, "n ana app", "m", "ana", "app", HBA_NO },
    { 15, "m ana x\nm ana app", "m", "ana", "app", HBA_YES },   /* goes on until one matches */
    { 15, "m \"CN=ana,OU=x\" app", "m", "CN=ana,OU=x", "app", HBA_YES },
    { 15, "m /^(.*)@example\\.com$ \\1", "m", "ana@example.com", "ana", HBA_YES },
    { 15, "m /^(.*)@example\\.com$ \\1", "m", "ana@example.org", "ana", HBA_NO },
    { 15, "m /^(.*)@example\\.com$ \\1", "m", "ana@example.com", "luis", HBA_NO },
    { 15, "m /^(.*)@x$ a_\\1_b", "m", "ana@x", "a_ana_b", HBA_YES },
    { 15, "m /^ana@x$ \\1", "m", "ana@x", "ana", HBA_NO },      /* nothing in \1: refused */
    { 15, "m \"/^a\" app", "m", "abc", "app", HBA_YES },
    { 15, "m /^\\w+$ app", "m", "abc", "app", HBA_MAYBE },
    { 15, "m /^\\w+$ app", "m", "abc", "other", HBA_NO },
    { 15, "m ana all", "m", "ana", "app", HBA_NO },             /* a name before 16 */
    { 16, "m ana all", "m", "ana", "app", HBA_YES },
    { 16, "m ana \"all\"", "m", "ana", "app", HBA_NO },
    { 15, "m ana +dba", "m", "ana", "app", HBA_NO },
    { 16, "m ana +dba", "m", "ana", "app", HBA_MAYBE },
    { 16, "m ana \"+dba\"", "m", "ana", "app", HBA_NO },
    { 15, "m ana /^a", "m", "ana", "app", HBA_NO },
    { 16, "m ana /^a", "m", "ana", "app", HBA_YES },
    { 16, "m ana \"/^b\"", "m", "ana", "app", HBA_NO },
    { 16, "m /^(.*)$ \\1", "m", "all", "app", HBA_NO },         /* what \1 gives is a mere name */
};

static void maps_allow_what_the_server_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(ident_freep) struct ident *ident = memory_ident(cases[i].text, cases[i].major);

        assert_int_equal(ident_problems(ident), 0);
        assert_int_equal(ident_allows(ident, cases[i].map, cases[i].system_user, cases[i].role),
                         cases[i].want);
    }
}

static const struct { unsigned major; const char *text, *what; } broken[] = {
    { 15, "m", "missing entry at end of line" },
    { 15, "m ana", "missing entry at end of line" },
    { 15, "m ana,luis app", "multiple values in ident field" },
    { 15, "m,n ana app", "multiple values in ident field" },
    { 15, "m /(a app", "invalid regular expression \"(a\"" },
    { 16, "m a /(a", "invalid regular expression \"(a\"" },
};

static void lines_that_the_server_refuses_are_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(broken); i++) {
        PS_AUTO(ident_freep) struct ident *ident = memory_ident(broken[i].text, broken[i].major);

        assert_int_equal(ident_lines(ident), 0);
        assert_int_equal(ident_problems(ident), 1);
        assert_string_equal(ident_problem(ident, 0)->what, broken[i].what);
        assert_int_equal(ident_problem(ident, 0)->line, 1);
    }
}

static void a_line_keeps_its_place_and_the_file_its_bytes(void **state)
{
    static const char text[] = "# x\r\n\tm\tana \"a b\" more \xff";
    PS_AUTO(ident_freep) struct ident *ident = memory_ident(text, 15);
    PS_AUTO(buf_free) struct buf now = BUF(100);

    (void)state;
    assert_int_equal(ident_lines(ident), 1);
    assert_int_equal(ident_line(ident, 0)->line, 2);
    assert_string_equal(ident_line(ident, 0)->role, "a b");
    assert_true(ident_line(ident, 0)->role_quoted);
    ident_write(ident, &now);
    assert_string_equal(buf_text(&now), text);
}

static void a_missing_file_is_a_server_without_maps(void **state)
{
    const struct memory_file none[] = { { NULL, NULL } };
    struct pg_source source = memory_source(none);
    PS_AUTO(ident_freep) struct ident *ident = NULL;
    PS_AUTO(buf_free) struct buf now = BUF(100);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(ident_load(&source, "/d/pg_ident.conf", 15, &ident, &err));
    assert_int_equal(err.code, PS_E_NONE);
    assert_int_equal(ident_lines(ident) + ident_problems(ident), 0);
    ident_write(ident, &now);
    assert_int_equal(now.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_allow_what_the_server_allows),
        cmocka_unit_test(lines_that_the_server_refuses_are_problems),
        cmocka_unit_test(a_line_keeps_its_place_and_the_file_its_bytes),
        cmocka_unit_test(a_missing_file_is_a_server_without_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

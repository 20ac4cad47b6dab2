/* test_hosts.c - pg_hosts.conf of 19: lines, faults in the server's words, who is shown what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hba_memory.h"
#include "pg/hosts.h"

static struct hosts *load(const char *text)
{
    const struct memory_file files[] = { { "/d/pg_hosts.conf", text }, { "/d/names", "b.example\nC" },
                                         { NULL, NULL } };
    struct pg_source source = memory_source(files);
    struct ps_err err = { 0 };
    struct hosts *hosts = NULL;

    assert_true(hosts_load(&source, text ? "/d/pg_hosts.conf" : "/d/not-there", 19, &hosts, &err));
    return hosts;
}

static const char site[] = "# hosts\na.example,@names a.crt \"a key\" ca.crt \"pass %p\" on\r\n"
                           "/no_sni/ n.crt n.key\n* d.crt d.key # all others";

static void fields_are_read_with_their_places(void **state)
{
    PS_AUTO(hosts_freep) struct hosts *hosts = load(site);
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    const struct hosts_line *line = hosts_line(hosts, 0);

    (void)state;
    assert_int_equal(hosts_problems(hosts), 0);
    assert_int_equal(hosts_lines(hosts), 3);
    assert_int_equal(line->line, 2);
    assert_int_equal(line->names.len, 3);
    assert_string_equal(line->names.at[2].text, "C");
    assert_string_equal(line->key, "a key");
    assert_string_equal(line->ca, "ca.crt");
    assert_string_equal(line->command, "pass %p");
    assert_true(line->reload);
    assert_null(hosts_line(hosts, 1)->ca);
    assert_false(hosts_line(hosts, 1)->reload);
    assert_memory_equal(site + line->names.begin, "a.example,@names", 16);
    hosts_write(hosts, &text);
    assert_string_equal(buf_text(&text), site);
}

static const struct { const char *name, *cert; } shown[] = {
    { "a.example", "a.crt" }, { "A.Example", "a.crt" }, { "b.example", "a.crt" }, { "c", "a.crt" },
    { "other.example", "d.crt" }, { NULL, "n.crt" }, { "*", "d.crt" }, { "/no_sni/", "d.crt" },
};

static void each_name_gets_its_certificate(void **state)
{
    PS_AUTO(hosts_freep) struct hosts *hosts = load(site);
    PS_AUTO(hosts_freep) struct hosts *strict = load("a.example a.crt a.key\n");

    (void)state;
    for (size_t i = 0; i < PS_COUNT(shown); i++)
        assert_string_equal(hosts_find(hosts, shown[i].name)->cert, shown[i].cert);
    assert_null(hosts_find(strict, "b.example"));
    assert_null(hosts_find(strict, NULL));
}

static const struct { const char *text; unsigned line, column; } faults[] = {
    { "a.example", 1, 10 },
    { "a.example a.crt\n", 1, 16 },
    { "a.example,* a.crt a.key", 1, 11 },
    { "/no_sni/,a a.crt a.key", 1, 1 },
    { "a a.crt,b.crt a.key", 1, 3 },
    { "a a.crt a.key,b.key", 1, 9 },
    { "a a.crt a.key c,d", 1, 15 },
    { "a a.crt a.key ca x,y", 1, 18 },
    { "a a.crt a.key ca cmd on,off", 1, 22 },
    { "a a.crt a.key ca cmd perhaps", 1, 22 },
    { "a a.crt a.key ca cmd o", 1, 22 },           /* of on and of off */
    { "a a.crt a.key ca cmd on more", 1, 25 },
    { "a a.crt a.key\nA b.crt b.key", 2, 1 },
    { "* a.crt a.key\n* b.crt b.key", 2, 1 },
    { "a,b,a a.crt a.key", 1, 5 },
};

static void what_the_server_refuses_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(faults); i++) {
        PS_AUTO(hosts_freep) struct hosts *hosts = load(faults[i].text);

        assert_int_equal(hosts_problems(hosts), 1);
        assert_int_equal(hosts_problem(hosts, 0)->line, faults[i].line);
        assert_int_equal(hosts_problem(hosts, 0)->column, faults[i].column);
        assert_true(hosts_problem(hosts, 0)->what[0] != '\0');
        assert_true(hosts_problem(hosts, 0)->hint[0] != '\0');
        (void)hosts_find(hosts, "b");       /* of a line that is not there, perhaps */
    }
}

static void no_file_is_no_fault(void **state)
{
    PS_AUTO(hosts_freep) struct hosts *hosts = load(NULL);

    (void)state;
    assert_int_equal(hosts_lines(hosts) + hosts_problems(hosts), 0);
    assert_null(hosts_find(hosts, "a.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_with_their_places),
        cmocka_unit_test(each_name_gets_its_certificate),
        cmocka_unit_test(what_the_server_refuses_has_its_place),
        cmocka_unit_test(no_file_is_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

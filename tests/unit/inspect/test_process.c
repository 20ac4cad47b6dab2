/* test_process.c - what postmaster.pid and postmaster.opts say; see inspect/process.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "inspect/process.h"

static struct server fresh_server(void)
{
    return (struct server){ .arena = arena_new(), .data_dir = "/nowhere" };
}

static void the_pid_file_of_a_running_server_is_understood(void **state)
{
    struct server server = fresh_server();

    (void)state;
    assert_true(pidfile_parse(&server, "4711\n/data\n1700000000\n5433\n/run/pg\n127.0.0.1\n"
                                       "  1234  5678\nready   \n"));
    assert_int_equal(server.pid, 4711);
    assert_int_equal(server.port, 5433);
    assert_string_equal(server.socket_dir, "/run/pg");
    assert_string_equal(server.listen, "127.0.0.1");
    arena_free(server.arena);
}

static void without_socket_or_address_there_is_none(void **state)
{
    struct server server = fresh_server();

    (void)state;
    assert_true(pidfile_parse(&server, "1\n/data\n1700000000\n5433\n\n\n"));  /* a container's */
    assert_int_equal(server.pid, 1);
    assert_true(pidfile_parse(&server, "4711\n/data\n1700000000\n5433\n\n\n"));
    assert_null(server.socket_dir);
    assert_string_equal(server.listen, "");
    arena_free(server.arena);
}

static void half_a_pid_file_is_none(void **state)
{
    static const char *const cases[] = {
        "", "\n", "4711", "4711\n", "4711\n/data\n1700000000\n", "4711\n/data\n1700000000\n5433",
        "-4711\n/data\n1\n5433\n/run\n*\n",         /* a single-user backend */
        "0\n/data\n1\n5433\n/run\n*\n", "x\n/data\n1\n5433\n", "4711\n/data\n1\n99999\n/run\n*\n",
        "99999999999999999999\n/data\n1\n5433\n",
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct server server = fresh_server();

        if (pidfile_parse(&server, cases[i]))
            fail_msg("taken: %s", cases[i]);
        arena_free(server.arena);
    }
}

static void arguments_become_settings(void **state)
{
    static const struct {
        const char *opts, *name, *value;
    } cases[] = {
        { "/b/postgres \"-D\" \"/d\" \"-c\" \"ssl=off\"\n", "ssl", "off" },
        { "/b/postgres \"-D\" \"/d\" \"-cssl=off\"\n", "ssl", "off" },
        { "/b/postgres \"--ssl-cert-file=/a b\"\n", "ssl_cert_file", "/a b" },
        { "/b/postgres \"-l\"\n", "ssl", "on" },
        { "/b/postgres \"-p\" \"5433\"\n", "port", "5433" },
        { "/b/postgres \"-p5433\"\n", "port", "5433" },
        { "/b/postgres \"-Fp\" \"5433\"\n", "port", "5433" },
        { "/b/postgres \"-Fp\" \"5433\"\n", "fsync", "off" },
        { "/b/postgres \"-k\" \"/s\" \"-h\" \"\"\n", "listen_addresses", "" },
        { "/b/postgres \"-c\" \"port=1\" \"-c\" \"port=2\"\n", "PORT", "2" },
        { "/b/postgres \"-c\" \"x.y=say \"hi\" now\"\n", "x.y", "say \"hi\" now" },
        { "/b/postgres \"-i\"\n", "listen_addresses", "*" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct server server = fresh_server();
        const char *program;

        optsfile_parse(&server, cases[i].opts, &program);
        assert_string_equal(program, "/b/postgres");
        const char *value = server_arg(&server, cases[i].name);
        if (!value || strcmp(value, cases[i].value) != 0)
            fail_msg("%s: %s is %s", cases[i].opts, cases[i].name, value ? value : "not there");
        arena_free(server.arena);
    }
}

static void a_broken_opts_file_does_no_harm(void **state)
{
    static const char *const cases[] = { "", "\n", "\"", "/b/postgres \"-c", "/b/postgres \"-c\"",
                                         "/b/postgres \"-\" \"--\" \"-p\"\n" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct server server = fresh_server();
        const char *program;

        optsfile_parse(&server, cases[i], &program);
        assert_null(server_arg(&server, "port"));
        arena_free(server.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pid_file_of_a_running_server_is_understood),
        cmocka_unit_test(without_socket_or_address_there_is_none),
        cmocka_unit_test(half_a_pid_file_is_none),
        cmocka_unit_test(arguments_become_settings),
        cmocka_unit_test(a_broken_opts_file_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

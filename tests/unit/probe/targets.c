/* Whom to look at, as people write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/targets.h"

static const int ports[] = { 5432, 6432 };

static struct targets fresh(struct arena *arena, size_t ports_len)
{
    return (struct targets){ .arena = arena, .ports = ports, .ports_len = ports_len };
}

static void words_become_hosts_and_ports(void **state)
{
    static const struct { const char *word, *host; int port; } rows[] = {
        { "db1.example.net", "db1.example.net", 5432 },
        { "db1.example.net:6000", "db1.example.net", 6000 },
        { "10.0.0.5", "10.0.0.5", 5432 },
        { "[2001:db8::5]:6000", "2001:db8::5", 6000 },
        { "[::1]", "::1", 5432 },
        { "2001:db8::5", "2001:db8::5", 5432 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(targets_free) struct targets targets = fresh(arena, 1);
        struct ps_err err = { 0 };

        assert_true(targets_add(&targets, rows[i].word, &err));
        assert_int_equal(targets.len, 1);
        assert_string_equal(targets.at[0].host, rows[i].host);
        assert_int_equal(targets.at[0].port, rows[i].port);
    }
}

static void a_network_is_its_hosts(void **state)
{
    static const struct { const char *word, *first, *last; size_t len; } rows[] = {
        { "10.0.0.0/30", "10.0.0.1", "10.0.0.2", 2 },
        { "10.0.0.77/24", "10.0.0.1", "10.0.0.254", 254 },
        { "10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2 },
        { "10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1 },
        { "2001:db8::/126", "2001:db8::", "2001:db8::3", 4 },
        { "10.0.254.0/23", "10.0.254.1", "10.0.255.254", 510 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(targets_free) struct targets targets = fresh(arena, 1);
        struct ps_err err = { 0 };

        assert_true(targets_add(&targets, rows[i].word, &err));
        assert_int_equal(targets.len, rows[i].len);
        assert_string_equal(targets.at[0].host, rows[i].first);
        assert_string_equal(targets.at[targets.len - 1].host, rows[i].last);
    }
}

static void what_is_no_target_is_refused(void **state)
{
    static const char *const words[] = {
        "", ":5432", "256.1.1.1", "10.1", "10.0.0.1-20", "10.0.0.*", "a,b", "host=a", "a:5432:b:c:secret",
        "http://a", "postgresql://u:secret@a", "./list", "fe80::1%eth0", "-a", "a b",
        "db1:0", "db1:65536", "db1:54x", "10.0.0.0/33", "10.0.0/8", "x/24",
        "/tmp/.s.PGSQL.5432", "[::1", "[::1]x", "[10.0.0.1]:5", "10.0.0.0/8", "::/0", "a@b", "db1\x1b[2J",
        "postgresql://db1/x",
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(targets_free) struct targets targets = fresh(arena, 1);
        struct ps_err err = { 0 };

        assert_false(targets_add(&targets, words[i], &err));
        assert_true(*err.message && *err.hint);
    }
}

static void every_port_of_the_list_is_asked(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(targets_free) struct targets targets = fresh(arena, 2);
    struct ps_err err = { 0 };
    const int *list;
    size_t len;

    (void)state;
    assert_true(targets_add(&targets, "a", &err) && targets_add(&targets, "b:7", &err));
    assert_int_equal(targets.len, 3);
    assert_int_equal(targets.at[1].port, 6432);
    assert_true(targets_ports("5432,6432,1", arena, &list, &len, &err));
    assert_int_equal(len, 3);
    assert_int_equal(list[2], 1);
    assert_false(targets_ports("5432,", arena, &list, &len, &err));
    assert_false(targets_ports("", arena, &list, &len, &err));
    assert_false(targets_ports("1,,2", arena, &list, &len, &err));
}

static void a_list_names_the_line_of_its_fault(void **state)
{
    static const char good[] = "# fleet\n a \r\nb:7 # second\n\n10.0.0.4/31";
    static const char bad[] = "a\n  b c\n", nul[] = "a\nb\0c\n";
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(targets_free) struct targets targets = fresh(arena, 1);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(targets_add_list(&targets, good, sizeof(good) - 1, "fleet", &err));
    assert_int_equal(targets.len, 4);
    assert_false(targets_add_list(&targets, bad, sizeof(bad) - 1, "fleet", &err));
    assert_int_equal(err.at.line, 2);
    assert_int_equal(err.at.column, 3);
    assert_false(targets_add_list(&targets, nul, sizeof(nul) - 1, "fleet", &err));
    assert_int_equal(err.at.line, 2);
}

static void the_same_twice_is_looked_at_once(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(targets_free) struct targets targets = fresh(arena, 1);
    struct ps_err err = { 0 };
    static const char *const words[] = { "b", "a", "B:5432", "a:5433", "a" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(words); i++)
        assert_true(targets_add(&targets, words[i], &err));
    targets_unique(&targets);
    assert_int_equal(targets.len, 3);
    assert_string_equal(targets.at[0].host, "b");
    assert_string_equal(targets.at[1].host, "a");
    assert_int_equal(targets.at[2].port, 5433);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_hosts_and_ports),
        cmocka_unit_test(a_network_is_its_hosts),
        cmocka_unit_test(what_is_no_target_is_refused),
        cmocka_unit_test(every_port_of_the_list_is_asked),
        cmocka_unit_test(a_list_names_the_line_of_its_fault),
        cmocka_unit_test(the_same_twice_is_looked_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hba_reach.c - lines that cannot be reached, what is left of others, weaker lines above stricter ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "hba_memory.h"
#include "pg/hba_reach.h"

/* ---- dead lines: about the last rule of each file ---- */

static const struct {
    const char *text;
    enum reach_state state;
    size_t by[4];               /* numbers of rules, from 1; ends with 0 */
    bool same;
} covers[] = {
    { "host all all all md5\nhost all all 10.0.0.0/8 trust", REACH_COVERED, { 1 }, false },
    { "host all all all md5\nhost all all 10.0.0.0/8 md5", REACH_COVERED, { 1 }, true },
    { "host all all 10.0.0.0/8 md5\nhost all all all md5", REACH_LIVES, { 0 }, false },
    /* by two halves */
    { "host all all 10.0.0.0/9 md5\nhost all all 10.128.0.0/9 md5\nhost a b 10.0.0.0/8 trust",
      REACH_COVERED, { 1, 2 }, false },
    { "host all all 10.0.0.0/9 md5\nhost all all 10.128.0.0/10 md5\nhost a b 10.0.0.0/8 trust",
      REACH_LIVES, { 0 }, false },
    { "host all all 0.0.0.0/0 md5\nhost all all ::/0 md5\nhost all all all md5", REACH_COVERED,
      { 1, 2 }, true },
    /* whoever is not needed is not named */
    { "host all a 10.0.0.0/9 md5\nhost all all 10.0.0.0/8 md5\nhost all a 10.0.0.0/8 trust",
      REACH_COVERED, { 2 }, false },
    { "host all a 10.0.0.0/9 md5\nhost all a 10.0.0.0/10 md5\nhost all a 10.128.0.0/9 md5\n"
      "host all a 10.0.0.0/8 trust", REACH_COVERED, { 1, 3 }, false },
    /* by kinds */
    { "hostssl all all all md5\nhostnossl all all all md5\nhost all all all md5", REACH_COVERED,
      { 1, 2 }, true },
    { "hostssl all all all md5\nhost all all all md5", REACH_LIVES, { 0 }, false },
    { "hostgssenc all all all md5\nhostnogssenc all all all md5\nhostssl all all all cert",
      REACH_COVERED, { 2 }, false },
    { "host all all all md5\nlocal all all peer", REACH_LIVES, { 0 }, false },
    { "local all all peer\nlocal a b peer", REACH_COVERED, { 1 }, true },
    /* by names of lists */
    { "host a all all md5\nhost b all all md5\nhost a,b all all trust", REACH_COVERED, { 1, 2 }, false },
    { "host a all all md5\nhost a,b all all trust", REACH_LIVES, { 0 }, false },
    { "host a,b c,d all md5\nhost a c all trust", REACH_COVERED, { 1 }, false },
    { "host all a,b all md5\nhost all b,a all trust", REACH_COVERED, { 1 }, false },
    { "host all a all md5\nhost all A all trust", REACH_LIVES, { 0 }, false },
    { "host all \"all\" all md5\nhost all a all trust", REACH_LIVES, { 0 }, false },
    { "host all all all md5\nhost all \"all\" all trust", REACH_COVERED, { 1 }, false },
    /* replication */
    { "host all all all md5\nhost replication all all trust", REACH_LIVES, { 0 }, false },
    { "host replication all all md5\nhost \"replication\" all all trust", REACH_LIVES, { 0 }, false },
    { "host all,replication all all md5\nhost replication a all trust", REACH_COVERED, { 1 }, false },
    { "host all all all md5\nhost all,replication all all trust", REACH_LIVES, { 0 }, false },
    /* sameuser, samerole */
    { "host sameuser all all md5\nhost a a all trust", REACH_COVERED, { 1 }, false },
    { "host sameuser all all md5\nhost a b all trust", REACH_LIVES, { 0 }, false },
    { "host a a all md5\nhost sameuser a all trust", REACH_COVERED, { 1 }, false },
    { "host samerole all all md5\nhost sameuser all all trust", REACH_COVERED, { 1 }, false },
    { "host samerole all all md5\nhost g +g all trust", REACH_COVERED, { 1 }, false },
    { "host sameuser all all md5\nhost samerole all all trust", REACH_LIVES, { 0 }, false },
    /* groups */
    { "host all +g all md5\nhost all +g all trust", REACH_COVERED, { 1 }, false },
    { "host all +g all md5\nhost all a all trust", REACH_LIVES, { 0 }, false },
    { "host all +a all md5\nhost all a all trust", REACH_COVERED, { 1 }, false },
    { "host all \"+g\" all md5\nhost all +g all trust", REACH_LIVES, { 0 }, false },
    /* expressions */
    { "host all /^a all md5\nhost all ab,ac all trust", REACH_COVERED, { 1 }, false },
    { "host all /^a all md5\nhost all ab,b all trust", REACH_LIVES, { 0 }, false },
    { "host all /^a all md5\nhost all /^a all trust", REACH_COVERED, { 1 }, false },
    { "host all /^a all md5\nhost all /^ab all trust", REACH_LIVES, { 0 }, false },     /* not known */
    { "host all /^a$ all md5\nhost all a all trust", REACH_COVERED, { 1 }, false },
    { "host all a all md5\nhost all /^a$ all trust", REACH_COVERED, { 1 }, false },
    { "host all /.* all md5\nhost all all all trust", REACH_COVERED, { 1 }, false },
    { "host all /\\w all md5\nhost all a all trust", REACH_LIVES, { 0 }, false },
    { "host /.* all all md5\nhost replication all all trust", REACH_LIVES, { 0 }, false },
    /* masks with holes */
    { "host all all 10.0.0.1 255.0.0.255 md5\nhost all all 10.9.9.1/32 trust", REACH_LIVES, { 0 },
      false },                  /* 16 bits free in the middle: more than is looked at */
    { "host all all 10.0.1.0 255.255.193.0 md5\nhost all all 10.0.3.0/24 trust", REACH_COVERED, { 1 },
      false },
    { "host all all 10.0.1.0 255.255.193.0 md5\nhost all all 10.0.2.0/24 trust", REACH_LIVES, { 0 }, false },
    { "host all all 10.0.0.0 255.255.193.0 md5\nhost all all 10.0.1.0 255.255.193.0 "
      "md5\nhost all all 10.0.0.0/18 trust", REACH_COVERED, { 1, 2 }, false },
    /* host names and interfaces */
    { "host all all .example.com md5\nhost all all DB.Example.com trust", REACH_COVERED, { 1 }, false },
    { "host all all db.example.com md5\nhost all all .example.com trust", REACH_LIVES, { 0 }, false },
    { "host all all all md5\nhost all all db.example.com trust", REACH_COVERED, { 1 }, false },
    { "host all all 0.0.0.0/0 md5\nhost all all db.example.com trust", REACH_LIVES, { 0 }, false },
    { "host all all samenet md5\nhost all all samehost trust", REACH_COVERED, { 1 }, false },
    { "host all all samehost md5\nhost all all samenet trust", REACH_LIVES, { 0 }, false },
    { "host all all samehost md5\nhost all all 127.0.0.1/32 trust", REACH_COVERED, { 1 }, false },
    { "host all all samehost md5\nhost all all 127.0.0.2/32 trust", REACH_LIVES, { 0 }, false },
    /* IPv4 inside of IPv6 is IPv6 */
    { "host all all 0.0.0.0/0 md5\nhost all all ::ffff:10.0.0.0/104 trust", REACH_LIVES, { 0 }, false },
};

static void what_is_covered_is_known_with_those_who_cover(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(covers); i++) {
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(covers[i].text, 17);
        PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
        const struct reach_rule *rule = reach_rule(reach, hba_rules(hba) - 1);
        size_t len = 0;

        if (rule->state != covers[i].state)
            print_message("%s\n", covers[i].text);
        assert_int_equal(rule->state, covers[i].state);
        while (covers[i].by[len])
            len++;
        assert_int_equal(rule->by_len, len);
        for (size_t b = 0; b < len; b++)
            assert_int_equal(rule->by[b] + 1, covers[i].by[b]);
        assert_int_equal(rule->same, covers[i].same);
    }
}

static const struct { const char *line; unsigned major; bool no_tls, no_gss; int want; } nevers[] = {
    { "host all all all md5", 17, true, true, -1 },
    { "hostssl all all all md5", 17, true, true, REACH_NEVER_TLS },
    { "hostssl all all all md5", 17, false, false, -1 },
    { "hostgssenc all all all md5", 17, false, true, REACH_NEVER_GSS },
    { "hostgssenc all all all md5", 17, false, false, -1 },
    { "host all all ALL md5", 17, false, false, REACH_NEVER_ADDRESS },
    { "host all all \"all\" md5", 17, false, false, REACH_NEVER_ADDRESS },
    { "host all all \"samenet\" md5", 17, false, false, REACH_NEVER_ADDRESS },
    { "host all all \"\" md5", 17, false, false, REACH_NEVER_ADDRESS },
    { "host \"\" all all md5", 17, false, false, REACH_NEVER_DATABASE },
    { "host all \"\" all md5", 17, false, false, REACH_NEVER_ROLE },
    { "host all + all md5", 17, false, false, REACH_NEVER_ROLE },
    { "host all \"\",a all md5", 17, false, false, -1 },
    { "host all nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn all md5", 17, false, false,
      -1 },
    { "host all nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn all md5", 17, false, false,
      REACH_NEVER_ROLE },
};

static void what_could_not_match_alone_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(nevers); i++) {
        struct reach_world world = { .no_tls = nevers[i].no_tls ? HBA_YES : HBA_NO,
                                     .no_gss = nevers[i].no_gss ? HBA_YES : HBA_NO };
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(nevers[i].line, nevers[i].major);
        PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, &world);

        if (nevers[i].want < 0) {
            assert_int_equal(reach_rule(reach, 0)->state, REACH_LIVES);
            continue;
        }
        assert_int_equal(reach_rule(reach, 0)->state, REACH_NEVER);
        assert_int_equal((int)reach_rule(reach, 0)->never, nevers[i].want);
        assert_true(reach_never_text(reach_rule(reach, 0)->never)[0] != '\0');
    }
}

static void known_interfaces_are_nets(void **state)
{
    static const struct reach_net nets[] = { { AF_INET, { 10, 1, 2, 3 }, 8 } };
    struct reach_world world = { .nets_known = true, .nets = nets, .nets_len = 1 };
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("host all all samenet md5\n"
                                                    "host all all 10.200.0.0/16 trust\n"
                                                    "host all all samehost trust\n"
                                                    "host all all 127.0.0.1/32 trust\n", 17);
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, &world);

    (void)state;
    assert_int_equal(reach_rule(reach, 1)->state, REACH_COVERED);
    assert_int_equal(reach_rule(reach, 2)->state, REACH_COVERED);
    assert_int_equal(reach_rule(reach, 3)->state, REACH_LIVES);
}

static void without_tls_a_plain_line_covers_all(void **state)
{
    struct reach_world world = { .no_tls = HBA_YES, .no_gss = HBA_YES };
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("hostnossl all all all md5\n"
                                                    "host all all all trust\n", 17);
    PS_AUTO(reach_freep) struct reach *off = reach_new(hba, &world);
    PS_AUTO(reach_freep) struct reach *on = reach_new(hba, NULL);

    (void)state;
    assert_int_equal(reach_rule(off, 1)->state, REACH_COVERED);
    assert_int_equal(reach_rule(on, 1)->state, REACH_LIVES);
}

/* ---- rows ---- */

static bool lets_in(const struct hba_rule *rule, void *arg)
{
    (void)arg;
    return strcmp(rule->method, "reject") != 0;
}

static void write_row(const struct reach_row *row, void *arg)
{
    struct buf *out = arg;

    buf_printf(out, "%zu:", row->rule + 1);
    for (size_t i = 0; i < row->databases_len; i++)
        buf_printf(out, "%s%s", i ? "," : "", row->databases[i].text);
    buf_putc(out, '/');
    for (size_t i = 0; i < row->roles_len; i++)
        buf_printf(out, "%s%s", i ? "," : "", row->roles[i].text);
    for (size_t i = 0; i < row->nets_len && i < 4; i++) {
        char text[REACH_NET_TEXT_MAX];

        reach_net_text(&row->nets[i], text);
        buf_printf(out, " %s", text);
    }
    buf_printf(out, "%s%s%s;", row->nets_len > 4 ? " ..." : "", row->loopback ? " loopback" : "",
               row->beyond ? " beyond" : "");
}

static const struct { const char *text; enum reach_kind kind; const char *rows; } regions[] = {
    { "host all all 10.0.0.0/8 md5", REACH_PLAIN, "1:all/all 10.0.0.0/8 beyond;" },
    { "hostssl all all 10.0.0.0/8 md5", REACH_PLAIN, "" },
    { "hostssl all all 10.0.0.0/8 md5", REACH_TLS, "1:all/all 10.0.0.0/8 beyond;" },
    { "local a,b c peer", REACH_LOCAL, "1:a,b/c;" },
    { "host all all 10.0.0.0/9 reject\nhost all all 10.0.0.0/8 md5", REACH_PLAIN,
      "2:all/all 10.128.0.0/9 beyond;" },
    { "hostnossl all all all reject\nhost all all all md5", REACH_PLAIN, "" },
    { "hostnossl all all all reject\nhost all all all md5", REACH_TLS,
      "2:all/all 0.0.0.0/0 ::/0 loopback beyond;" },
    { "host all all 127.0.0.1/32 md5", REACH_PLAIN, "1:all/all 127.0.0.1/32 loopback;" },
    { "host all all 0.0.0.0/0 reject\nhost all all all md5", REACH_PLAIN,
      "2:all/all ::/0 loopback beyond;" },
    /* for one role of the list less is left */
    { "host all a 10.0.0.0/9 reject\nhost all a,b 10.0.0.0/8 md5", REACH_PLAIN,
      "2:all/a 10.128.0.0/9 beyond;2:all/b 10.0.0.0/8 beyond;" },
    { "host all a all reject\nhost x a,b ::1/128 md5", REACH_PLAIN, "2:x/b ::1/128 loopback;" },
    /* exceptions by role do not cut the row: reach_takers() names them */
    { "host all mallory all reject\nhost all all 10.0.0.0/8 md5", REACH_PLAIN,
      "2:all/all 10.0.0.0/8 beyond;" },
};

static void rows_say_what_is_left_for_each_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(regions); i++) {
        PS_AUTO(buf_free) struct buf rows = BUF(BUF_TEXT_MAX);
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(regions[i].text, 17);
        PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);

        reach_regions(reach, regions[i].kind, lets_in, write_row, &rows);
        assert_string_equal(buf_text(&rows), regions[i].rows);
    }
}

static void takers_are_the_lines_above_that_meet(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("host all mallory all reject\n"
                                                    "host all all 192.0.2.0/24 md5\n"
                                                    "hostssl all all 10.0.0.0/9 cert\n"
                                                    "host all +dba 10.0.0.0/8 md5\n"
                                                    "host all all 10.0.0.0/8 md5\n", 17);
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
    size_t list[8];
    bool sure;

    (void)state;
    assert_int_equal(reach_takers(reach, 4, REACH_BIT(REACH_PLAIN), list, 8, &sure), 2);
    assert_int_equal(list[0], 0);
    assert_int_equal(list[1], 3);
    assert_true(sure);
    assert_int_equal(reach_takers(reach, 4, ~0u, list, 8, &sure), 3);
    assert_int_equal(reach_takers(reach, 4, ~0u, list, 1, &sure), 1);
    assert_false(sure);
}

/* ---- weaker first ---- */

static void write_weaker(const struct reach_weaker *weaker, void *arg)
{
    buf_printf(arg, "%zu<%zu%s%s%s;", weaker->weak + 1, weaker->strict + 1,
               weaker->wholly ? " wholly" : "", weaker->named ? " named" : "",
               weaker->cert ? " cert" : "");
}

static const struct { const char *text, *want; } weakers[] = {
    { "host all all all scram-sha-256\nhostssl all all all cert", "1<2 wholly cert;" },
    { "hostssl all all all cert\nhost all all all scram-sha-256", "" },
    { "hostssl all all 10.0.0.0/8 scram-sha-256\nhostssl all all all cert", "1<2 cert;" },
    { "hostssl all app all scram-sha-256\nhostssl all all all cert", "1<2 named cert;" },
    { "host all all 127.0.0.1/32 trust\nhostssl all all all cert", "" },
    { "hostnossl all all all md5\nhostssl all all all cert", "" },
    { "hostnossl all all all reject\nhostssl all all all cert", "" },
    { "hostssl all all all md5 clientcert=verify-ca\nhostssl all all all cert", "" },
    { "host all all all md5\nhost all all all scram-sha-256", "1<2 wholly;" },
    { "local all all trust\nlocal all all peer", "1<2 wholly;" },
    { "hostssl all all all cert\nhostssl all all all scram-sha-256 clientcert=verify-full",
      "1<2 wholly;" },
};

static void a_weaker_line_above_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(weakers); i++) {
        PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX);
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(weakers[i].text, 17);
        PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);

        assert_true(reach_weaker(reach, write_weaker, &found));
        assert_string_equal(buf_text(&found), weakers[i].want);
    }
}

/* ---- IPv4 closed, IPv6 open ---- */

static void write_gap(const struct reach_family_gap *gap, void *arg)
{
    buf_printf(arg, "%zu open, %zu closed;", gap->open + 1, gap->closed + 1);
}

static const struct { const char *text, *want; } gaps[] = {
    { "host all all 0.0.0.0/0 reject\nhost all all all md5", "2 open, 1 closed;" },
    { "hostssl all all 0.0.0.0/0 md5\nhost all all ::/0 md5", "2 open, 1 closed;" },
    { "hostssl all all 0.0.0.0/0 md5\nhostssl all all ::/0 md5", "" },
    { "host all all 0.0.0.0/0 md5\nhost all all ::/0 md5", "" },
    { "hostssl all all 0.0.0.0/0 md5\nhost all all ::1/128 md5", "" },
    { "hostssl all app 0.0.0.0/0 md5\nhost all web ::/0 md5", "" },
    { "hostnossl all all all reject\nhost all all all md5", "" },
    { "host all all ::/0 md5", "" },
};

static void what_only_ipv6_opens_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(gaps); i++) {
        PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX);
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(gaps[i].text, 17);
        PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);

        reach_ipv6_open(reach, write_gap, &found);
        assert_string_equal(buf_text(&found), gaps[i].want);
    }
}

/* ---- bounds ---- */

static void lists_times_lists_have_an_end(void **state)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX), list = BUF(BUF_TEXT_MAX);

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        buf_printf(&list, "%sn%u", i ? "," : "", i);
    for (unsigned i = 0; i < 5; i++)
        buf_printf(&text, "host %s %s all md5\n", buf_text(&list), buf_text(&list));

    PS_AUTO(hba_freep) struct hba *hba = memory_hba(buf_text(&text), 17);
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
    assert_int_equal(reach_rule(reach, 4)->state, REACH_UNSURE);
}

static void more_than_can_be_named_is_said(void **state)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);

    (void)state;
    for (unsigned i = 0; i < 256; i++)
        buf_printf(&text, "host all all %u.0.0.0/8 md5\n", i);
    buf_puts(&text, "host all all 0.0.0.0/0 trust\n");

    PS_AUTO(hba_freep) struct hba *hba = memory_hba(buf_text(&text), 17);
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
    assert_int_equal(reach_rule(reach, 256)->state, REACH_COVERED);
    assert_true(reach_rule(reach, 256)->by_more);
    assert_int_equal(reach_rule(reach, 256)->by_len, REACH_NAMED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_covered_is_known_with_those_who_cover),
        cmocka_unit_test(what_could_not_match_alone_is_known),
        cmocka_unit_test(known_interfaces_are_nets),
        cmocka_unit_test(without_tls_a_plain_line_covers_all),
        cmocka_unit_test(rows_say_what_is_left_for_each_line),
        cmocka_unit_test(takers_are_the_lines_above_that_meet),
        cmocka_unit_test(a_weaker_line_above_is_found),
        cmocka_unit_test(what_only_ipv6_opens_is_found),
        cmocka_unit_test(lists_times_lists_have_an_end),
        cmocka_unit_test(more_than_can_be_named_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

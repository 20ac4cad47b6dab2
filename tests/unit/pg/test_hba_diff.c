/* test_hba_diff.c - two files as access: who gains, who loses, and that nothing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hba_memory.h"
#include "pg/hba_diff.h"

static const char *const kinds[] = { "local", "plain", "tls", "gss" };

static void write_diff(const char *before, const char *after, bool no_gss, struct buf *out)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(hba_freep) struct hba *one = memory_hba(before, 17);
    PS_AUTO(hba_freep) struct hba *other = memory_hba(after, 17);
    struct reach_world world = { .no_gss = no_gss ? HBA_YES : HBA_NO };
    struct diff diff;

    hba_diff(one, other, &world, arena, &diff);
    for (size_t i = 0; i < diff.len; i++) {
        const struct diff_row *row = &diff.rows[i];

        buf_printf(out, "%s %s [%s/%s] %s%s%s (%u>%u);", diff_change_word(row->change), kinds[row->kind],
                   row->databases, row->roles, row->nets, row->given ? " if " : "",
                   row->given ? row->given : "", row->before ? row->before->line : 0,
                   row->after ? row->after->line : 0);
        assert_true(diff_change_text(row->change)[0] != '\0');
    }
    buf_puts(out, diff.sure ? "" : "?");
}

static const struct { const char *before, *after, *want; } diffs[] = {
    /* the same access in other words */
    { "host all all all md5", "# new\n\nhost  all  all  all  md5 # note", "" },
    { "host all all all md5", "host all all 0.0.0.0/0 md5\nhost all all ::/0 md5", "" },
    { "host all all 10.0.0.0/8 md5", "host all all 10.0.0.0/9 md5\nhost all all 10.128.0.0/9 md5", "" },
    { "host a b 10.0.0.0/8 md5\nhost c d 10.0.0.0/8 md5", "host c d 10.0.0.0/8 md5\nhost a b 10.0.0.0/8 md5",
      "" },
    { "host a,b c all md5", "host b c all md5\nhost a c all md5", "" },
    { "host all all all md5", "host all all all md5\nhost all all 10.0.0.0/8 trust", "" },    /* dead */
    { "hostssl all all all md5\nhostnossl all all all md5", "host all all all md5", "" },
    { "host all all all md5\nhost all all all reject", "host all all all md5", "" },
    { "local all all peer", "local all all ident", "" },
    { "host all +g all md5\nhost all all all reject", "host all +g all md5", "" },
    { "host all +g all md5\nhost all +h all md5", "host all +h all md5\nhost all +g all md5", "" },
    { "host samerole all all md5", "host samerole,sameuser all all md5", "" },
    { "host all /^a$ all md5", "host all a all md5", "" },
    { "host all all h.example.com md5", "host all all H.EXAMPLE.com md5", "" },
    /* gained and lost */
    { "host all all 10.0.0.0/8 md5", "host all all 10.0.0.0/8 md5\nlocal all all peer",
      "gains local [all/all]  (0>2);" },
    { "hostssl a b 10.0.0.0/8 md5", "hostssl a b 10.0.0.0/9 md5",
      "loses tls [a/b] 10.0.0.0/8 (1>0);" },
    { "hostssl a b 10.0.0.0/8 md5", "hostssl a b,c 10.0.0.0/8 md5", "gains tls [a/c] 10.0.0.0/8 (0>1);" },
    { "hostssl a b,c 10.0.0.0/8 md5", "hostssl a,d b,c 10.0.0.0/8 md5", "gains tls [d/b, c] 10.0.0.0/8 (0>1);" },
    { "hostssl all all 10.0.0.0/8 md5", "hostssl all mallory all reject\nhostssl all all 10.0.0.0/8 md5",
      "loses tls [all/mallory] 10.0.0.0/8 (1>1);" },
    { "hostssl all x all reject\nhostssl all all 10.0.0.0/8 md5",
      "hostssl all all 10.0.0.0/8 md5\nhostssl all x all reject", "gains tls [all/x] 10.0.0.0/8 (1>1);" },
    { "hostssl replication r 10.0.0.0/8 md5", "hostssl all r 10.0.0.0/8 md5",
      "gains tls [all/r] 10.0.0.0/8 (0>1);loses tls [(replication)/r] 10.0.0.0/8 (1>0);" },
    /* who is all, and who all the others are */
    { "hostssl all postgres 10.0.0.0/8 md5", "hostssl all postgres 10.0.0.0/8 md5\nhostssl all all 10.0.0.0/8 md5",
      "gains tls [all/all others] 10.0.0.0/8 (0>2);" },
    { "local shop app peer", "local shop app peer\nhostssl all all 10.0.0.0/8 md5",
      "gains tls [all/all] 10.0.0.0/8 (0>2);" },
    { "local shop all peer\nlocal all app peer", "local shop all peer\nlocal all app peer\nhostssl all all 10.0.0.0/8 md5",
      "gains tls [all/all] 10.0.0.0/8 (0>3);" },
    { "hostssl shop all 10.0.0.0/8 reject", "hostssl shop all 10.0.0.0/8 reject\nhostssl all all 10.0.0.0/8 md5",
      "gains tls [all others/all] 10.0.0.0/8 (0>2);" },
    { "local all all peer", "local all all peer\nhostssl replication,all all 10.0.0.0/8 md5",
      "gains tls [all, (replication)/all] 10.0.0.0/8 (0>2);" },
    /* transport */
    { "hostssl a b 10.0.0.0/8 md5", "host a b 10.0.0.0/8 md5", "to_plain plain [a/b] 10.0.0.0/8 (0>1);" },
    { "host a b 10.0.0.0/8 md5", "hostssl a b 10.0.0.0/8 md5", "to_tls plain [a/b] 10.0.0.0/8 (1>0);" },
    { "host a b ::1/128 md5", "hostnossl a b ::1/128 reject\nhost a b ::1/128 md5",
      "to_tls plain [a/b] ::1/128 (1>1);" },
    /* methods */
    { "hostssl a b 10.0.0.0/8 md5", "hostssl a b 10.0.0.0/8 trust", "weaker tls [a/b] 10.0.0.0/8 (1>1);" },
    { "hostssl a b 10.0.0.0/8 md5", "hostssl a b 10.0.0.0/8 scram-sha-256",
      "stronger tls [a/b] 10.0.0.0/8 (1>1);" },
    { "hostssl a b 10.0.0.0/8 cert", "hostssl a b 10.0.0.0/8 cert map=m", "other tls [a/b] 10.0.0.0/8 (1>1);" },
    { "hostssl a b 10.0.0.0/8 scram-sha-256", "hostssl a b 10.0.0.0/8 scram-sha-256 clientcert=verify-full",
      "stronger tls [a/b] 10.0.0.0/8 (1>1);" },
    /* for some, who are not known here */
    { "hostssl all +g all reject\nhostssl all all 10.0.0.0/8 md5", "hostssl all all 10.0.0.0/8 md5",
      "gains tls [all/all] 10.0.0.0/8 if member of g (1>1);" },
    { "hostssl a +g 10.0.0.0/8 md5", "hostssl a +h 10.0.0.0/8 md5",
      "loses tls [a/all] 10.0.0.0/8 if member of g (1>0);"
      "gains tls [a/all] 10.0.0.0/8 if member of h (0>1);" },
    { "hostssl a b db.example.com md5", "hostssl a b db2.example.com md5",
      "loses tls [a/b] 0.0.0.0/0, ::/0 if client named db.example.com (1>0);"
      "gains tls [a/b] 0.0.0.0/0, ::/0 if client named db2.example.com (0>1);" },
    { "hostssl sameuser all 10.0.0.0/8 md5", "hostssl samerole all 10.0.0.0/8 md5",
      "gains tls [all/all] 10.0.0.0/8 if member of the role that the database is named after "
      "(0>1);" },
    { "hostssl all /^x 10.0.0.0/8 md5", "hostssl all /^y 10.0.0.0/8 md5",
      "loses tls [all/all] 10.0.0.0/8 if role like /^x (1>0);"
      "gains tls [all/all] 10.0.0.0/8 if role like /^y (0>1);" },
};

static void what_differs_is_told_as_access(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(diffs); i++) {
        PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX);

        write_diff(diffs[i].before, diffs[i].after, true, &found);
        if (strcmp(buf_text(&found), diffs[i].want) != 0)
            print_message("%s\n -> %s\n", diffs[i].before, diffs[i].after);
        assert_string_equal(buf_text(&found), diffs[i].want);
    }
}

static void many_groups_do_not_hide_that_nothing_changed(void **state)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX), found = BUF(BUF_TEXT_MAX);

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&text, "host all +g%u 10.0.0.0/8 md5\n", i);
    write_diff(buf_text(&text), buf_text(&text), true, &found);
    assert_string_equal(buf_text(&found), "");
}

static void too_many_unknowns_are_not_called_equal(void **state)
{
    PS_AUTO(buf_free) struct buf one = BUF(BUF_TEXT_MAX), other = BUF(BUF_TEXT_MAX),
                                 found = BUF(BUF_TEXT_MAX);

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        buf_printf(&one, "host all +g%u 10.0.0.0/8 md5\n", i);
        buf_printf(&other, "host all +g%u 10.0.0.0/8 md5\n", 39 - i);
    }
    write_diff(buf_text(&one), buf_text(&other), true, &found);
    assert_string_equal(buf_text(&found), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_is_told_as_access),
        cmocka_unit_test(many_groups_do_not_hide_that_nothing_changed),
        cmocka_unit_test(too_many_unknowns_are_not_called_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

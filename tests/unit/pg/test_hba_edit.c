/* test_hba_edit.c - an edit changes the bytes that it is about, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hba_memory.h"

/* What is done with the last rule of a file; NULL: not. */
static const struct {
    const char *was, *type, *method, *option, *value, *above, *now;
} edits[] = {
    /* types */
    { "host all all all md5\n", .type = "hostssl", .now = "hostssl all all all md5\n" },
    { "hostnossl all all all md5", .type = "hostssl", .now = "hostssl all all all md5" },
    { "host    all  all  all  md5 # c\r\n", .type = "hostssl",
      .now = "hostssl all  all  all  md5 # c\r\n" },            /* columns stay */
    { "host  all all all md5\n", .type = "hostssl", .now = "hostssl all all all md5\n" },
    { "hostnossl  all all all md5\n", .type = "host", .now = "host       all all all md5\n" },
    { "host\tall\tall\tall\tmd5\n", .type = "hostssl", .now = "hostssl\tall\tall\tall\tmd5\n" },
    { "host\t\tall all all md5\n", .type = "hostnossl", .now = "hostnossl\tall all all md5\n" },
    { "hostnossl\tall all all md5\n", .type = "host", .now = "host\t\tall all all md5\n" },
    { "  host \tall all all md5\n", .type = "hostssl", .now = "  hostssl \tall all all md5\n" },
    { "\"host\"   all all all md5\n", .type = "hostssl", .now = "hostssl  all all all md5\n" },
    { "host \\\n all all all md5\n", .type = "hostssl", .now = "hostssl \\\n all all all md5\n" },
    { "ho\\\nst all all all md5\n", .type = "hostssl", .now = "hostssl all all all md5\n" },
    { "\xff\n# \xfe\r\n\"x\"\nhost all all all md5", .type = "hostssl",
      .now = "\xff\n# \xfe\r\n\"x\"\nhostssl all all all md5" },

    /* methods */
    { "hostssl all all all md5\n", .method = "cert", .now = "hostssl all all all cert\n" },
    { "hostssl all all all ldap ldapprefix=a,ldapsuffix=b # c\n", .method = "cert",
      .now = "hostssl all all all cert # c\n" },
    { "hostssl all all all \"md5\" clientcert=verify-ca", .method = "scram-sha-256",
      .now = "hostssl all all all scram-sha-256" },
    { "hostssl all all all md5,\n", .method = "cert", .now = "hostssl all all all cert,\n" },

    /* options */
    { "hostssl all all all md5\n", .option = "clientcert", .value = "verify-full",
      .now = "hostssl all all all md5 clientcert=verify-full\n" },
    { "hostssl all all all md5 # c\r\n", .option = "clientcert", .value = "verify-full",
      .now = "hostssl all all all md5 clientcert=verify-full # c\r\n" },
    { "hostssl all all all cert map=m  clientcert=verify-full # c\n", .option = "map",
      .value = "a b", .now = "hostssl all all all cert map=\"a b\"  clientcert=verify-full # c\n" },
    { "hostssl all all all cert \"map=m\",clientname=DN", .option = "clientname", .value = "CN",
      .now = "hostssl all all all cert \"map=m\",clientname=CN" },
    { "hostssl all all all cert map=m map=n", .option = "map", .value = "o",
      .now = "hostssl all all all cert map=o map=o" },
    { "hostssl all all all cert \\\n map=m\n", .option = "clientname", .value = "DN",
      .now = "hostssl all all all cert \\\n map=m clientname=DN\n" },
    { "hostssl all all all cert map=m", .method = "md5", .option = "clientcert",
      .value = "verify-ca", .now = "hostssl all all all md5 clientcert=verify-ca" },

    /* lines above */
    { "# one\nhost all all all md5", .above = "hostssl all app all cert",
      .now = "# one\nhostssl all app all cert\nhost all all all md5" },
    { "# one\r\n  host all all all md5", .above = "hostssl all app all cert",
      .now = "# one\r\nhostssl all app all cert\r\n  host all all all md5" },
    { "host all all all md5", .above = "x", .now = "x\nhost all all all md5" },
    { "# a \\\n b\nhost all all all md5\n", .above = "x", .type = "hostssl",
      .now = "# a \\\n b\nx\nhostssl all all all md5\n" },
};

static enum hba_type type_named(const char *name)
{
    enum hba_type type = HBA_LOCAL;

    while (strcmp(hba_type_name(type), name) != 0)
        type++;
    return type;
}

static void edits_change_their_bytes_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(edits); i++) {
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(edits[i].was, 15);
        PS_AUTO(buf_free) struct buf now = BUF(1000);
        const struct hba_rule *rule = hba_rule(hba, hba_rules(hba) - 1);

        if (edits[i].type)
            hba_set_type(hba, rule, type_named(edits[i].type));
        if (edits[i].method)
            hba_set_method(hba, rule, edits[i].method);
        if (edits[i].option)
            hba_set_option(hba, rule, edits[i].option, edits[i].value);
        if (edits[i].above)
            hba_insert_before(hba, rule, edits[i].above);
        hba_file_text(hba, 0, &now);
        assert_string_equal(buf_text(&now), edits[i].now);
        assert_true(hba_file_edited(hba, 0));
    }
}

static void many_edits_keep_their_places(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba(
        "local all all peer\nhost    a all all md5\n#\nhost    b all all md5\n", 15);
    PS_AUTO(buf_free) struct buf now = BUF(1000);

    (void)state;
    hba_set_type(hba, hba_rule(hba, 2), HBA_HOSTSSL);       /* not in the order of the file */
    hba_insert_before(hba, hba_rule(hba, 1), "first");
    hba_set_type(hba, hba_rule(hba, 1), HBA_HOSTNOSSL);
    hba_insert_before(hba, hba_rule(hba, 1), "second");
    hba_set_type(hba, hba_rule(hba, 1), HBA_HOSTSSL);       /* the later word counts */
    hba_file_text(hba, 0, &now);
    assert_string_equal(buf_text(&now),
                        "local all all peer\nfirst\nsecond\nhostssl a all all md5\n#\n"
                        "hostssl b all all md5\n");
}

static void an_edit_to_the_same_is_none(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("host  all all all md5\nhost all all all md5",
                                                    15);

    (void)state;
    hba_set_type(hba, hba_rule(hba, 0), HBA_HOST);
    hba_set_method(hba, hba_rule(hba, 0), "md5");
    assert_false(hba_file_edited(hba, 0));
}

static const struct memory_file shared[] = {
    { "/d/pg_hba.conf", "include a.conf\nlocal x x peer\ninclude a.conf\n" },
    { "/d/a.conf", "host all all all @opts\n" },
    { "/d/opts", "trust" },
    { NULL, NULL },
};

static void a_file_included_twice_is_edited_once(void **state)
{
    struct pg_source source = memory_source(shared);
    PS_AUTO(hba_freep) struct hba *hba = NULL;
    PS_AUTO(buf_free) struct buf now = BUF(1000);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_load(&source, "/d/pg_hba.conf", 17, &hba, &err));
    assert_int_equal(hba_rules(hba), 3);
    for (size_t i = 0; i < 3; i += 2) {
        hba_set_type(hba, hba_rule(hba, i), HBA_HOSTSSL);
        hba_set_method(hba, hba_rule(hba, i), "cert");      /* in place of the @file */
    }
    assert_false(hba_file_edited(hba, 0));
    assert_true(hba_file_edited(hba, 1));
    hba_file_text(hba, 1, &now);
    assert_string_equal(buf_text(&now), "hostssl all all all cert\n");
}

static const struct memory_file listed[] = {
    { "/d/pg_hba.conf", "hostssl all all all cert @opts clientname=CN\n" },
    { "/d/opts", "map=a clientcert=verify-full" },
    { NULL, NULL },
};

static void options_from_a_list_are_written_out(void **state)
{
    struct pg_source source = memory_source(listed);
    PS_AUTO(hba_freep) struct hba *hba = NULL;
    PS_AUTO(buf_free) struct buf now = BUF(1000);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_load(&source, "/d/pg_hba.conf", 17, &hba, &err));
    hba_set_option(hba, hba_rule(hba, 0), "map", "b");
    hba_file_text(hba, 0, &now);
    assert_string_equal(buf_text(&now),
                        "hostssl all all all cert map=b clientcert=verify-full clientname=CN\n");
}

/* ---- quoting ---- */

static const struct { unsigned major; const char *name, *want; } quotes[] = {
    { 15, "app", "app" }, { 15, "app_1-x.y$", "app_1-x.y$" }, { 15, "Ana", "Ana" },
    { 15, "caf\xc3\xa9", "caf\xc3\xa9" },
    { 15, "all", "\"all\"" }, { 15, "replication", "\"replication\"" },
    { 15, "sameuser", "\"sameuser\"" }, { 15, "ALL", "ALL" },
    { 15, "my app", "\"my app\"" }, { 15, "a,b", "\"a,b\"" }, { 15, "a#b", "\"a#b\"" },
    { 15, "a\"b", "\"a\"\"b\"" }, { 15, "+dba", "\"+dba\"" }, { 15, "@x", "\"@x\"" },
    { 15, "", "\"\"" }, { 15, "a\\", "\"a\\\"" },
    { 15, "/x", "\"/x\"" }, { 16, "/x", "\"/^/x$\"" }, { 16, "/a.b\"c", "\"/^/a\\.b\"\"c$\"" },
    { 15, "a\nb", NULL }, { 17, "a\rb", NULL },
};

static void a_quoted_name_means_just_that_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(quotes); i++) {
        PS_AUTO(buf_free) struct buf quoted = BUF(100), line = BUF(200);
        struct hba_question ask = { .local = true, .user = quotes[i].name };

        assert_int_equal(hba_quote_name(quotes[i].name, quotes[i].major, &quoted),
                         quotes[i].want != NULL);
        assert_string_equal(buf_text(&quoted), quotes[i].want ? quotes[i].want : "");
        if (!quotes[i].want)
            continue;
        buf_printf(&line, "local all %s peer", buf_text(&quoted));
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(buf_text(&line), quotes[i].major);
        assert_int_equal(hba_rules(hba), 1);
        assert_int_equal(hba_user_matches(hba_rule(hba, 0), &ask), HBA_YES);
        ask.user = "somebody else";
        assert_int_equal(hba_user_matches(hba_rule(hba, 0), &ask), HBA_NO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_change_their_bytes_alone),
        cmocka_unit_test(many_edits_keep_their_places),
        cmocka_unit_test(an_edit_to_the_same_is_none),
        cmocka_unit_test(a_file_included_twice_is_edited_once),
        cmocka_unit_test(options_from_a_list_are_written_out),
        cmocka_unit_test(a_quoted_name_means_just_that_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

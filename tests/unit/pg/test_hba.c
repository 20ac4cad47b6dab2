/* test_hba.c - lines become rules or problems, as in each version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "hba_memory.h"

/* A line is refused with this text at this column; NULL: it is taken. */
static const struct { unsigned major; const char *line, *what; unsigned column; } lines[] = {
    { 15, "local all all peer", NULL, 0 },
    { 15, "local all all ident", NULL, 0 },
    { 15, "host all all 127.0.0.1/32 md5", NULL, 0 },
    { 15, "host all all 127.0.0.1 255.255.255.255 md5", NULL, 0 },
    { 15, "host all all 10.1/8 md5", NULL, 0 },             /* as inet_aton() */
    { 15, "host all all .example.com md5", NULL, 0 },
    { 15, "hostssl all all all cert clientcert=verify-full map=m", NULL, 0 },
    { 15, "\"hostssl\" all all all \"cert\"", NULL, 0 },

    { 15, "HOST all all all md5", "invalid connection type \"HOST\"", 1 },
    { 15, " host,local all all md5", "multiple values specified for connection type", 2 },
    { 15, "include x", "invalid connection type \"include\"", 1 },
    { 11, "hostgssenc all all all md5", "invalid connection type \"hostgssenc\"", 1 },
    { 12, "hostgssenc all all all md5", NULL, 0 },
    { 15, "local", "end-of-line before database specification", 6 },
    { 15, "local all", "end-of-line before role specification", 10 },
    { 15, "host all all # x", "end-of-line before IP address specification", 13 },
    { 15, "host all all 10.0.0.0", "end-of-line before netmask specification", 22 },
    { 15, "host all all all", "end-of-line before authentication method", 17 },
    { 15, "host all all a.example/8 md5", "specifying both host name and CIDR mask is invalid: "
      "\"a.example/8\"", 14 },
    { 15, "host all all 10.0.0.0/33 md5", "invalid CIDR mask in address \"10.0.0.0/33\"", 14 },
    { 15, "host all all ::/129 md5", "invalid CIDR mask in address \"::/129\"", 14 },
    { 15, "host all all 10.0.0.0 :: md5", "IP address and mask do not match", 23 },
    { 15, "host all all 10.0.0.0 md5", "invalid IP mask \"md5\"", 23 },
    { 15, "host all all ::1,::2 md5", "multiple values specified for host address", 14 },
    { 15, "host all all all MD5", "invalid authentication method \"MD5\"", 18 },
    { 17, "host all all all oauth", "invalid authentication method \"oauth\"", 18 },
    { 18, "host all all all oauth issuer=i scope=s", NULL, 0 },
    { 18, "host all all all radius radiusservers=::1 radiussecrets=s", NULL, 0 },
    { 19, "host all all all radius radiusservers=::1 radiussecrets=s",
      "invalid authentication method \"radius\"", 18 },
    { 15, "host all all all peer", "peer authentication is only supported on local sockets", 18 },
    { 15, "host all all all cert", "cert authentication is only supported on hostssl connections",
      18 },
    { 15, "local all all gss", "gssapi authentication is not supported on local sockets", 15 },
    { 15, "host all all all md5 map", "authentication option not in name=value format: map", 22 },
    { 15, "host all all all md5 map=m",
      "authentication option \"map\" is not valid for this authentication method", 22 },
    { 15, "host all all all md5 x=m", "unrecognized authentication option name: \"x\"", 22 },
    { 15, "host all all all md5 clientcert=verify-ca",
      "clientcert can only be configured for \"hostssl\" rows", 22 },
    { 15, "hostssl all all all md5 clientcert=full", "invalid value for clientcert: \"full\"", 25 },
    { 15, "hostssl all all all cert clientcert=verify-ca",
      "clientcert only accepts \"verify-full\" when using \"cert\" authentication", 26 },
    { 13, "hostssl all all all cert clientcert=verify-ca", NULL, 0 },
    { 13, "hostssl all all all md5 clientname=DN", "unrecognized authentication option name: "
      "\"clientname\"", 25 },
    { 14, "hostssl all all all md5 clientname=dn", "invalid value for clientname: \"dn\"", 25 },
    { 15, "host all all all ldap ldapserver=x", "authentication method \"ldap\" requires argument "
      "\"ldapbasedn\", \"ldapprefix\", or \"ldapsuffix\" to be set", 18 },

    { 15, "host /( all all md5", NULL, 0 },
    { 16, "host /( all all md5", "invalid regular expression \"(\"", 6 },
    { 16, "host all \"/a)\" all md5", "invalid regular expression \"a)\"", 10 },
    { 16, "host /[ all all md5", "invalid regular expression \"[\"", 6 },
    { 16, "host /a** all all md5", "invalid regular expression \"a**\"", 6 },
    { 16, "host /(?i)a all all md5", NULL, 0 },
};

static void lines_are_taken_or_refused_as_in_their_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(lines[i].line, lines[i].major);

        assert_int_equal(hba_rules(hba), lines[i].what ? 0 : 1);
        assert_int_equal(hba_problems(hba), lines[i].what ? 1 : 0);
        if (lines[i].what) {
            assert_string_equal(hba_problem(hba, 0)->what, lines[i].what);
            assert_int_equal(hba_problem(hba, 0)->column, lines[i].column);
            assert_int_equal(hba_problem(hba, 0)->line, 1);
            assert_true(strlen(hba_problem(hba, 0)->hint) > 5);
        }
    }
}

/* What is advised for one method would be refused with the other. */
static void the_cure_of_a_refused_clientcert_fits_its_method(void **state)
{
    PS_AUTO(hba_freep) struct hba *cert = memory_hba("hostssl all all all cert clientcert=1", 15);
    PS_AUTO(hba_freep) struct hba *scram =
        memory_hba("hostssl all all all scram-sha-256 clientcert=1", 15);

    (void)state;
    assert_non_null(strstr(hba_problem(cert, 0)->hint, "Remove clientcert"));
    assert_non_null(strstr(hba_problem(scram, 0)->hint, "verify-ca"));
}

/* What each word asks of the client in 10 and 11, in 12 and 13, from 14; -1: the file is refused. */
static const struct { const char *word; int to_11, to_13, later; } clientcerts[] = {
    { "1", HBA_CERT_CA, HBA_CERT_CA, -1 },
    { "0", HBA_CERT_NONE, HBA_CERT_NONE, -1 },
    { "no-verify", HBA_CERT_NONE, HBA_CERT_NONE, -1 },
    { "verify-ca", HBA_CERT_NONE, HBA_CERT_CA, HBA_CERT_CA },
    { "verify-full", HBA_CERT_NONE, HBA_CERT_FULL, HBA_CERT_FULL },     /* 11: silently off */
    { "x", HBA_CERT_NONE, -1, -1 },
};

static void words_of_clientcert_mean_what_their_version_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(clientcerts); i++)
        for (unsigned major = 10; major <= 19; major++) {
            int want = major <= 11 ? clientcerts[i].to_11
                       : major <= 13 ? clientcerts[i].to_13 : clientcerts[i].later;
            PS_AUTO(ps_freep) char *line = ps_asprintf("hostssl all all all md5 clientcert=%s",
                                                       clientcerts[i].word);
            PS_AUTO(hba_freep) struct hba *hba = memory_hba(line, major);

            assert_int_equal(hba_problems(hba), want < 0);
            if (want >= 0)
                assert_int_equal(hba_clientcert(hba, hba_rule(hba, 0)), want);
        }
}

static void method_cert_demands_a_certificate_of_the_role(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("hostssl all all all cert", 10);

    (void)state;
    assert_int_equal(hba_clientcert(hba, hba_rule(hba, 0)), HBA_CERT_FULL);
}

static const struct memory_file tree[] = {
    { "/d/pg_hba.conf", "local @names,z @names peer\ninclude sub/a.conf\ninclude_if_exists no\n"
                        "include_dir sub\nhost all all all @method # x\n" },
    { "/d/names", "a, \"b c\"\n@more # x\n" },
    { "/d/more", "d\n" },
    { "/d/method", "reject" },
    { "/d/sub/a.conf", "local a a trust\n" },
    { "/d/sub/b.conf", "local b b trust\n" },
    { NULL, NULL },
};

static void includes_and_lists_are_put_in_their_place(void **state)
{
    static const char *const files[] = { "/d/pg_hba.conf", "/d/sub/a.conf", "/d/sub/a.conf",
                                         "/d/sub/b.conf", "/d/pg_hba.conf" };
    struct pg_source source = memory_source(tree);
    PS_AUTO(hba_freep) struct hba *hba = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_load(&source, "/d/pg_hba.conf", 16, &hba, &err));
    assert_int_equal(hba_problems(hba), 0);
    assert_int_equal(hba_rules(hba), PS_COUNT(files));
    for (size_t i = 0; i < PS_COUNT(files); i++)
        assert_string_equal(hba_rule(hba, i)->file, files[i]);
    assert_int_equal(hba_rule(hba, 0)->databases.len, 4);
    assert_string_equal(hba_rule(hba, 0)->databases.at[1].text, "b c");
    assert_string_equal(hba_rule(hba, 0)->databases.at[2].text, "d");
    assert_string_equal(hba_rule(hba, 4)->method, "reject");
    assert_int_equal(hba_files(hba), 3);
    assert_string_equal(hba_file_name(hba, 2), "/d/sub/b.conf");
}

static const struct memory_file loop[] = {
    { "/d/pg_hba.conf", "local a a trust\ninclude pg_hba.conf\n" }, { NULL, NULL },
};

static void a_file_that_includes_itself_is_a_problem(void **state)
{
    struct pg_source source = memory_source(loop);
    PS_AUTO(hba_freep) struct hba *hba = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(hba_load(&source, "/d/pg_hba.conf", 17, &hba, &err));
    assert_int_equal(hba_problems(hba), 1);
    assert_int_equal(hba_problem(hba, 0)->line, 2);
    assert_int_equal(hba_rules(hba), 11);
}

static const struct memory_file bomb[] = {
    { "/d/pg_hba.conf", "local @x @x trust\n" }, { "/d/x", "@x @x @x\n@x @x\n" }, { NULL, NULL },
};

static void lists_that_name_themselves_end_in_every_version(void **state)
{
    struct pg_source source = memory_source(bomb);
    struct ps_err err = { 0 };

    (void)state;
    for (unsigned major = 10; major <= 19; major++) {
        PS_AUTO(hba_freep) struct hba *hba = NULL;

        assert_true(hba_load(&source, "/d/pg_hba.conf", major, &hba, &err));
        assert_int_equal(hba_rules(hba), 0);
        assert_true(hba_problems(hba) > 0);
    }
}

static void a_file_without_rules_is_a_problem(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("# nothing\n\n", 15);

    (void)state;
    assert_int_equal(hba_problems(hba), 1);
}

static void a_missing_file_is_an_error(void **state)
{
    struct pg_source source = memory_source(tree);
    struct hba *hba = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_false(hba_load(&source, "/d/none", 15, &hba, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_null(hba);
}

static bool disk_read(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    (void)arg;
    return file_read(path, HBA_MAX_BYTES, out, err);
}

/* Rules and problems of the files in tests/data/hba. */
static const struct { const char *name; unsigned major; size_t rules, problems; } files[] = {
    { "debian-15.conf", 15, 7, 0 },
    { "crowded.conf", 17, 9, 0 },
    { "crowded.conf", 15, 8, 1 },       /* no include before 16 */
    { "crowded.conf", 13, 7, 4 },       /* and no continued lines before 14 */
};

static void files_come_back_byte_by_byte(void **state)
{
    struct pg_source source = { .read = disk_read };
    struct ps_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(ps_freep) char *path = path_join(TEST_DATA "/hba", files[i].name);
        PS_AUTO(buf_free) struct buf was = BUF(HBA_MAX_BYTES), now = BUF(HBA_MAX_BYTES);
        PS_AUTO(hba_freep) struct hba *hba = NULL;

        assert_true(file_read(path, HBA_MAX_BYTES, &was, &err));
        assert_true(hba_load(&source, path, files[i].major, &hba, &err));
        assert_int_equal(hba_rules(hba), files[i].rules);
        assert_int_equal(hba_problems(hba), files[i].problems);
        hba_file_text(hba, 0, &now);
        assert_int_equal(now.len, was.len);
        assert_memory_equal(now.p, was.p, was.len);
        assert_false(hba_file_edited(hba, 0));
    }
}

static void more_words_than_the_bound_are_refused(void **state)
{
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };
    struct hba *hba = NULL;

    (void)state;
    buf_puts(&text, "local all ");
    for (unsigned i = 0; i <= HBA_MAX_WORDS; i++)
        buf_puts(&text, "a,");
    buf_puts(&text, "a trust\n");

    const struct memory_file long_file[] = { { "/d/pg_hba.conf", buf_text(&text) }, { NULL, NULL } };
    struct pg_source source = memory_source(long_file);
    assert_false(hba_load(&source, "/d/pg_hba.conf", 17, &hba, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_null(hba);
}

static void a_problem_has_the_line_as_it_stands(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("# one\r\nlocal all \\\n\thots\r\n", 17);
    const struct hba_problem *problem = hba_problem(hba, 0);

    (void)state;
    assert_int_equal(problem->line, 3);
    assert_int_equal(problem->text_len, 5);
    assert_memory_equal(problem->text, "\thots", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_words_than_the_bound_are_refused),
        cmocka_unit_test(a_problem_has_the_line_as_it_stands),
        cmocka_unit_test(lines_are_taken_or_refused_as_in_their_version),
        cmocka_unit_test(the_cure_of_a_refused_clientcert_fits_its_method),
        cmocka_unit_test(words_of_clientcert_mean_what_their_version_does),
        cmocka_unit_test(method_cert_demands_a_certificate_of_the_role),
        cmocka_unit_test(includes_and_lists_are_put_in_their_place),
        cmocka_unit_test(a_file_that_includes_itself_is_a_problem),
        cmocka_unit_test(lists_that_name_themselves_end_in_every_version),
        cmocka_unit_test(a_file_without_rules_is_a_problem),
        cmocka_unit_test(a_missing_file_is_an_error),
        cmocka_unit_test(files_come_back_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hba_match.c - which rule a connection meets: yes, no, or cannot be known from here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "hba_memory.h"
#include "pg/hba_words.h"

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage addr = { 0 };

    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&addr)->sin_addr) == 1)
        addr.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&addr)->sin6_addr) == 1)
        addr.ss_family = AF_INET6;
    return addr;
}

/* ---- how the connection is protected ---- */

static const struct { const char *type; bool local, plain, tls, gss; } types[] = {
    { "local", true, false, false, false },
    { "host", false, true, true, true },
    { "hostssl", false, false, true, false },
    { "hostnossl", false, true, false, true },
    { "hostgssenc", false, false, false, true },
    { "hostnogssenc", false, true, true, false },
};

static void types_match_by_protection(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        PS_AUTO(ps_freep) char *line = ps_asprintf("%s all all %s reject", types[i].type,
                                                   types[i].local ? "" : "all");
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(line, 17);
        const struct hba_rule *rule = hba_rule(hba, 0);
        struct hba_question ask = { .database = "d", .user = "u", .addr = address("192.0.2.1") };

        assert_int_equal(hba_rule_matches(rule, &ask), types[i].plain);
        ask.tls = true;
        assert_int_equal(hba_rule_matches(rule, &ask), types[i].tls);
        ask.tls = false;
        ask.gss = true;
        assert_int_equal(hba_rule_matches(rule, &ask), types[i].gss);
        ask = (struct hba_question){ .local = true, .database = "d", .user = "u" };
        assert_int_equal(hba_rule_matches(rule, &ask), types[i].local);
    }
}

/* ---- addresses ---- */

static const struct { const char *field, *client; enum hba_match want; } addresses[] = {
    { "192.0.2.0/24", "192.0.2.255", HBA_YES },
    { "192.0.2.0/24", "192.0.3.0", HBA_NO },
    { "192.0.2.7/24", "192.0.2.9", HBA_YES },       /* bits outside of the mask do not count */
    { "192.0.2.0/23", "192.0.3.9", HBA_YES },
    { "0.0.0.0/0", "203.0.113.1", HBA_YES },
    { "0.0.0.0/0", "::1", HBA_NO },
    { "::/0", "192.0.2.1", HBA_NO },
    { "::/0", "::ffff:192.0.2.1", HBA_YES },
    { "192.0.2.0/24", "::ffff:192.0.2.1", HBA_NO },     /* a mapped one is IPv6 for the server */
    { "::ffff:192.0.2.0/120", "192.0.2.1", HBA_NO },
    { "2001:db8::/33", "2001:db8:7fff::1", HBA_YES },
    { "2001:db8::/33", "2001:db8:8000::1", HBA_NO },
    { "10.0.0.1 255.0.0.255", "10.9.9.1", HBA_YES },    /* a mask with holes */
    { "10.0.0.1 255.0.0.255", "10.9.9.2", HBA_NO },
    { "all", "::1", HBA_YES },
    { "\"all\"", "127.0.0.1", HBA_NO },                 /* a host name that nobody has */
    { "ALL", "127.0.0.1", HBA_NO },
    { "samehost", "127.0.0.1", HBA_YES },
    { "samehost", "127.0.0.2", HBA_MAYBE },
    { "samehost", "::1", HBA_YES },
    { "samehost", "192.0.2.1", HBA_MAYBE },
    { "samenet", "127.0.0.2", HBA_YES },
    { "samenet", "192.0.2.1", HBA_MAYBE },
    { "db.example.com", "192.0.2.1", HBA_MAYBE },
    { ".example.com", "192.0.2.1", HBA_MAYBE },
    { "192.0.2.0/24", "?", HBA_MAYBE },                 /* the client's is not known */
    { "all", "?", HBA_YES },
};

static void addresses_match_as_in_check_ip(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(addresses); i++) {
        PS_AUTO(ps_freep) char *line = ps_asprintf("host all all %s md5", addresses[i].field);
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(line, 15);
        struct hba_question ask = { .database = "d", .user = "u",
                                    .addr = address(addresses[i].client) };

        assert_int_equal(hba_rule_matches(hba_rule(hba, 0), &ask), addresses[i].want);
    }
}

/* ---- databases and roles ---- */

static const char *const groups[] = { "ana", "dba", NULL };

static const struct {
    unsigned major;
    const char *fields, *database, *user;
    bool replication, roles_known;
    enum hba_match want;
} names[] = {
    { 15, "all all", "d", "ana", false, true, HBA_YES },
    { 15, "\"all\" all", "d", "ana", false, true, HBA_NO },
    { 15, "\"all\" all", "all", "ana", false, true, HBA_YES },
    { 15, "a,d all", "d", "ana", false, true, HBA_YES },
    { 15, "D all", "d", "ana", false, true, HBA_NO },
    { 15, "sameuser all", "ana", "ana", false, true, HBA_YES },
    { 15, "sameuser all", "d", "ana", false, true, HBA_NO },
    { 15, "samerole all", "dba", "ana", false, true, HBA_YES },
    { 15, "samegroup all", "dba", "ana", false, true, HBA_YES },
    { 15, "samerole all", "dba", "ana", false, false, HBA_MAYBE },
    { 15, "samerole all", "ana", "ana", false, false, HBA_YES },
    { 15, "replication all", "replication", "ana", false, true, HBA_NO },
    { 15, "\"replication\" all", "replication", "ana", false, true, HBA_YES },
    { 15, "all all", "d", "ana", true, true, HBA_NO },          /* all is not for replication */
    { 15, "replication all", "d", "ana", true, true, HBA_YES },
    { 15, "x,replication ana", "d", "ana", true, true, HBA_YES },
    { 15, "all +dba", "d", "ana", false, true, HBA_YES },
    { 15, "all +ops", "d", "ana", false, true, HBA_NO },
    { 15, "all +ops", "d", "ana", false, false, HBA_MAYBE },
    { 15, "all +ops,ana", "d", "ana", false, false, HBA_YES },
    { 15, "all \"+dba\"", "d", "ana", false, true, HBA_NO },
    { 15, "all +ana", "d", "ana", false, false, HBA_YES },      /* everybody is of himself */
    { 15, "all /^a", "d", "ana", false, true, HBA_NO },         /* a name before 16 */
    { 16, "all /^a", "d", "ana", false, true, HBA_YES },
    { 16, "all \"/^a\"", "d", "ana", false, true, HBA_YES },    /* also in quotes */
    { 16, "all /^b", "d", "ana", false, true, HBA_NO },
    { 16, "\"/^d[0-9]{1,2}$\" all", "d12", "ana", false, true, HBA_YES },
    { 16, "all /^\\w+$", "d", "ana", false, true, HBA_MAYBE },  /* PostgreSQL's own */
    { 16, "all /(?i)ANA", "d", "ana", false, true, HBA_MAYBE },
    { 16, "x all", "d", "ana", false, true, HBA_NO },
};

static void names_match_as_in_check_db_and_check_role(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        PS_AUTO(ps_freep) char *line = ps_asprintf("host %s all md5", names[i].fields);
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(line, names[i].major);
        struct hba_question ask = { .database = names[i].database, .user = names[i].user,
                                    .replication = names[i].replication,
                                    .roles = names[i].roles_known ? groups : NULL };

        assert_int_equal(hba_rule_matches(hba_rule(hba, 0), &ask), names[i].want);
    }
}

static void one_field_alone_can_be_asked_for(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba("local x ana peer", 15);
    struct hba_question ask = { .user = "ana" };

    (void)state;
    assert_int_equal(hba_user_matches(hba_rule(hba, 0), &ask), HBA_YES);
    ask.user = "luis";
    assert_int_equal(hba_user_matches(hba_rule(hba, 0), &ask), HBA_NO);
}

static void the_first_certain_rule_answers(void **state)
{
    PS_AUTO(hba_freep) struct hba *hba = memory_hba(
        "hostssl all all 192.0.2.0/24 cert\nhost all +ops 10.0.0.0/8 trust\n"
        "host all all 10.0.0.0/8 md5\nhost all all all reject\n", 15);
    struct hba_question ask = { .tls = true, .database = "d", .user = "u",
                                .addr = address("192.0.2.1") };
    bool sure;

    (void)state;
    assert_ptr_equal(hba_ask(hba, &ask, &sure), hba_rule(hba, 0));
    assert_true(sure);
    ask.tls = false;
    assert_ptr_equal(hba_ask(hba, &ask, &sure), hba_rule(hba, 3));
    ask.addr = address("10.1.1.1");
    assert_ptr_equal(hba_ask(hba, &ask, &sure), hba_rule(hba, 2));
    assert_false(sure);
    ask.local = true;
    assert_null(hba_ask(hba, &ask, &sure));
    assert_true(sure);
}

static const struct { const char *line; bool want; } plaintext[] = {
    { "host all all all md5", true }, { "host all all all reject", false },
    { "hostnossl all all all trust", true }, { "hostnogssenc all all all trust", true },
    { "hostssl all all all trust", false }, { "hostgssenc all all all trust", false },
    { "local all all trust", false },
};

static void only_some_rules_admit_plaintext(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(plaintext); i++) {
        PS_AUTO(hba_freep) struct hba *hba = memory_hba(plaintext[i].line, 15);

        assert_int_equal(hba_admits_plaintext(hba_rule(hba, 0)), plaintext[i].want);
    }
}

/* ---- regular expressions ---- */

static const struct { const char *pattern; enum hba_regex want; } patterns[] = {
    { "", HBA_REGEX_SHARED }, { "^a.*b$", HBA_REGEX_SHARED }, { "a|b", HBA_REGEX_SHARED },
    { "(a)(b)+", HBA_REGEX_SHARED }, { "[]a]", HBA_REGEX_SHARED }, { "[^]a-z]?", HBA_REGEX_SHARED },
    { "a\\.b\\@c", HBA_REGEX_SHARED }, { "a{2,3}", HBA_REGEX_SHARED }, { "a{2,}", HBA_REGEX_SHARED },
    { "(", HBA_REGEX_BROKEN }, { ")", HBA_REGEX_BROKEN }, { "[a", HBA_REGEX_BROKEN },
    { "*", HBA_REGEX_BROKEN }, { "a|*", HBA_REGEX_BROKEN }, { "^*", HBA_REGEX_BROKEN },
    { "a**", HBA_REGEX_BROKEN }, { "a\\", HBA_REGEX_BROKEN }, { "a{3,2}", HBA_REGEX_BROKEN },
    { "a{256}", HBA_REGEX_BROKEN }, { "a{1", HBA_REGEX_BROKEN },
    { "a*?", HBA_REGEX_OTHER }, { "(?:a)", HBA_REGEX_OTHER }, { "\\d", HBA_REGEX_OTHER },
    { "[[:alpha:]]", HBA_REGEX_OTHER }, { "[\\d]", HBA_REGEX_OTHER }, { "***:a", HBA_REGEX_OTHER },
    { "a{x", HBA_REGEX_OTHER }, { "\xc3\xb1", HBA_REGEX_OTHER },
};

static void expressions_are_shared_broken_or_postgresqls_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(patterns); i++)
        assert_int_equal(hba_regex_judge(patterns[i].pattern), patterns[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_match_by_protection),
        cmocka_unit_test(addresses_match_as_in_check_ip),
        cmocka_unit_test(names_match_as_in_check_db_and_check_role),
        cmocka_unit_test(one_field_alone_can_be_asked_for),
        cmocka_unit_test(the_first_certain_rule_answers),
        cmocka_unit_test(only_some_rules_admit_plaintext),
        cmocka_unit_test(expressions_are_shared_broken_or_postgresqls_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hba_rules.c - each rule about pg_hba.conf and pg_ident.conf speaks of its fault, and of no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "../pg/hba_memory.h"
#include "pg/ident.h"
#include "rules/rule.h"

/* ---- a posture from texts ---- */

struct site {
    struct posture posture;
    struct setting_fact ssl;
    struct interface_fact interface;
    struct hba *hba;
    struct ident *ident;
};

static void site_free(struct site *site)
{
    hba_free(site->hba);
    if (site->ident)
        ident_free(site->ident);
    arena_free(site->posture.arena);
}

static void site_make(struct site *site, unsigned major, const char *hba, const char *maps)
{
    const struct memory_file files[] = { { "/d/pg_hba.conf", hba }, { "/d/pg_ident.conf", maps },
                                         { NULL, NULL } };
    struct pg_source source = memory_source(files);
    struct ps_err err = { 0 };

    *site = (struct site){ .ssl = { .name = "ssl", .value = "on", .origin = "configuration file" } };
    assert_true(hba_load(&source, "/d/pg_hba.conf", major, &site->hba, &err));
    assert_true(ident_load(&source, "/d/pg_ident.conf", major, &site->ident, &err));
    site->posture = (struct posture){ .arena = arena_new(), .source = POSTURE_FILES, .major = major,
                                      .hba = site->hba, .ident = site->ident,
                                      .settings = &site->ssl, .settings_len = 1 };
}

/* "id@line id@line": of the rules of this file, in the order of the table. */
static void write_found(const struct posture *posture, struct buf *out)
{
    static const char *const mine[] = { "hba-", "ident-", "client-cert-never" };

    for (size_t i = 0; i < rules_count(); i++) {
        const struct rule *rule = rule_at(i);
        PS_AUTO(findings_free) struct findings findings = { .arena = posture->arena };
        bool is_mine = false;

        for (size_t m = 0; m < PS_COUNT(mine); m++)
            is_mine |= strncmp(rule->id, mine[m], strlen(mine[m])) == 0;
        if (!is_mine)
            continue;
        assert_non_null(rule->test);
        rule->test(rule, posture, &findings);
        for (size_t f = 0; f < findings.len; f++)
            buf_printf(out, "%s%s@%u/%s", out->len ? " " : "", rule->id,
                       findings.at[f].place.line, severity_word(findings.at[f].severity));
        for (size_t f = 0; f < findings.unexamined_len; f++)
            buf_printf(out, "%s%s?", out->len ? " " : "", rule->id);
    }
}

static const struct { unsigned major; const char *hba, *maps, *want; } scenarios[] = {
    /* what is right gives nothing */
    { 17, "local all postgres peer\nhostssl app app 10.0.0.0/8 scram-sha-256\n", "", "" },
    { 17, "local all all peer\nhostssl all all all cert\nhostssl replication rep 10.0.0.0/8 cert\n", "", "" },
    { 17, "hostnossl all all all reject\nhost app app 10.0.0.0/8 scram-sha-256\n", "", "" },
    { 17, "host app app 127.0.0.1/32 scram-sha-256\nhost app app ::1/128 scram-sha-256\n", "", "" },

    /* who gets in without TLS */
    { 17, "host app app 10.0.0.0/8 scram-sha-256\n", "", "hba-plaintext@1/high" },
    { 17, "hostnossl app app 10.0.0.0/8 scram-sha-256\n", "", "hba-plaintext@1/high" },
    { 17, "host app app 10.0.0.0/8 reject\n", "", "" },
    { 17, "host replication rep 10.0.0.0/8 scram-sha-256\n", "", "hba-replication-plaintext@1/high" },
    { 17, "hostssl replication rep 10.0.0.0/8 scram-sha-256\n", "", "" },
    { 17, "host app,replication rep 10.0.0.0/8 scram-sha-256\n", "",
      "hba-plaintext@1/high hba-replication-plaintext@1/high" },
    { 17, "hostssl all all all scram-sha-256\n", "", "hba-wide-open@1/low" },
    { 17, "hostssl all all ::/0 scram-sha-256\n", "", "hba-wide-open@1/low" },
    { 17, "hostssl all all 10.0.0.0/8 scram-sha-256\n", "", "" },

    /* methods */
    { 17, "hostssl app app 10.0.0.0/8 trust\n", "", "hba-trust@1/critical" },
    { 17, "host app app 127.0.0.1/32 trust\n", "", "hba-trust@1/medium" },
    { 17, "local all all trust\n", "", "hba-trust@1/low" },
    { 17, "hostssl app app 10.0.0.0/8 trust clientcert=verify-ca\n", "", "hba-trust@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 trust clientcert=verify-full\n", "", "" },
    { 17, "host app app 10.0.0.0/8 password\n", "", "hba-plaintext@1/high hba-password-plaintext@1/critical" },
    { 17, "hostssl app app 10.0.0.0/8 password\n", "", "" },
    { 17, "host app app ::1/128 password\n", "", "hba-password-plaintext@1/low" },
    { 17, "hostssl app app 10.0.0.0/8 md5\n", "", "hba-md5@1/medium" },
    { 17, "local app app md5\n", "", "hba-md5@1/low" },
    { 17, "hostssl app app 10.0.0.0/8 ident\n", "", "hba-ident@1/high" },
    { 17, "local app app ident\n", "", "" },            /* that is peer */
    { 17, "hostssl app app db.example.com scram-sha-256\n", "", "hba-host-by-dns@1/low" },
    { 17, "hostssl app app db.example.com trust\n", "", "hba-trust@1/critical hba-host-by-dns@1/high" },

    /* lines that cannot be reached */
    { 17, "hostssl app app 10.0.0.0/8 scram-sha-256\nhostssl app app 10.1.0.0/16 reject\n", "",
      "hba-shadowed@2/high" },
    { 17, "hostssl app app 10.0.0.0/8 scram-sha-256\nhostssl app app 10.1.0.0/16 scram-sha-256\n", "",
      "hba-shadowed@2/low" },
    { 17, "hostssl app app 10.0.0.0/9 scram-sha-256\nhostssl app app 10.128.0.0/9 scram-sha-256\n"
          "hostssl app app 10.0.0.0/8 reject\n", "", "hba-shadowed@3/high" },
    { 17, "hostssl app \"\" 10.0.0.0/8 scram-sha-256\n", "", "hba-shadowed@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 scram-sha-256\nhostssl app app 10.0.0.0/8 cert\n", "",
      "hba-shadowed@2/high client-cert-never-asked@2/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert\nhostssl app app 10.0.0.0/8 scram-sha-256\n", "",
      "hba-shadowed@2/high" },
    { 17, "hostssl app app 10.1.0.0/16 scram-sha-256\nhostssl app app 10.0.0.0/8 cert\n", "",
      "hba-weaker-first@2/medium" },
    { 17, "hostssl app app 10.0.0.0/8 scram-sha-256\nhostssl app all 10.0.0.0/8 cert\n", "",
      "hba-weaker-first@2/low" },
    { 17, "hostssl app app 0.0.0.0/0 scram-sha-256\nhost app app ::/0 scram-sha-256\n", "",
      "hba-plaintext@2/high hba-ipv6-open@2/high" },

    /* words */
    { 17, "hots all all all md5\n", "", "hba-syntax@1/critical" },
    { 15, "hostssl app app 10.0.0.0/8 scram-sha-256 clientcert=1\n", "",
      "hba-syntax@1/critical hba-clientcert-word@1/high" },
    { 15, "hostssl app app 10.0.0.0/8 scram-sha-256 clientcert=12\n", "", "hba-syntax@1/critical" },
    { 13, "hostssl app app 10.0.0.0/8 scram-sha-256 clientcert=1\n", "", "hba-clientcert-word@1/medium" },
    { 11, "hostssl app app 10.0.0.0/8 scram-sha-256 clientcert=verify-full\n", "",
      "hba-clientcert-word@1/high" },
    { 12, "hostssl app app 10.0.0.0/8 scram-sha-256 clientcert=verify-full\n", "", "" },
    { 16, "hostssl app \"/app\" 10.0.0.0/8 scram-sha-256\n", "", "hba-quoted-regex@1/medium" },
    { 16, "hostssl app /app 10.0.0.0/8 scram-sha-256\n", "", "" },
    { 15, "hostssl app /app 10.0.0.0/8 scram-sha-256\n", "", "hba-quoted-regex@1/low" },
    { 17, "hostssl ALL app 10.0.0.0/8 scram-sha-256\n", "", "hba-name-case@1/high" },
    { 17, "hostssl app All 10.0.0.0/8 scram-sha-256\n", "", "hba-name-case@1/high" },
    { 17, "hostssl app \"ALL\" 10.0.0.0/8 scram-sha-256\n", "", "" },
    { 17, "hostssl app app ALL scram-sha-256\n", "", "hba-name-case@1/high" },
    { 17, "hostssl app app samenet scram-sha-256\n", "", "hba-samenet-wide?" },

    /* the guide that so many copy: the line of the certificate is refused by 15, and dead anyway */
    { 13, "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 cert clientcert=1\n", "",
      "hba-shadowed@2/high client-cert-never-asked@2/high hba-clientcert-word@2/medium" },
    { 15, "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 cert clientcert=1\n", "",
      "hba-shadowed@2/high hba-syntax@2/critical client-cert-never-asked@2/high hba-clientcert-word@2/high" },

    /* maps */
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m \"CN=app\" app\n", "" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^(.*)@example\\.net$ \\1\n", "" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "", "ident-map-missing@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert\n", "m a b\nm c d\n", "ident-map-unused@1/info" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /.* postgres\n", "ident-map-wide@1/critical" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^.*$ app\n", "ident-map-wide@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^(.*)$ \\1\n", "" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m ana all\n", "ident-map-wide@1/critical" },
    { 15, "hostssl app app 10.0.0.0/8 cert map=m\n", "m ana all\n", "" },   /* a role of that name */
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /app app\n", "ident-map-unanchored@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^app app\n", "ident-map-unanchored@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^(app|web)$ app\n", "" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^app|web$ app\n", "ident-map-unanchored@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m /^app\\$ app\n", "ident-map-unanchored@1/high" },
    { 17, "hostssl app app 10.0.0.0/8 cert map=m\n", "m a,b app\nm ana app\n", "ident-syntax@1/high" },
};

static void each_fault_has_its_rule_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(scenarios); i++) {
        PS_AUTO(site_free) struct site site;
        PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX);

        site_make(&site, scenarios[i].major, scenarios[i].hba, scenarios[i].maps);
        write_found(&site.posture, &found);
        if (strcmp(buf_text(&found), scenarios[i].want) != 0)
            print_message("%u: %s", scenarios[i].major, scenarios[i].hba);
        assert_string_equal(buf_text(&found), scenarios[i].want);
    }
}

static void lines_for_tls_are_dead_without_it(void **state)
{
    PS_AUTO(site_free) struct site site;
    PS_AUTO(buf_free) struct buf found = BUF(BUF_TEXT_MAX), unknown = BUF(BUF_TEXT_MAX);

    (void)state;
    site_make(&site, 17, "local all all peer\nhostssl app app 10.0.0.0/8 cert\n", "");
    site.ssl.value = "off";
    write_found(&site.posture, &found);
    assert_string_equal(buf_text(&found), "hba-hostssl-dead@2/high");
    site.posture.settings_len = 0;
    write_found(&site.posture, &unknown);
    assert_string_equal(buf_text(&unknown), "hba-hostssl-dead?");
}

static void samenet_is_judged_by_the_interfaces(void **state)
{
    PS_AUTO(site_free) struct site site;
    PS_AUTO(buf_free) struct buf wide = BUF(BUF_TEXT_MAX), narrow = BUF(BUF_TEXT_MAX);

    (void)state;
    site_make(&site, 17, "hostssl app app samenet scram-sha-256\n", "");
    site.interface = (struct interface_fact){ "eth0", AF_INET, { 10, 1, 2, 3 }, { 255 } };
    site.posture.interfaces = &site.interface;
    site.posture.interfaces_len = 1;
    write_found(&site.posture, &wide);
    assert_string_equal(buf_text(&wide), "hba-samenet-wide@1/medium");
    memset(site.interface.mask, 255, 3);
    write_found(&site.posture, &narrow);
    assert_string_equal(buf_text(&narrow), "");
}

static void scram_secrets_make_md5_lines_harmless(void **state)
{
    static const char *const none[] = { NULL };
    struct role_fact roles[] = { { "app", false, false, true, "scram-sha-256", none },
                                 { "old", false, false, true, "scram-sha-256", none } };
    PS_AUTO(site_free) struct site site;
    PS_AUTO(buf_free) struct buf fine = BUF(BUF_TEXT_MAX), bad = BUF(BUF_TEXT_MAX);

    (void)state;
    site_make(&site, 17, "hostssl app app 10.0.0.0/8 md5\n", "");
    site.posture.roles = roles;
    site.posture.roles_len = PS_COUNT(roles);
    write_found(&site.posture, &fine);
    assert_string_equal(buf_text(&fine), "hba-md5@1/low");
    roles[1].secret = "md5";
    write_found(&site.posture, &bad);
    assert_string_equal(buf_text(&bad), "hba-md5@1/medium");
}

static void what_was_not_seen_is_said_by_every_rule(void **state)
{
    struct posture posture = { .arena = arena_new(), .major = 17, .hba_why = "may not read it",
                               .ident_why = "may not read it" };
    size_t said = 0;

    (void)state;
    for (size_t i = 0; i < rules_count(); i++) {
        PS_AUTO(findings_free) struct findings findings = { .arena = posture.arena };

        if (strncmp(rule_at(i)->id, "hba-", 4) != 0 && strncmp(rule_at(i)->id, "ident-", 6) != 0)
            continue;
        rule_at(i)->test(rule_at(i), &posture, &findings);
        assert_int_equal(findings.len, 0);
        assert_int_equal(findings.unexamined_len, 1);
        assert_string_equal(findings.unexamined[0].reason, "may not read it");
        said++;
    }
    assert_true(said > 15);
    arena_free(posture.arena);
}

static void a_finding_has_its_place_and_its_cure(void **state)
{
    PS_AUTO(site_free) struct site site;
    const struct rule *rule = rule_find("hba-plaintext");

    (void)state;
    site_make(&site, 17, "# first\n\n  host\tapp  app 10.0.0.0/8  scram-sha-256   # old\n", "");

    PS_AUTO(findings_free) struct findings findings = { .arena = site.posture.arena };
    rule->test(rule, &site.posture, &findings);
    assert_int_equal(findings.len, 1);
    assert_int_equal(findings.at[0].place.line, 3);
    assert_int_equal(findings.at[0].place.column, 3);
    assert_int_equal(findings.at[0].place.end_column, 7);
    assert_string_equal(findings.at[0].object, "host app app 10.0.0.0/8 scram-sha-256");
    assert_int_equal(findings.at[0].fix_kind, FIX_LINE);
    assert_string_equal(findings.at[0].fix, "hostssl\tapp  app 10.0.0.0/8  scram-sha-256   # old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_rule_and_nothing_else),
        cmocka_unit_test(lines_for_tls_are_dead_without_it),
        cmocka_unit_test(samenet_is_judged_by_the_interfaces),
        cmocka_unit_test(scram_secrets_make_md5_lines_harmless),
        cmocka_unit_test(what_was_not_seen_is_said_by_every_rule),
        cmocka_unit_test(a_finding_has_its_place_and_its_cure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

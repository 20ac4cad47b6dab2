/* The table of rules is whole: who adds a row without a reason or a source is told here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "rules/page.h"

static bool is_slug(const char *id)
{
    size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 2 && len <= 40 && !id[len] && id[0] != '-' && id[len - 1] != '-'
        && !strstr(id, "--");
}

static bool is_sentence(const char *text)
{
    size_t len = text ? strlen(text) : 0;

    return len > 15 && strchr(".$1", text[len - 1]);
}

static void ids_are_slugs_and_none_is_there_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < rules_count(); i++) {
        assert_true(is_slug(rule_at(i)->id));
        assert_ptr_equal(rule_find(rule_at(i)->id), rule_at(i));
    }
    assert_null(rule_find("no-such-rule"));
    assert_null(rule_find(""));
}

static void every_rule_says_what_why_how_and_who(void **state)
{
    (void)state;
    for (size_t i = 0; i < rules_count(); i++) {
        const struct rule *rule = rule_at(i);

        assert_in_range(rule->severity, SEV_INFO, SEV_CRITICAL);
        if (!rule->title || strlen(rule->title) < 5 || rule->title[strlen(rule->title) - 1] == '.'
            || !is_sentence(rule->why) || !is_sentence(rule->cure) || !rule->sources[0].where)
            fail_msg("rule %s is not whole", rule->id);
        for (size_t k = 0; k < RULE_SOURCES_MAX && rule->sources[k].where; k++)
            assert_true(*rule->sources[k].where && standard_name(rule->sources[k].standard));
    }
}

/* Slugs of the list that all verbs share; an id that was once given out must go on to mean the same. */
static void ids_that_were_given_out_are_still_there(void **state)
{
    static const char *const given[] = {
        "tls-off", "plaintext-accepted", "replication-plaintext", "password-plaintext", "trust-auth",
        "auth-md5", "scram-plus-missing", "stuffing-vulnerable", "direct-tls-no-alpn",
        "handshake-broken", "no-answer", "not-postgres", "version-disclosed", "tls-legacy-version",
        "no-tls13", "cipher-null-anon", "cipher-weak", "cipher-no-fs", "cipher-cbc", "dh-weak",
        "group-weak", "no-pq-group", "compression-or-renegotiation", "cert-expired",
        "cert-not-yet-valid", "cert-expiring", "cert-self-signed", "cert-untrusted",
        "chain-incomplete", "chain-ca-expired", "chain-outlived", "name-mismatch", "cert-no-san",
        "key-weak", "sig-weak", "eku-no-server-auth", "cert-lifetime-long", "key-shared",
        "cert-revoked", "served-cert-differs", "key-mismatch", "key-perms",
        "key-encrypted-no-command", "passphrase-no-reload", "file-missing", "ca-key-on-server",
        "client-ca-missing", "client-ca-wide", "crl-missing", "crl-expired", "crl-expiring",
        "crl-issuer-mismatch", "hba-plaintext", "hba-shadowed", "hba-weaker-first", "hba-trust",
        "hba-password-plaintext", "hba-md5", "hba-ident", "hba-replication-plaintext",
        "hba-hostssl-dead", "hba-syntax", "hba-wide-open", "ident-map-wide",
        "ident-map-unanchored", "ident-map-missing", "ident-map-unused",
        "password-encryption-md5", "upstream-sslmode-weak", "setting-overridden",
        "pending-reload", "live-plaintext", "live-old-version", "live-replication-plaintext",
        "live-superuser-plaintext", "exception-expired", "exception-unused",
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(given); i++)
        if (!rule_find(given[i]))
            fail_msg("rule %s is gone", given[i]);
}

static void a_rule_that_nothing_tests_is_not_examined(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture = { .arena = arena };
    char *only[] = { (char *)"plaintext-accepted", NULL };
    const struct rule_choice choice = { only, NULL };
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };

    (void)state;
    rules_run(&posture, RULE_SCAN, &choice, &findings);
    assert_int_equal(findings.len, 0);
    assert_int_equal(findings.unexamined_len, 1);
}

/* Nothing at all is known: a finding would be a guess, silence would be a lie. */
static void without_facts_every_rule_is_not_examined(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct server server = { .running = true };
    size_t wrong = 0;

    (void)state;
    for (enum posture_source source = POSTURE_DATA_DIR; source <= POSTURE_SQL; source++)
        for (size_t i = 0; i < rules_count(); i++) {
            struct posture posture = {
                .arena = arena, .source = source, .name = "x", .conf_why = "no", .hba_why = "no",
                .ident_why = "no", .roles_why = "no", .upstreams_why = "no", .strays_why = "no",
                .hosts_why = "no",
                .server = source == POSTURE_DATA_DIR ? &server : NULL,
            };
            char *only[] = { (char *)rule_at(i)->id, NULL };
            const struct rule_choice choice = { only, NULL };
            PS_AUTO(findings_free) struct findings findings = { .arena = arena };

            if (!(rule_at(i)->modes & RULE_CHECK))
                continue;
            rules_run(&posture, RULE_CHECK, &choice, &findings);
            if (findings.len == 0 && findings.unexamined_len > 0)
                continue;
            print_message("rule %s says %zu things of a server that nobody saw\n", rule_at(i)->id,
                          findings.len);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static void a_rule_that_is_skipped_is_said_to_be(void **state)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct posture posture = { .arena = arena };
    char *ids[] = { (char *)"tls-off", NULL }, *wrong[] = { (char *)"tls-of", NULL };
    const struct rule_choice choice = { ids, ids }, bad = { wrong, NULL };
    PS_AUTO(findings_free) struct findings findings = { .arena = arena };
    struct ps_err err = { 0 };

    (void)state;
    rules_run(&posture, RULE_CHECK, &choice, &findings);
    assert_int_equal(findings.unexamined_len, 1);
    assert_string_equal(findings.unexamined[0].id, "tls-off");
    assert_true(rule_choice_check(&choice, &err));
    assert_false(rule_choice_check(&bad, &err));
    assert_int_equal(err.code, PS_E_USAGE);
}

static void sources_are_named_as_people_cite_them(void **state)
{
    static const struct rule rule = { .sources = {
        { STD_RFC, "RFC 8996" }, { STD_CIS, "6.9" }, { STD_PG, "User Name Maps" } } };
    PS_AUTO(buf_free) struct buf text = BUF(1000);

    (void)state;
    rule_sources(&rule, &text);
    assert_string_equal(buf_text(&text), "RFC 8996; CIS PostgreSQL Benchmark 6.9; "
                                         "PostgreSQL manual, \"User Name Maps\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_slugs_and_none_is_there_twice),
        cmocka_unit_test(every_rule_says_what_why_how_and_who),
        cmocka_unit_test(ids_that_were_given_out_are_still_there),
        cmocka_unit_test(a_rule_that_nothing_tests_is_not_examined),
        cmocka_unit_test(without_facts_every_rule_is_not_examined),
        cmocka_unit_test(a_rule_that_is_skipped_is_said_to_be),
        cmocka_unit_test(sources_are_named_as_people_cite_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

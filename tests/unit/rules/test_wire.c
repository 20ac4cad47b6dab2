/* What packets showed, as findings: each thing is said once of each server, in words that fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/rule.h"
#include "tls/names.h"

static const struct {
    const char *name;
    struct traffic_fact facts[3];
    struct { const char *id; enum severity severity; const char *message, *evidence; } found[4];
} rows[] = {
    { "two verdicts, one finding",
      { { .server = "db:5432", .verdict = "plaintext", .who = "a@x from 10.0.0.0/24", .connections = 1, .passwords = 1,
          .loopback = true },
        { .server = "db:5432", .verdict = "downgraded", .who = "b@x from 10.9.0.0/24", .connections = 1, .passwords = 1 } },
      { { "wire-password", SEV_CRITICAL, "passwords were sent to this server in plaintext",
          "a@x from 10.0.0.0/24, b@x from 10.9.0.0/24" },
        { "wire-downgraded", SEV_HIGH, "clients of this server asked for TLS and went on in plaintext",
          "b@x from 10.9.0.0/24" },
        { "wire-plaintext", SEV_LOW, "connections to this server were in plaintext", "a@x from 10.0.0.0/24" } } },
    { "the same of two servers",
      { { .server = "db:5432", .verdict = "unknown", .who = "10.0.0.0/24", .connections = 1 },
        { .server = "db:5433", .verdict = "unknown", .who = "10.0.0.0/24", .connections = 1 } },
      { { "wire-unknown", SEV_INFO, "it is not known how connections to this server are protected", "10.0.0.0/24" },
        { "wire-unknown", SEV_INFO, "it is not known how connections to this server are protected", "10.0.0.0/24" } } },
    { "plaintext of three kinds",
      { { .server = "db:5432", .verdict = "plaintext", .who = "x", .connections = 1 },
        { .server = "db:5432", .verdict = "plaintext", .reason = "behind-handshake", .who = "x", .connections = 1,
          .suite = "TLS_AES_256_GCM_SHA384", .cipher = 0x1302 },
        { .server = "db:5432", .verdict = "plaintext", .reason = "null-suite", .who = "x", .connections = 1,
          .suite = "TLS_SHA256_SHA256", .cipher = 0xC0B4 } },
      { { "wire-plaintext", SEV_HIGH, "connections to this server were in plaintext", "x" },
        { "wire-plaintext", SEV_HIGH, "connections to this server went on in plaintext behind a finished handshake", "x" },
        { "wire-plaintext", SEV_HIGH, "connections to this server used TLS that encrypts nothing", "x" },
        { "wire-weak-suite", SEV_HIGH, "connections to this server use a cipher suite that protects little",
          "TLS_SHA256_SHA256" } } },
    { "suites that protect little",
      { { .server = "db:5432", .verdict = "tls", .who = "x", .connections = 1, .suite = "TLS_DH_anon_WITH_AES_128_CBC_SHA",
          .cipher = 0x0034 },
        { .server = "db:5432", .verdict = "tls", .who = "x", .connections = 1,
          .suite = "TLS_RSA_EXPORT_WITH_RC4_40_MD5", .cipher = 0x0003 },
        { .server = "db:5432", .verdict = "tls", .who = "x", .connections = 1, .suite = "TLS_AES_128_GCM_SHA256",
          .cipher = 0x1301 } },
      { { "wire-weak-suite", SEV_HIGH, "connections to this server use a cipher suite that protects little",
          "TLS_DH_anon_WITH_AES_128_CBC_SHA, TLS_RSA_EXPORT_WITH_RC4_40_MD5" } } },
};

static bool is_among(const struct findings *findings, size_t row, size_t at)
{
    for (size_t i = 0; i < findings->len; i++)
        if (strcmp(findings->at[i].id, rows[row].found[at].id) == 0
            && findings->at[i].severity == rows[row].found[at].severity
            && strcmp(findings->at[i].message, rows[row].found[at].message) == 0
            && strcmp(findings->at[i].evidence, rows[row].found[at].evidence) == 0)
            return true;
    return false;
}

static void each_thing_is_said_once_of_each_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        PS_AUTO(findings_free) struct findings findings = { .arena = arena };
        struct posture posture = { .arena = arena, .source = POSTURE_PACKETS, .name = "", .traffic = rows[i].facts };
        size_t found = 0;

        while (posture.traffic_len < PS_COUNT(rows[i].facts) && rows[i].facts[posture.traffic_len].server)
            posture.traffic_len++;
        rules_run(&posture, RULE_CAPTURE, NULL, &findings);
        for (; found < PS_COUNT(rows[i].found) && rows[i].found[found].id; found++)
            if (!is_among(&findings, i, found))
                fail_msg("%s: %s is not found", rows[i].name, rows[i].found[found].message);
        if (findings.len != found)
            fail_msg("%s: %zu findings", rows[i].name, findings.len);
    }
}

/* The names of the rows above are those of the numbers. */
static void suites_have_their_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        for (size_t j = 0; j < PS_COUNT(rows[i].facts); j++)
            if (rows[i].facts[j].suite)
                assert_string_equal(tls_suite_find(rows[i].facts[j].cipher)->name, rows[i].facts[j].suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_is_said_once_of_each_server),
        cmocka_unit_test(suites_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

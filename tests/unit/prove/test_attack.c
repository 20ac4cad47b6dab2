/* The attacker against the real libpq, in every sslmode: who withstands what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/dial.h"
#include "pg/libpq.h"
#include "pg/wire.h"
#include "prove/attack.h"
#include "prove/attempt.h"

enum { HOUR = 3600, PATIENCE_MS = 60000 };
#define RIGHT "db.example.net"
#define PASSWORD "not-a-true-password"

static char *dir, *root, *nothing;
static struct tls_ctx *contexts[ATTACK_COUNT];

static bool make_leaf(const char *host, const struct cert *issuer, const struct key *issuer_key,
                      struct tls_ctx **out)
{
    const char *const hosts[] = { host, NULL };
    struct cert_spec spec = { .subject.cn = host, .hosts = hosts, .path_len = -1,
                              .uses = CERT_USE_SERVER, .not_before = clock_now() - HOUR,
                              .not_after = clock_now() + HOUR };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct ps_err err;

    if (!key_generate(KEY_EC_P256, &key, &err)
        || !cert_make(&spec, key, issuer, issuer ? issuer_key : key, &cert, &err))
        return false;
    cert_list_add(&chain, cert);
    struct tls_server_spec server = { .chain = &chain, .key = key };
    return tls_ctx_server(&server, out, &err);
}

static int make_world(void **state)
{
    struct cert_spec spec = { .subject.cn = "the right CA", .is_ca = true, .path_len = -1,
                              .not_before = clock_now() - HOUR, .not_after = clock_now() + HOUR };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *ca = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    struct ps_err err;

    (void)state;
    if (!dir_temp(&dir, &err) || !key_generate(KEY_EC_P256, &key, &err)
        || !cert_make(&spec, key, NULL, key, &ca, &err) || !cert_to_pem(ca, &pem, &err))
        return -1;
    root = path_join(dir, "root.crt");
    nothing = path_join(dir, "nothing");
    return file_write(root, pem.p, pem.len, 0644, &err)
           && make_leaf(RIGHT, NULL, NULL, &contexts[ATTACK_SELF_SIGNED])
           && make_leaf("wrong.invalid", ca, key, &contexts[ATTACK_WRONG_NAME]) ? 0 : -1;
}

static int end_world(void **state)
{
    (void)state;
    dir_remove_all(dir);
    for (size_t i = 0; i < ATTACK_COUNT; i++)
        tls_ctx_freep(&contexts[i]);
    free(dir);
    free(root);
    free(nothing);
    return 0;
}

static void visit(enum attack attack, const char *sslmode, bool with_root,
                  struct attack_seen *seen, struct attempt_result *result)
{
    struct attempt client = { .timeout_ms = PATIENCE_MS };
    struct attacker *attacker;
    struct ps_err err;
    char port[8];
    int number;

    assert_true(attacker_start(contexts[attack], PATIENCE_MS, &attacker, &number, &err));
    snprintf(port, sizeof(port), "%d", number);
    attempt_set(&client, "host", RIGHT);
    attempt_set(&client, "hostaddr", "127.0.0.1");
    attempt_set(&client, "port", port);
    attempt_set(&client, "user", "app");
    attempt_set(&client, "dbname", "shop");
    attempt_set(&client, "password", PASSWORD);
    attempt_set(&client, "passfile", nothing);
    attempt_set(&client, "sslmode", sslmode);
    attempt_set(&client, "sslrootcert", with_root ? root : nothing);
    attempt_set(&client, "sslcrl", nothing);
    attempt_set(&client, "sslcert", nothing);
    attempt_set(&client, "sslkey", nothing);
    attempt_set(&client, "gssencmode", "disable");
    attempt_run(&client, result);
    attacker_stop(attacker, seen);
}

/* What the manual promises of each mode: strip, self-signed, wrong name. */
static const struct { const char *sslmode; bool root; bool withstands[ATTACK_COUNT]; } table[] = {
    { "disable",     false, { false, false, false } },
    { "allow",       false, { false, false, false } },
    { "prefer",      false, { false, false, false } },
    { "prefer",      true,  { false, false, false } },     /* falls back to plaintext */
    { "require",     false, { true,  false, false } },
    { "require",     true,  { true,  true,  false } },     /* a root file makes it verify-ca */
    { "verify-ca",   true,  { true,  true,  false } },
    { "verify-full", true,  { true,  true,  true  } },
};

static void each_mode_withstands_what_the_manual_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(table); i++)
        for (enum attack attack = ATTACK_STRIP; attack < ATTACK_COUNT; attack++) {
            PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
            struct attack_seen seen;

            visit(attack, table[i].sslmode, table[i].root, &seen, &result);
            assert_int_equal(!seen.startup, table[i].withstands[attack]);
            assert_int_equal(attack_withstood(attack, table[i].sslmode, table[i].root),
                             table[i].withstands[attack]);
            assert_int_equal(result.end, WAY_REFUSED);
            assert_true(result.words.len > 0);
        }
}

static void who_falls_gives_role_database_and_password_away(void **state)
{
    static const struct { const char *sslmode; enum attack attack; bool root, tls; } cases[] = {
        { "disable", ATTACK_STRIP, true, false },
        { "prefer", ATTACK_STRIP, true, false },
        { "require", ATTACK_SELF_SIGNED, false, true },
        { "verify-ca", ATTACK_WRONG_NAME, true, true },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
        struct attack_seen seen;

        visit(cases[i].attack, cases[i].sslmode, cases[i].root, &seen, &result);
        assert_true(seen.startup);
        assert_int_equal(seen.tls, cases[i].tls);
        assert_string_equal(seen.user, "app");
        assert_string_equal(seen.database, "shop");
        assert_string_equal(seen.password, PASSWORD);
    }
}

static void libpq_says_why_it_left(void **state)
{
    static const struct { const char *sslmode; enum attack attack; const char *words; } cases[] = {
        { "require", ATTACK_STRIP, "server does not support SSL, but SSL was required" },
        { "verify-ca", ATTACK_SELF_SIGNED, "certificate verify failed" },
        { "verify-full", ATTACK_WRONG_NAME, "does not match host name \"" RIGHT "\"" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
        struct attack_seen seen;

        visit(cases[i].attack, cases[i].sslmode, true, &seen, &result);
        assert_non_null(strstr(result.words.p, cases[i].words));
    }
}

/* A client that is no libpq: silence, nonsense, requests without end.  The attacker survives. */
static void strange_clients_do_not_hold_the_attacker(void **state)
{
    PS_AUTO(buf_free) struct buf requests = BUF(4096);
    const struct { const char *p; size_t len; } said[] = {
        { "", 0 }, { "GET / HTTP/1.1\r\n\r\n", 18 }, { "\0\0\0\x04", 4 }, { "\xff\xff\xff\xff", 4 },
    };
    struct attack_seen seen;
    struct attacker *attacker;
    struct ps_err err;
    int port;
    int64_t begin = clock_mono_ms();

    (void)state;
    for (int i = 0; i < 20; i++)
        wire_put_ssl_request(&requests);
    assert_true(attacker_start(NULL, 200, &attacker, &port, &err));
    for (size_t i = 0; i <= PS_COUNT(said); i++) {
        PS_AUTO(io_freep) struct io *io = NULL;
        char answer[64];
        size_t got = 1, answers = 0;
        bool last = i == PS_COUNT(said);

        assert_true(dial("127.0.0.1", port, begin + PATIENCE_MS, &io, &err));
        assert_true(io_write(io, last ? requests.p : said[i].p, last ? requests.len : said[i].len,
                             begin + PATIENCE_MS, &err));
        while (io_read(io, answer, sizeof(answer), &got, begin + PATIENCE_MS, &err) && got > 0)
            answers += got;
        assert_in_range(answers, 0, 3);
    }
    attacker_stop(attacker, &seen);
    assert_false(seen.startup);
    assert_in_range(clock_mono_ms() - begin, 0, PATIENCE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_withstands_what_the_manual_says),
        cmocka_unit_test(who_falls_gives_role_database_and_password_away),
        cmocka_unit_test(libpq_says_why_it_left),
        cmocka_unit_test(strange_clients_do_not_hold_the_attacker),
    };
    struct ps_err err = { 0 };

    if (!pq_load(&err))
        return 1;
    return cmocka_run_group_tests(tests, make_world, end_world);
}

/* The promises of tls/pkcs12.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "tls/pkcs12.h"
#include "tls/pkcs7.h"

static void make_pair(struct cert_list *chain, struct key **key)
{
    const struct cert_spec spec = { .subject = { .cn = "app" }, .not_after = 2000000000 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct ps_err err = { 0 };

    assert_true(key_generate(KEY_EC_P256, key, &err));
    assert_true(cert_make(&spec, *key, NULL, *key, &cert, &err));
    cert_list_add(chain, cert);
}

static void what_is_made_is_read_with_its_passphrase_only(void **state)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list again = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *key_again = NULL;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(secret_free) struct secret wrong = { 0 };
    PS_AUTO(secret_free) struct secret p12 = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    make_pair(&chain, &key);
    secret_set(&pass, "s3cret", 6);
    secret_set(&wrong, "secret", 6);
    assert_true(pkcs12_make(&chain, key, "app", &pass, &p12, &err));
    assert_true(pkcs12_is(p12.p, p12.len));
    assert_false(pkcs7_is(p12.p, p12.len));
    assert_false(pkcs12_read(p12.p, p12.len, "x", &wrong, &again, &key_again, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);
    assert_false(pkcs12_read(p12.p, p12.len, "x", NULL, &again, &key_again, &err));
    assert_int_equal(err.code, PS_E_PASSPHRASE);
    assert_int_equal(again.len, 0);
    assert_true(pkcs12_read(p12.p, p12.len, "x", &pass, &again, &key_again, &err));
    assert_true(cert_same(again.at[0], chain.at[0]));
    assert_true(cert_matches_key(again.at[0], key_again));
}

static void what_is_none_is_refused(void **state)
{
    static const char *const texts[] = { "", "hello", "0\x82", "-----BEGIN PKCS7-----\n" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
        PS_AUTO(key_freep) struct key *key = NULL;
        struct ps_err err = { 0 };

        assert_false(pkcs12_is(texts[i], strlen(texts[i])));
        assert_false(pkcs12_read(texts[i], strlen(texts[i]), "x", NULL, &chain, &key, &err));
        assert_int_equal(err.code, PS_E_SYNTAX);
        assert_false(pkcs7_certs(texts[i], strlen(texts[i]), "x", &chain, &err));
        assert_int_equal(err.code, PS_E_SYNTAX);
    }
}

/* Its key wants 2^31 rounds: at a million a second, half an hour before anything could be said. */
static void what_would_keep_us_busy_is_refused_at_once(void **state)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(secret_free) struct secret pass = { 0 };
    PS_AUTO(buf_free) struct buf p12 = BUF(0);
    struct ps_err err = { 0 };

    (void)state;
    secret_set(&pass, "fuzz", 4);
    assert_true(file_read(TEST_DATA "/pkcs12/rounds.p12", PKCS12_MAX, &p12, &err));
    assert_false(pkcs12_read(p12.p, p12.len, "x", &pass, &chain, &key, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_int_equal(chain.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_read_with_its_passphrase_only),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(what_would_keep_us_busy_is_refused_at_once),
    };

    tls_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

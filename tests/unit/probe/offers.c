/* Each question of a survey as the server will read it: suites, groups, names, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/offers.h"
#include "tls/hello.h"
#include "tls/offer.h"

/* The hello in its one record; it points into `record`. */
static struct tls_client_hello hello_of(enum question question, const struct offer_known *known,
                                        struct buf *record)
{
    struct tls_client_hello hello;
    enum { RECORD_AND_MESSAGE = 5 + 4 };

    assert_true(offers_put(question, known, record));
    assert_true(tls_client_hello_parse((struct span){ (const uint8_t *)record->p + RECORD_AND_MESSAGE,
                                                      record->len - RECORD_AND_MESSAGE }, &hello));
    return hello;
}

static void every_question_is_a_hello_with_the_name_of_the_host(void **state)
{
    const struct offer_known known = { .host = "db1.example.net" };

    (void)state;
    for (enum question question = 0; question < QUESTIONS; question++) {
        PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
        struct tls_client_hello hello = hello_of(question, &known, &record);

        assert_true(tls_codes_len(hello.ciphers) > 0);
        for (size_t i = 0; i < tls_codes_len(hello.ciphers); i++)
            assert_false(suite_traits_of(tls_code_at(hello.ciphers, i)) & (TRAIT_PSK | TRAIT_MARK));
        if (question == ASK_SSL3) {
            assert_int_equal(hello.extensions.len, 0);
            continue;
        }
        assert_int_equal(hello.server_name.len, strlen(known.host));
        assert_memory_equal(hello.server_name.p, known.host, hello.server_name.len);
    }
}

static void what_is_known_is_left_out(void **state)
{
    static const struct seen_suite suites[] = { { TLS_1_2, 0xc02f }, { TLS_1_1, 0xc013 } };
    static const uint16_t groups[] = { GROUP_X25519, GROUP_X25519_MLKEM768 };
    const struct offer_known known = { .suites = suites, .suites_len = 2, .groups = groups,
                                       .groups_len = 2 };
    PS_AUTO(buf_free) struct buf one = BUF(OFFER_MAX), two = BUF(OFFER_MAX);
    struct tls_client_hello hello = hello_of(ASK_TLS12, &known, &one);

    (void)state;
    assert_false(tls_codes_have(hello.ciphers, 0xc02f));
    assert_true(tls_codes_have(hello.ciphers, 0xc013));     /* known of another version */
    hello = hello_of(ASK_GROUPS13, &known, &two);
    assert_false(tls_codes_have(hello.groups, GROUP_X25519)
                 || tls_codes_have(hello.groups, GROUP_X25519_MLKEM768));
    assert_true(tls_codes_have(hello.groups, GROUP_P384_MLKEM1024));
    assert_int_equal(hello.key_shares.len, 0);              /* so that the answer names a group */
}

static void with_nothing_left_there_is_no_hello(void **state)
{
    static const uint16_t hybrids[] = { GROUP_X25519_MLKEM768, GROUP_P256_MLKEM768,
                                        GROUP_P384_MLKEM1024 };
    const struct offer_known known = { .groups = hybrids, .groups_len = PS_COUNT(hybrids) };
    PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);

    (void)state;
    assert_false(offers_put(ASK_HYBRID, &known, &record));
    assert_int_equal(record.len, 0);
}

/* RFC 8422 5.1: without the curve of its key in the list a server cannot use an EC key before TLS 1.3. */
static void the_curve_of_the_key_stands_last_before_tls13_and_is_never_left_out(void **state)
{
    static const uint16_t groups[] = { GROUP_P384 };
    const struct offer_known known = { .key_group = GROUP_P384, .groups = groups, .groups_len = 1 };
    static const enum question before[] = { ASK_TLS12, ASK_OLD, ASK_WEAK_GROUPS, ASK_GROUPS12 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(before); i++) {
        PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
        struct tls_client_hello hello = hello_of(before[i], &known, &record);
        size_t len = tls_codes_len(hello.groups);

        assert_int_equal(tls_code_at(hello.groups, len - 1), GROUP_P384);
        for (size_t j = 0; j + 1 < len; j++)
            assert_int_not_equal(tls_code_at(hello.groups, j), GROUP_P384);
    }
    PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
    struct tls_client_hello hello = hello_of(ASK_GROUPS13, &known, &record);
    assert_false(tls_codes_have(hello.groups, GROUP_P384));
}

static void the_reverse_is_the_same_list_from_its_end(void **state)
{
    static const enum question pairs[][2] = { { ASK_TLS12, ASK_REVERSED }, { ASK_TLS13, ASK_REVERSED13 } };
    const struct offer_known known = { 0 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(pairs); i++) {
        PS_AUTO(buf_free) struct buf one = BUF(OFFER_MAX), two = BUF(OFFER_MAX);
        struct span there = hello_of(pairs[i][0], &known, &one).ciphers;
        struct span back = hello_of(pairs[i][1], &known, &two).ciphers;
        size_t len = tls_codes_len(there);

        assert_int_equal(tls_codes_len(back), len);
        for (size_t j = 0; j < len; j++)
            assert_int_equal(tls_code_at(there, j), tls_code_at(back, len - 1 - j));
    }
}

static void groups_are_known_by_their_names_and_keys(void **state)
{
    static const struct { const char *name; uint16_t group; } names[] = {
        { "x25519", GROUP_X25519 }, { "X25519", GROUP_X25519 }, { "secp256r1", GROUP_P256 },
        { "X25519MLKEM768", GROUP_X25519_MLKEM768 }, { "ffdhe2048", GROUP_FFDHE2048 }, { "P-256", 0 }, { "", 0 },
    }, keys[] = {
        { "EC P-256", GROUP_P256 }, { "EC P-384", GROUP_P384 }, { "EC secp256k1", 22 }, { "RSA 2048", 0 },
        { "ED25519", 0 }, { "?", 0 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(names); i++)
        assert_int_equal(offers_group(names[i].name), names[i].group);
    for (size_t i = 0; i < PS_COUNT(keys); i++)
        assert_int_equal(offers_key_group(keys[i].name), keys[i].group);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_is_a_hello_with_the_name_of_the_host),
        cmocka_unit_test(what_is_known_is_left_out),
        cmocka_unit_test(with_nothing_left_there_is_no_hello),
        cmocka_unit_test(the_curve_of_the_key_stands_last_before_tls13_and_is_never_left_out),
        cmocka_unit_test(the_reverse_is_the_same_list_from_its_end),
        cmocka_unit_test(groups_are_known_by_their_names_and_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

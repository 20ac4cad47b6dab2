/* A hello of our own making, read back by the reader of hellos; and what suites are worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tls/hello.h"
#include "tls/offer.h"
#include "tls/strength.h"

static const uint16_t suites[] = { 0x1301, 0xc02f, 0x000a }, groups[] = { GROUP_X25519, GROUP_P256 },
                      versions[] = { TLS_1_3, TLS_1_2 }, schemes[] = { 0x0403, 0x0804 };

#define LIST(array) { array, PS_COUNT(array) }

/* The body of the one handshake message in the one record. */
static struct span body_of(const struct buf *record)
{
    struct rd rd = rd_over(record->p, record->len);
    struct span message = { 0 }, body = { 0 };
    uint8_t type = 0;
    uint16_t version = 0;

    assert_true(rd_u8(&rd, &type) && rd_u16(&rd, &version) && rd_vec16(&rd, 1, 16384, &message));
    assert_int_equal(type, 22);
    assert_int_equal(rd_left(&rd), 0);
    rd = rd_over(message.p, message.len);
    assert_true(rd_u8(&rd, &type) && rd_vec24(&rd, 1, 16384, &body));
    assert_int_equal(type, TLS_HS_CLIENT_HELLO);
    assert_int_equal(rd_left(&rd), 0);
    return body;
}

static void everything_offered_is_read_back(void **state)
{
    PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
    const struct offer offer = {
        .version = TLS_1_2, .versions = LIST(versions), .suites = LIST(suites),
        .groups = LIST(groups), .shares = LIST(groups), .signatures = LIST(schemes),
        .host = "db1.example.net", .alpn = true, .compression = true,
        .extended_master_secret = true, .encrypt_then_mac = true, .ticket = true,
    };
    struct tls_client_hello hello;

    (void)state;
    assert_true(offer_put(&offer, &record));
    assert_true(tls_client_hello_parse(body_of(&record), &hello));
    assert_int_equal(hello.legacy_version, TLS_1_2);
    assert_int_equal(tls_client_hello_version(&hello), TLS_1_3);
    assert_int_equal(tls_codes_len(hello.ciphers), PS_COUNT(suites));
    assert_int_equal(tls_code_at(hello.ciphers, 2), 0x000a);
    assert_true(tls_codes_have(hello.groups, GROUP_P256));
    assert_true(tls_codes_have(hello.schemes, 0x0804));
    assert_int_equal(hello.session_id.len, 32);
    assert_int_equal(hello.compressions.len, 2);
    assert_true(tls_alpn_has(hello.alpn, "postgresql"));
    assert_memory_equal(hello.server_name.p, "db1.example.net", hello.server_name.len);
    assert_int_equal(hello.key_shares.len, 2 + 2 + 32 + 2 + 2 + 65);
}

static void a_bare_offer_has_no_extensions(void **state)
{
    PS_AUTO(buf_free) struct buf record = BUF(OFFER_MAX);
    const struct offer offer = { .version = TLS_SSL3, .suites = LIST(suites), .bare = true };
    struct tls_client_hello hello;

    (void)state;
    assert_true(offer_put(&offer, &record));
    assert_memory_equal(record.p, "\x16\x03\x00", 3);
    assert_true(tls_client_hello_parse(body_of(&record), &hello));
    assert_int_equal(hello.legacy_version, TLS_SSL3);
    assert_int_equal(hello.extensions.len, 0);
    assert_int_equal(hello.session_id.len, 0);
}

static void no_two_offers_are_alike(void **state)
{
    PS_AUTO(buf_free) struct buf one = BUF(OFFER_MAX), two = BUF(OFFER_MAX);
    const struct offer offer = { .version = TLS_1_2, .suites = LIST(suites) };

    (void)state;
    assert_true(offer_put(&offer, &one) && offer_put(&offer, &two));
    assert_int_equal(one.len, two.len);
    assert_memory_not_equal(one.p, two.p, one.len);
}

static void a_suite_is_worth_what_its_name_says(void **state)
{
    static const struct { uint16_t code; unsigned traits; } rows[] = {
        { 0x1301, TRAIT_TLS13 },
        { 0xc0b4, TRAIT_TLS13 | TRAIT_NULL },
        { 0xc02f, TRAIT_ECDHE },
        { 0xcca8, TRAIT_ECDHE },
        { 0x009e, TRAIT_DHE },
        { 0xc013, TRAIT_ECDHE | TRAIT_NO_AEAD },
        { 0x009c, TRAIT_NO_FS },
        { 0x000a, TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_SMALL_BLOCK },
        { 0x0004, TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_RC4 | TRAIT_MD5 },
        { 0x0002, TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_NULL },
        { 0xc018, TRAIT_ECDHE | TRAIT_NO_AEAD | TRAIT_ANON },
        { 0x0034, TRAIT_DHE | TRAIT_NO_AEAD | TRAIT_ANON },
        { 0x0008, TRAIT_NO_FS | TRAIT_NO_AEAD | TRAIT_EXPORT | TRAIT_SMALL_BLOCK },
        { 0x00ff, TRAIT_MARK },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        assert_int_equal(suite_traits_of(rows[i].code), rows[i].traits);
    assert_true(suite_traits_of(0x008c) & TRAIT_PSK);
    assert_int_equal(suite_traits_of(0xfafa), 0);
}

static void weak_groups_and_hybrids_are_told_apart(void **state)
{
    (void)state;
    assert_true(tls_group_is_weak(19) && tls_group_is_weak(21) && tls_group_is_weak(1));
    assert_false(tls_group_is_weak(GROUP_P256) || tls_group_is_weak(GROUP_X25519) || tls_group_is_weak(22));
    assert_true(tls_group_is_hybrid(GROUP_X25519_MLKEM768));
    assert_false(tls_group_is_hybrid(GROUP_X25519));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_offered_is_read_back),
        cmocka_unit_test(a_bare_offer_has_no_extensions),
        cmocka_unit_test(no_two_offers_are_alike),
        cmocka_unit_test(a_suite_is_worth_what_its_name_says),
        cmocka_unit_test(weak_groups_and_hybrids_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promises of tls/cert.h, tls/name.h and tls/digest.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "tls/cert.h"
#include "tls/digest.h"
#include "tls/name.h"

enum { DAY = 24 * 60 * 60 };
static const time_t T0 = 1760000000;        /* 2025-10-09T08:53:20Z */

static struct key *key;                     /* one for all: making keys is not what is tested */

static int make_key(void **state)
{
    struct ps_err err = { 0 };

    (void)state;
    tls_start();
    return key_generate(KEY_EC_P256, &key, &err) ? 0 : -1;
}

static int drop_key(void **state)
{
    (void)state;
    key_freep(&key);
    return 0;
}

static struct cert *make(const struct cert_spec *spec, const struct cert *issuer)
{
    struct cert *cert = NULL;
    struct ps_err err = { 0 };

    if (!cert_make(spec, key, issuer, key, &cert, &err))
        fail_msg("%s %s", err.message, err.detail);
    return cert;
}

static struct cert *server_for(const char *cn, const char *const *hosts)
{
    struct cert_spec spec = { .subject.cn = cn, .hosts = hosts, .uses = CERT_USE_SERVER,
                              .not_before = T0, .not_after = T0 + DAY };
    return make(&spec, NULL);
}

static void a_root_says_what_it_was_made_with(void **state)
{
    struct cert_spec spec = { .subject = { "ES", "Málaga", "Ronda", "Café, S.A.", "TI", "Root" },
                              .is_ca = true, .path_len = -1, .not_before = T0,
                              .not_after = T0 + 3650L * DAY };
    PS_AUTO(cert_freep) struct cert *root = make(&spec, NULL);
    const struct cert_info *info = cert_info(root);

    (void)state;
    assert_string_equal(info->subject, "CN=Root,OU=TI,O=Café\\, S.A.,L=Ronda,ST=Málaga,C=ES");
    assert_string_equal(info->issuer, info->subject);
    assert_string_equal(info->common_name, "Root");
    assert_true(info->is_ca && info->self_issued);
    assert_int_equal(info->uses, CERT_USE_ANY);
    assert_int_equal(info->not_before, T0);
    assert_int_equal(info->not_after, T0 + 3650L * DAY);
    assert_string_equal(info->key_text, "EC P-256");
    assert_int_equal(info->key_bits, 256);
    assert_string_equal(info->signature_text, "ecdsa-with-SHA256");
    assert_true(cert_matches_key(root, key));
    assert_true(cert_issued_by(root, root));
}

static void serials_are_positive_random_and_sixteen_bytes(void **state)
{
    struct cert_spec spec = { .subject.cn = "x", .not_before = T0, .not_after = T0 + DAY };
    char before[CERT_SERIAL_HEX] = "";

    (void)state;
    for (int i = 0; i < 50; i++) {
        PS_AUTO(cert_freep) struct cert *cert = make(&spec, NULL);
        const char *serial = cert_info(cert)->serial_hex;

        assert_int_equal(strlen(serial), 32);
        assert_true(serial[0] >= '4' && serial[0] <= '7');
        assert_string_not_equal(serial, before);
        snprintf(before, sizeof(before), "%s", serial);
    }
}

static void a_leaf_never_outlives_its_issuer(void **state)
{
    struct cert_spec ca = { .subject.cn = "CA", .is_ca = true, .not_before = T0,
                            .not_after = T0 + 10 * DAY };
    struct cert_spec leaf = { .subject.cn = "leaf", .not_before = T0, .not_after = T0 + 90 * DAY,
                              .uses = CERT_USE_CLIENT };
    PS_AUTO(cert_freep) struct cert *issuer = make(&ca, NULL);
    PS_AUTO(cert_freep) struct cert *cert = make(&leaf, issuer);

    (void)state;
    assert_int_equal(cert_info(cert)->not_after, T0 + 10 * DAY);
    assert_int_equal(cert_info(cert)->uses, CERT_USE_CLIENT);
    assert_string_equal(cert_info(cert)->issuer, "CN=CA");
    assert_false(cert_info(cert)->is_ca);
    assert_true(cert_issued_by(cert, issuer));
    assert_false(cert_issued_by(issuer, cert));
}

static void dates_beyond_2049_keep_their_meaning(void **state)
{
    static const time_t ends[] = { 2524607999, 2524608000, 4102444800 };    /* 2049, 2050, 2100 */

    (void)state;
    for (size_t i = 0; i < PS_COUNT(ends); i++) {
        struct cert_spec spec = { .subject.cn = "x", .not_before = T0, .not_after = ends[i] };
        PS_AUTO(cert_freep) struct cert *cert = make(&spec, NULL);

        assert_int_equal(cert_info(cert)->not_after, ends[i]);
    }
}

static void hosts_become_names_and_addresses(void **state)
{
    static const char *const hosts[] = { "db1.example.net", "127.0.0.1", "2001:DB8:0:0::5",
                                         "*.example.net", "::1", NULL };
    PS_AUTO(cert_freep) struct cert *cert = server_for("db1.example.net", hosts);
    const struct cert_info *info = cert_info(cert);

    (void)state;
    assert_string_equal(info->dns[0], "db1.example.net");
    assert_string_equal(info->dns[1], "*.example.net");
    assert_null(info->dns[2]);
    assert_string_equal(info->ip[0], "127.0.0.1");
    assert_string_equal(info->ip[1], "2001:db8::5");
    assert_string_equal(info->ip[2], "::1");
    assert_null(info->ip[3]);
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    static const char long_cn[] =
        "0123456789012345678901234567890123456789012345678901234567890123x";
    static const struct { struct cert_dn dn; const char *host; } rows[] = {
        { { .cn = long_cn }, NULL },
        { { .c = "Spain" }, NULL },
        { { .c = "\xc3\x91" }, NULL },
        { { .cn = "\xff\xfe" }, NULL },
        { { .cn = "x" }, "" },
        { { .cn = "x" }, "a b" },
        { { .cn = "x" }, "[::1]" },
        { { .cn = "x" }, "fe80::1%eth0" },
        { { .cn = "x" }, "host:5432" },
        { { .cn = "x" }, "españa.example" },
        { { .cn = "x" }, ".example.net" },
        { { .cn = "x" }, "a..b" },
        { { .cn = "x" }, "*" },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *const hosts[] = { rows[i].host, NULL };
        struct cert_spec spec = { .subject = rows[i].dn, .hosts = hosts, .not_before = T0,
                                  .not_after = T0 + DAY };
        struct cert *cert = NULL;
        struct ps_err err = { 0 };

        if (cert_make(&spec, key, NULL, NULL, &cert, &err))
            fail_msg("row %zu was taken", i);
        assert_int_equal(err.code, PS_E_VALUE);
        assert_true(err.hint[0]);
        assert_null(cert);
    }
}

static void a_pem_text_gives_back_its_certificates(void **state)
{
    static const char *const hosts[] = { "a", NULL };
    PS_AUTO(cert_freep) struct cert *a = server_for("a", hosts);
    PS_AUTO(cert_freep) struct cert *b = server_for("b", hosts);
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };
    PS_AUTO(buf_free) struct buf pem = BUF(1 << 20);
    PS_AUTO(buf_free) struct buf der = BUF(1 << 20);
    PS_AUTO(cert_freep) struct cert *again = NULL;
    struct ps_err err = { 0 };

    (void)state;
    buf_puts(&pem, "a comment\r\n-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n");
    assert_true(cert_to_pem(a, &pem, &err));
    assert_true(cert_to_pem(b, &pem, &err));
    assert_true(cert_list_from_pem(pem.p, pem.len, "f", &list, &err));
    assert_int_equal(list.len, 2);
    assert_true(cert_same(list.at[0], a) && cert_same(list.at[1], b));
    assert_false(cert_same(a, b));
    assert_true(cert_to_der(a, &der, &err));
    assert_true(cert_from_der(der.p, der.len, &again, &err));
    assert_true(cert_same(again, a));
}

static void a_broken_pem_text_is_refused_with_its_line(void **state)
{
    static const struct { const char *text; enum ps_code code; unsigned line; } rows[] = {
        { "", PS_E_CERT, 0 },
        { "nothing here\n", PS_E_CERT, 0 },
        { "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n", PS_E_CERT, 0 },
        { "\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", PS_E_SYNTAX, 3 },
        { "\n-----BEGIN CERTIFICATE-----\nAAAA\n", PS_E_SYNTAX, 2 },
        { "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", PS_E_SYNTAX, 1 },
        { "x\n-----BEGIN CERTIFICATE-----", PS_E_SYNTAX, 2 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(cert_list_free) struct cert_list list = { 0 };
        struct ps_err err = { 0 };

        assert_false(cert_list_from_pem(rows[i].text, strlen(rows[i].text), "f", &list, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(err.at.line, rows[i].line);
        assert_int_equal(list.len, 0);
    }
}

static void every_cut_of_a_certificate_is_refused(void **state)
{
    PS_AUTO(cert_freep) struct cert *whole = server_for("a", NULL);
    PS_AUTO(buf_free) struct buf der = BUF(1 << 20);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(cert_to_der(whole, &der, &err));
    for (size_t len = 0; len < der.len; len++) {
        struct cert *cert = NULL;
        assert_false(cert_from_der(der.p, len, &cert, &err));
    }
    buf_putc(&der, 'x');
    struct cert *cert = NULL;
    assert_false(cert_from_der(der.p, der.len, &cert, &err));
}

static void a_key_is_the_same_in_every_certificate(void **state)
{
    PS_AUTO(cert_freep) struct cert *one = server_for("one", NULL), *two = server_for("two", NULL);
    PS_AUTO(key_freep) struct key *other = NULL, *kept = key;
    char left[CERT_FINGERPRINT_HEX], right[CERT_FINGERPRINT_HEX];
    struct ps_err err = { 0 };

    (void)state;
    assert_string_not_equal(cert_info(one)->fingerprint, cert_info(two)->fingerprint);
    assert_int_equal(strlen(cert_key_sha256(one, left)), CERT_FINGERPRINT_HEX - 1);
    assert_string_equal(left, cert_key_sha256(two, right));
    assert_true(key_generate(KEY_EC_P256, &other, &err));
    key = other;
    PS_AUTO(cert_freep) struct cert *three = server_for("one", NULL);
    key = PS_TAKE(kept);
    assert_string_not_equal(left, cert_key_sha256(three, right));
}

static void names_match_as_in_libpq(void **state)
{
    static const struct { const char *pattern, *host; bool want; } rows[] = {
        { "db1.example.net", "DB1.Example.NET", true },
        { "db1.example.net", "db2.example.net", false },
        { "db1.example.net", "db1.example.net.", false },
        { "*.example.net", "db1.example.net", true },
        { "*.example.net", "a.db1.example.net", false },     /* one label only */
        { "*.example.net", "example.net", false },
        { "*.example.net", ".example.net", false },
        { "*.net", "example.net", true },                    /* no public suffix list */
        { "db*.example.net", "db1.example.net", false },     /* the whole label or nothing */
        { "*", "db1", false },
        { "*.", "a.", false },
        { "", "", false },
        { "a.*.net", "a.b.net", false },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        if (name_matches(rows[i].pattern, rows[i].host) != rows[i].want)
            fail_msg("%s against %s", rows[i].pattern, rows[i].host);
}

static void a_certificate_speaks_for_hosts_as_in_libpq(void **state)
{
    static const struct { const char *cn, *host1, *host2, *asked; bool want; } rows[] = {
        { "db1", "db1.example.net", NULL, "db1.example.net", true },
        { "db1", "db1.example.net", NULL, "db1", false },       /* a dNSName silences the CN */
        { "db1", "10.0.0.1", NULL, "db1", true },               /* an address does not */
        { "10.0.0.1", "db1", NULL, "10.0.0.1", true },
        { "10.0.0.1", "10.0.0.2", NULL, "10.0.0.1", false },
        { "db1", NULL, NULL, "DB1", true },
        { "x", "10.0.0.1", NULL, "10.1", true },                /* inet_aton */
        { "x", "::1", NULL, "0:0:0:0:0:0:0:1", true },
        { "x", "2001:db8::5", NULL, "2001:0DB8::0005", true },
        { "x", "::ffff:10.0.0.1", NULL, "10.0.0.1", false },
        { "x", "10.0.0.1", "*.example.net", "db.example.net", true },
        { "x", "10.0.0.1", "*.example.net", "10.0.0.2", false },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *const hosts[] = { rows[i].host1, rows[i].host2, NULL };
        PS_AUTO(cert_freep) struct cert *cert = server_for(rows[i].cn, hosts);

        if (cert_speaks_for(cert, rows[i].asked) != rows[i].want)
            fail_msg("row %zu, %s", i, rows[i].asked);
    }
}

static void addresses_are_what_libpq_takes_for_one(void **state)
{
    static const struct { const char *host; bool want; } rows[] = {
        { "127.0.0.1", true }, { "127.1", true }, { "::1", true }, { "2001:db8::5", true },
        { "localhost", false }, { "1.2.3.4.5", false }, { "[::1]", false }, { "", false },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++)
        assert_int_equal(name_is_address(rows[i].host), rows[i].want);
}

static void sha256_is_sha256(void **state)
{
    char hex[DIGEST_HEX];

    (void)state;    /* FIPS 180-2 B.1 */
    assert_string_equal(digest_sha256_hex("abc", 3, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_says_what_it_was_made_with),
        cmocka_unit_test(serials_are_positive_random_and_sixteen_bytes),
        cmocka_unit_test(a_leaf_never_outlives_its_issuer),
        cmocka_unit_test(dates_beyond_2049_keep_their_meaning),
        cmocka_unit_test(hosts_become_names_and_addresses),
        cmocka_unit_test(what_cannot_be_encoded_is_refused),
        cmocka_unit_test(a_pem_text_gives_back_its_certificates),
        cmocka_unit_test(a_broken_pem_text_is_refused_with_its_line),
        cmocka_unit_test(every_cut_of_a_certificate_is_refused),
        cmocka_unit_test(a_key_is_the_same_in_every_certificate),
        cmocka_unit_test(names_match_as_in_libpq),
        cmocka_unit_test(a_certificate_speaks_for_hosts_as_in_libpq),
        cmocka_unit_test(addresses_are_what_libpq_takes_for_one),
        cmocka_unit_test(sha256_is_sha256),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}

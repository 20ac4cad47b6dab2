/* The promises of tls/csr.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/csr.h"

static const char *const hosts[] = { "db1.example.net", "192.0.2.7", "2001:db8::7", NULL };

static struct csr *make(enum key_type type, const struct cert_spec *spec, struct key **key)
{
    struct csr *csr = NULL;
    struct ps_err err = { 0 };

    assert_true(key_generate(type, key, &err));
    assert_true(csr_make(spec, *key, &csr, &err));
    return csr;
}

static struct buf pem_of(const struct csr *csr)
{
    struct buf pem = BUF(CSR_MAX);
    struct ps_err err = { 0 };

    assert_true(csr_to_pem(csr, &pem, &err));
    return pem;
}

static const struct cert_spec server = {
    .subject = { .c = "ES", .o = "Peña & Co", .cn = "db1.example.net" },
    .hosts = hosts, .uses = CERT_USE_SERVER,
};

static void what_is_made_is_read_again(void **state)
{
    static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_RSA_2048 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        PS_AUTO(key_freep) struct key *key = NULL;
        PS_AUTO(csr_freep) struct csr *csr = make(types[i], &server, &key);
        PS_AUTO(buf_free) struct buf pem = pem_of(csr);
        PS_AUTO(csr_freep) struct csr *again = NULL;
        struct ps_err err = { 0 };

        assert_true(csr_read(pem.p, pem.len, "a.csr", &again, &err));
        const struct csr_info *info = csr_info(again);
        assert_string_equal(info->subject, "CN=db1.example.net,O=Peña & Co,C=ES");
        assert_string_equal(info->dn.cn, "db1.example.net");
        assert_string_equal(info->dns[0], "db1.example.net");
        assert_null(info->dns[1]);
        assert_string_equal(info->ip[0], "192.0.2.7");
        assert_string_equal(info->ip[1], "2001:db8::7");
        assert_null(info->ip[2]);
        assert_int_equal(info->other_names, 0);
        assert_false(info->wants_ca);
    }
}

static void a_certificate_for_its_key_fits_the_private_one(void **state)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(key_freep) struct key *public_half = NULL;
    PS_AUTO(csr_freep) struct csr *csr = make(KEY_EC_P256, &server, &key);
    PS_AUTO(cert_freep) struct cert *root = NULL;
    PS_AUTO(cert_freep) struct cert *leaf = NULL;
    const struct cert_spec ca = { .subject = { .cn = "ca" }, .is_ca = true, .path_len = -1,
                                  .not_after = 2000000000 };
    struct cert_spec what = server;
    struct ps_err err = { 0 };

    (void)state;
    what.not_after = 1900000000;
    assert_true(cert_make(&ca, key, NULL, key, &root, &err));
    assert_true(csr_key(csr, &public_half, &err));
    assert_true(cert_make(&what, public_half, root, key, &leaf, &err));
    assert_true(cert_matches_key(leaf, key));
}

static void der_and_every_dress_of_pem_are_read(void **state)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(csr_freep) struct csr *csr = make(KEY_EC_P256, &server, &key);
    PS_AUTO(buf_free) struct buf pem = pem_of(csr);
    PS_AUTO(buf_free) struct buf der = BUF(CSR_MAX);
    PS_AUTO(buf_free) struct buf windows = BUF(CSR_MAX);
    struct ps_err err = { 0 };

    (void)state;
    assert_true(csr_to_der(csr, &der, &err));
    buf_puts(&windows, "sent by mail\r\n-----BEGIN NEW CERTIFICATE REQUEST-----\r\n");
    const char *body = strchr(pem.p, '\n') + 1, *end = strstr(body, "-----END");
    for (const char *p = body; p < end; p++)
        buf_printf(&windows, *p == '\n' ? "\r\n" : "%c", *p);
    buf_puts(&windows, "-----END NEW CERTIFICATE REQUEST-----\r\n");

    const struct buf *const dresses[] = { &pem, &der, &windows };
    for (size_t i = 0; i < PS_COUNT(dresses); i++) {
        PS_AUTO(csr_freep) struct csr *again = NULL;

        assert_true(csr_read(dresses[i]->p, dresses[i]->len, "x", &again, &err));
        assert_string_equal(csr_info(again)->dn.cn, "db1.example.net");
    }
}

static void a_changed_request_is_refused(void **state)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(csr_freep) struct csr *csr = make(KEY_EC_P256, &server, &key);
    PS_AUTO(buf_free) struct buf der = BUF(CSR_MAX);
    PS_AUTO(csr_freep) struct csr *again = NULL;
    struct ps_err err = { 0 };

    (void)state;
    assert_true(csr_to_der(csr, &der, &err));
    char *name = memmem(der.p, der.len, "db1.example.net", 15);
    name[2] = '2';
    assert_false(csr_read(der.p, der.len, "x", &again, &err));
    assert_int_equal(err.code, PS_E_CERT);
    assert_null(again);
}

/* Signed by whoever made them, so that only the names are wrong. */
static void a_name_with_a_nul_is_refused(void **state)
{
    static const char *const files[] = { TEST_DATA "/csr/nul_cn.pem", TEST_DATA "/csr/nul_dns.pem" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        PS_AUTO(buf_free) struct buf pem = BUF(CSR_MAX);
        PS_AUTO(csr_freep) struct csr *csr = NULL;
        struct ps_err err = { 0 };

        assert_true(file_read(files[i], CSR_MAX, &pem, &err));
        assert_false(csr_read(pem.p, pem.len, "x", &csr, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_null(csr);
    }
}

static void what_is_no_request_is_refused(void **state)
{
    static const struct { const char *text; enum ps_code code; } rows[] = {
        { "", PS_E_SYNTAX },
        { "hello", PS_E_SYNTAX },
        { "-----BEGIN CERTIFICATE REQUEST-----\n", PS_E_SYNTAX },
        { "-----BEGIN CERTIFICATE REQUEST-----\nMAAwADAA\n-----END CERTIFICATE REQUEST-----\n",
          PS_E_SYNTAX },
        { "-----BEGIN CERTIFICATE-----\nMAAwADAA\n-----END CERTIFICATE-----\n", PS_E_SYNTAX },
        { "0\x80\0\0", PS_E_SYNTAX },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(csr_freep) struct csr *csr = NULL;
        struct ps_err err = { 0 };

        assert_false(csr_read(rows[i].text, strlen(rows[i].text), "x", &csr, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_null(csr);
    }
}

static void two_requests_and_too_long_ones_are_refused(void **state)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(csr_freep) struct csr *csr = make(KEY_EC_P256, &server, &key);
    PS_AUTO(buf_free) struct buf pem = pem_of(csr);
    PS_AUTO(buf_free) struct buf twice = BUF(CSR_MAX);
    PS_AUTO(ps_freep) char *much = ps_calloc(1, CSR_MAX + 1);
    PS_AUTO(csr_freep) struct csr *again = NULL;
    struct ps_err err = { 0 };

    (void)state;
    buf_printf(&twice, "%s%s", pem.p, pem.p);
    assert_false(csr_read(twice.p, twice.len, "x", &again, &err));
    assert_int_equal(err.code, PS_E_SYNTAX);
    assert_false(csr_read(much, CSR_MAX + 1, "x", &again, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_read_again),
        cmocka_unit_test(a_certificate_for_its_key_fits_the_private_one),
        cmocka_unit_test(der_and_every_dress_of_pem_are_read),
        cmocka_unit_test(a_changed_request_is_refused),
        cmocka_unit_test(a_name_with_a_nul_is_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(two_requests_and_too_long_ones_are_refused),
    };

    tls_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promise of tls/crl_skim.h: a list that was skimmed says what the whole one says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/mem.h"
#include "tls/crl_skim.h"
#include "tls/crl_stream.h"
#include "tls/verify.h"

enum { MANY = 60000 };      /* 1.9 MB of PEM: long enough to be skimmed */
static const time_t now = 1760000000;

static void check(bool done, const struct ps_err *err)
{
    if (!done)
        fail_msg("%s | %s | %s", err->message, err->detail, err->hint);
}

struct authority {
    struct key *key;
    struct cert *cert;
};

static struct authority make_authority(enum key_type type)
{
    const struct cert_spec spec = { .subject = { .c = "ES", .cn = "Client CA" }, .is_ca = true,
                                    .path_len = 0, .not_before = now - 600,
                                    .not_after = now + 864000 };
    struct authority made = { 0 };
    struct ps_err err = { 0 };

    check(key_generate(type, &made.key, &err), &err);
    check(cert_make(&spec, made.key, NULL, made.key, &made.cert, &err), &err);
    return made;
}

static void drop_authority(struct authority *ca)
{
    key_freep(&ca->key);
    cert_freep(&ca->cert);
}

static bool to_buf(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    (void)err;
    return buf_put(arg, bytes, len);
}

static void put_list(const struct authority *ca, const char *uri, size_t len, struct buf *pem)
{
    const struct crl_spec spec = { .number = 77, .this_update = now, .next_update = now + 864000,
                                   .uri = uri };
    PS_AUTO(crl_stream_freep) struct crl_stream *stream = NULL;
    struct crl_sum sum;
    struct ps_err err = { 0 };

    check(crl_stream_new(ca->cert, ca->key, &spec, "/tmp", &stream, &err), &err);
    for (size_t i = 1; i <= len; i++) {
        const unsigned char serial[] = { (unsigned char)(1 + (i >> 16)), (unsigned char)(i >> 8),
                                         (unsigned char)i };

        check(crl_stream_add(stream, serial, sizeof(serial),
                             i % 3 ? now : (time_t)2600000000, i % 7 ? 0 : 4, &err), &err);
    }
    check(crl_stream_finish(stream, to_buf, pem, &sum, &err), &err);
}

/* ---- of a file ---- */

static void read_both(const struct buf *pem, struct crl_list *skimmed, struct crl_list *whole)
{
    FILE *file = tmpfile();
    struct ps_err err = { 0 };

    assert_int_equal(fwrite(pem->p, 1, pem->len, file), pem->len);
    fflush(file);
    check(crl_list_from_fd(fileno(file), "file", true, skimmed, &err), &err);
    check(crl_list_from_fd(fileno(file), "file", false, whole, &err), &err);
    fclose(file);
}

static void check_same(const struct crl *skimmed, const struct crl *whole)
{
    const struct crl_info *a = crl_info(skimmed), *b = crl_info(whole);

    assert_string_equal(a->issuer, b->issuer);
    assert_int_equal(a->this_update, b->this_update);
    assert_int_equal(a->next_update, b->next_update);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->revoked_len, b->revoked_len);
    assert_string_equal(a->digest, b->digest);
    assert_string_equal(a->uri, b->uri);
}

static void it_says_what_the_whole_one_says(void **state)
{
    static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_RSA_2048, KEY_ED25519 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        struct authority ca = make_authority(types[i]), other = make_authority(types[i]);
        PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
        PS_AUTO(crl_list_free) struct crl_list skimmed = { 0 };
        PS_AUTO(crl_list_free) struct crl_list whole = { 0 };

        put_list(&ca, NULL, MANY, &pem);
        put_list(&ca, "http://crl.example.net/ab/7.crl", 5, &pem);
        put_list(&ca, NULL, 0, &pem);
        read_both(&pem, &skimmed, &whole);
        assert_int_equal(whole.len, 3);
        assert_int_equal(skimmed.len, 3);
        for (size_t n = 0; n < 3; n++) {
            check_same(skimmed.at[n], whole.at[n]);
            assert_true(crl_issued_by(skimmed.at[n], ca.cert));
            assert_false(crl_issued_by(skimmed.at[n], other.cert));
        }
        drop_authority(&ca);
        drop_authority(&other);
    }
}

static void one_that_was_tampered_with_is_of_nobody(void **state)
{
    struct authority ca = make_authority(KEY_EC_P256);
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);

    (void)state;
    put_list(&ca, NULL, MANY, &pem);
    for (size_t tenth = 1; tenth < 10; tenth++) {
        PS_AUTO(crl_list_free) struct crl_list skimmed = { 0 };
        char *at = pem.p + pem.len * tenth / 10, before = *at;

        if (before == '\n')
            before = *++at;
        *at = before == 'A' ? 'B' : 'A';
        FILE *file = tmpfile();
        struct ps_err err = { 0 };
        assert_int_equal(fwrite(pem.p, 1, pem.len, file), pem.len);
        fflush(file);
        if (crl_list_from_fd(fileno(file), "file", true, &skimmed, &err))
            assert_false(crl_issued_by(skimmed.at[0], ca.cert));
        fclose(file);
        *at = before;
    }
    drop_authority(&ca);
}

/* Somebody who gives it to verify_chain() is told that there is no list, and not that all is well. */
static void it_never_passes_for_a_list_without_entries(void **state)
{
    struct authority ca = make_authority(KEY_EC_P256);
    const struct cert_spec spec = { .subject = { .cn = "app" }, .uses = CERT_USE_CLIENT,
                                    .not_before = now - 600, .not_after = now + 86400 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    PS_AUTO(cert_freep) struct cert *leaf = NULL;
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    PS_AUTO(crl_list_free) struct crl_list skimmed = { 0 };
    PS_AUTO(crl_list_free) struct crl_list whole = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    check(key_generate(KEY_EC_P256, &key, &err), &err);
    check(cert_make(&spec, key, ca.cert, ca.key, &leaf, &err), &err);
    cert_list_add(&chain, leaf);
    cert_list_add(&anchors, ca.cert);
    put_list(&ca, NULL, MANY, &pem);
    read_both(&pem, &skimmed, &whole);
    check(verify_chain(&chain, &anchors, &whole, CERT_USE_CLIENT, now, &err), &err);
    assert_false(verify_chain(&chain, &anchors, &skimmed, CERT_USE_CLIENT, now, &err));
    drop_authority(&ca);
}

static void what_is_not_ours_is_read_as_always(void **state)
{
    struct authority ca = make_authority(KEY_EC_P256);
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf odd = BUF(BUF_TEXT_MAX);
    PS_AUTO(crl_list_free) struct crl_list skimmed = { 0 };
    PS_AUTO(crl_list_free) struct crl_list whole = { 0 };

    (void)state;
    put_list(&ca, NULL, MANY, &pem);
    buf_puts(&odd, "a word in front\n");
    buf_put(&odd, pem.p, pem.len);
    read_both(&odd, &skimmed, &whole);
    check_same(skimmed.at[0], whole.at[0]);

    buf_clear(&odd);
    buf_put(&odd, pem.p, pem.len);
    check(cert_to_pem(ca.cert, &odd, &(struct ps_err){ 0 }), &(struct ps_err){ 0 });
    FILE *file = tmpfile();
    struct ps_err err = { 0 };
    assert_int_equal(fwrite(odd.p, 1, odd.len, file), odd.len);
    fflush(file);
    assert_false(crl_list_from_fd(fileno(file), "file", true, &skimmed, &err));
    assert_int_equal(err.code, PS_E_CERT);      /* PostgreSQL would trust the certificate */
    fclose(file);
    drop_authority(&ca);
}

/* ---- of DER ---- */

static void der_of(const struct buf *pem, unsigned char **der, long *len)
{
    char *label = NULL, *header = NULL;
    BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->len);

    assert_true(PEM_read_bio(bio, &label, &header, der, len));
    BIO_free(bio);
    OPENSSL_free(label);
    OPENSSL_free(header);
}

static void a_byte_less_or_more_is_refused(void **state)
{
    struct authority ca = make_authority(KEY_EC_P256);
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    unsigned char *der = NULL;
    struct crl_skim skim;
    long len = 0;

    (void)state;
    put_list(&ca, NULL, 40, &pem);
    der_of(&pem, &der, &len);
    assert_true(crl_skim_der(der, (size_t)len, &skim));
    assert_int_equal(skim.entries, 40);
    for (long cut = 0; cut < len; cut++) {
        unsigned char *part = ps_memdup(der, (size_t)cut + 1);      /* its own, for the sanitizers */

        assert_false(crl_skim_der(part, (size_t)cut, &skim));
        free(part);
    }
    unsigned char *longer = ps_calloc(1, (size_t)len + 1);
    memcpy(longer, der, (size_t)len);
    assert_false(crl_skim_der(longer, (size_t)len + 1, &skim));
    free(longer);
    OPENSSL_free(der);
    drop_authority(&ca);
}

static void entries_out_of_order_are_refused(void **state)
{
    struct authority ca = make_authority(KEY_EC_P256);
    static const unsigned char first[] = { 2, 3, 1, 0, 1 }, twice[] = { 2, 3, 1, 0, 2 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    unsigned char *der = NULL;
    struct crl_skim skim;
    long len = 0;

    (void)state;
    put_list(&ca, NULL, 5, &pem);
    der_of(&pem, &der, &len);
    unsigned char *at = memmem(der, (size_t)len, first, sizeof(first));
    assert_non_null(at);
    memcpy(at, twice, sizeof(twice));
    assert_false(crl_skim_der(der, (size_t)len, &skim));
    OPENSSL_free(der);
    drop_authority(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_the_whole_one_says),
        cmocka_unit_test(one_that_was_tampered_with_is_of_nobody),
        cmocka_unit_test(it_never_passes_for_a_list_without_entries),
        cmocka_unit_test(what_is_not_ours_is_read_as_always),
        cmocka_unit_test(a_byte_less_or_more_is_refused),
        cmocka_unit_test(entries_out_of_order_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The promise of tls/crl_stream.h: the list, byte for byte, that crl_build() would make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <openssl/pem.h>

#include "base/hex.h"
#include "base/mem.h"
#include "tls/crl_stream.h"

enum { SERIAL_BYTES = 16 };
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
    const struct cert_spec spec = { .subject = { .c = "ES", .cn = "Client CA, \"1\"" },
                                    .is_ca = true, .path_len = 0, .not_before = now - 600,
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

static uint64_t chance = 88172645463325252u;

static unsigned below(unsigned bound)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)(chance >> 20) % bound;
}

/* ---- entries, sorted because their first bytes count up ---- */

struct entries {
    size_t len;
    unsigned char (*serials)[SERIAL_BYTES];
    char (*hex)[HEX_SIZE(SERIAL_BYTES)];
    struct crl_entry *at;
};

static struct entries make_entries(size_t len)
{
    static const int reasons[] = { 0, 0, 0, 1, 3, 4, 5, 9 };
    struct entries made = { len, ps_calloc(len, SERIAL_BYTES),
                            ps_calloc(len, HEX_SIZE(SERIAL_BYTES)),
                            ps_calloc(len, sizeof(struct crl_entry)) };

    for (size_t i = 0; i < len; i++) {
        unsigned char *serial = made.serials[i];

        serial[0] = (unsigned char)(0x20 + i * 0xc0 / (len + 1));   /* some read as negative */
        serial[1] = (unsigned char)(i >> 16);
        serial[2] = (unsigned char)(i >> 8);
        serial[3] = (unsigned char)i;
        for (size_t n = 4; n < SERIAL_BYTES; n++)
            serial[n] = (unsigned char)below(256);
        made.at[i] = (struct crl_entry){
            hex_of(serial, SERIAL_BYTES, made.hex[i]),
            below(10) ? now - below(100000000) : (time_t)2600000000 + below(1000),
            reasons[below(PS_COUNT(reasons))],
        };
    }
    return made;
}

static void drop_entries(struct entries *entries)
{
    free(entries->serials);
    free(entries->hex);
    free(entries->at);
}

/* ---- the comparison ---- */

static bool to_buf(void *arg, const void *bytes, size_t len, struct ps_err *err)
{
    (void)err;
    return buf_put(arg, bytes, len);
}

static void stream_to(const struct authority *ca, const struct crl_spec *spec,
                      const struct entries *entries, struct buf *pem, struct crl_sum *sum)
{
    PS_AUTO(crl_stream_freep) struct crl_stream *stream = NULL;
    struct ps_err err = { 0 };

    check(crl_stream_new(ca->cert, ca->key, spec, "/tmp", &stream, &err), &err);
    for (size_t i = 0; i < entries->len; i++)
        check(crl_stream_add(stream, entries->serials[i], SERIAL_BYTES, entries->at[i].revoked_at,
                             entries->at[i].reason, &err), &err);
    check(crl_stream_finish(stream, to_buf, pem, sum, &err), &err);
}

/* PEM of ECDSA lists is the same but for the signature at the end, and for lengths in the first
 * line, when the signature is a byte longer or shorter. */
static void check_same(const struct buf *ours, const struct buf *theirs, bool whole)
{
    enum { HEAD = 25 + 65, SIGNATURE = 220 };

    if (whole) {
        assert_string_equal(ours->p, theirs->p);
    } else if (ours->len == theirs->len && ours->len > HEAD + SIGNATURE) {
        assert_memory_equal(ours->p + HEAD, theirs->p + HEAD, ours->len - HEAD - SIGNATURE);
    }
}

static void compare(const struct authority *ca, size_t len, const char *uri, bool whole)
{
    struct entries entries = make_entries(len);
    const struct crl_spec spec = { .entries = entries.at, .len = len, .number = 1 + below(70000),
                                   .this_update = now, .next_update = now + 864000, .uri = uri };
    PS_AUTO(buf_free) struct buf ours = BUF(BUF_TEXT_MAX);
    PS_AUTO(buf_free) struct buf theirs = BUF(BUF_TEXT_MAX);
    PS_AUTO(crl_freep) struct crl *built = NULL;
    PS_AUTO(crl_list_free) struct crl_list read = { 0 };
    struct crl_sum sum;
    struct ps_err err = { 0 };

    stream_to(ca, &spec, &entries, &ours, &sum);
    check(crl_build(ca->cert, ca->key, &spec, &built, &err), &err);
    check(crl_to_pem(built, &theirs, &err), &err);
    check_same(&ours, &theirs, whole);

    check(crl_list_from_pem(ours.p, ours.len, "ours", &read, &err), &err);
    const struct crl_info *info = crl_info(read.at[0]);
    assert_true(crl_issued_by(read.at[0], ca->cert));
    assert_int_equal(info->revoked_len, len);
    assert_int_equal(info->number, spec.number);
    assert_string_equal(info->uri, uri ? uri : "");
    assert_int_equal(sum.entries, len);
    for (size_t i = 0; i < len; i += 1 + len / 50)
        assert_true(crl_has_serial(read.at[0], entries.at[i].serial_hex));
    drop_entries(&entries);
}

static const size_t sizes[] = { 0, 1, 2, 3, 50, 700, 6000 };    /* lengths of 1, 2 and 3 bytes */

static void a_list_is_what_crl_build_makes(void **state)
{
    (void)state;
    struct authority ca = make_authority(KEY_RSA_2048);     /* the same signature every time */

    for (size_t i = 0; i < PS_COUNT(sizes); i++) {
        compare(&ca, sizes[i], NULL, true);
        compare(&ca, sizes[i], "http://crl.example.net/ab/7.crl", true);
    }
    drop_authority(&ca);
}

static void and_so_is_one_signed_with_ec(void **state)
{
    (void)state;
    static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384 };

    for (size_t type = 0; type < PS_COUNT(types); type++) {
        struct authority ca = make_authority(types[type]);

        for (size_t i = 0; i < PS_COUNT(sizes); i++)
            compare(&ca, sizes[i], NULL, false);
        drop_authority(&ca);
    }
}

static void the_digest_is_that_of_the_der(void **state)
{
    (void)state;
    struct authority ca = make_authority(KEY_EC_P256);
    struct entries none = make_entries(0);
    const struct crl_spec spec = { .number = 7, .this_update = now, .next_update = now + 9 };
    PS_AUTO(buf_free) struct buf pem = BUF(BUF_TEXT_MAX);
    char *label = NULL, *header = NULL, digest[DIGEST_HEX];
    unsigned char *der = NULL;
    long der_len = 0;
    struct crl_sum sum;

    stream_to(&ca, &spec, &none, &pem, &sum);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    assert_true(PEM_read_bio(bio, &label, &header, &der, &der_len));
    assert_int_equal(sum.der_len, der_len);
    assert_string_equal(sum.digest, digest_sha256_hex(der, (size_t)der_len, digest));
    BIO_free(bio);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    drop_entries(&none);
    drop_authority(&ca);
}

static void what_is_not_sorted_is_refused(void **state)
{
    (void)state;
    static const struct { const char *first, *second; size_t first_len, second_len; } cases[] = {
        { "\x02", "\x01", 1, 1 }, { "\x02", "\x02", 1, 1 }, { "\x02\x01", "\x03", 2, 1 },
        { "\x02", "", 1, 0 }, { "\x02", "123456789012345678901", 1, 21 },
    };
    struct authority ca = make_authority(KEY_EC_P256);
    const struct crl_spec spec = { .number = 7, .this_update = now, .next_update = now + 9 };

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(crl_stream_freep) struct crl_stream *stream = NULL;
        struct ps_err err = { 0 };

        check(crl_stream_new(ca.cert, ca.key, &spec, "/tmp", &stream, &err), &err);
        check(crl_stream_add(stream, cases[i].first, cases[i].first_len, now, 0, &err), &err);
        assert_false(crl_stream_add(stream, cases[i].second, cases[i].second_len, now, 0, &err));
        assert_int_equal(err.code, PS_E_BUG);
    }
    drop_authority(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_what_crl_build_makes),
        cmocka_unit_test(and_so_is_one_signed_with_ec),
        cmocka_unit_test(the_digest_is_that_of_the_der),
        cmocka_unit_test(what_is_not_sorted_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

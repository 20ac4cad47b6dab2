/* The promise of tls/template.h: what it writes is, byte for byte, what cert_make() would make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "tls/der.h"
#include "tls/template.h"

enum { SPECS = 60, NAMES = 60 };
static const time_t now = 1760000000;

struct authority {
    struct key *key;
    struct cert *cert;
};

static void check(bool done, const struct ps_err *err)
{
    if (!done)
        fail_msg("%s | %s | %s", err->message, err->detail, err->hint);
}

static struct authority make_authority(enum key_type type, const struct cert_dn *dn)
{
    const struct cert_spec spec = { .subject = *dn, .is_ca = true, .path_len = 0,
                                    .uses = CERT_USE_CLIENT, .not_before = now - 600,
                                    .not_after = (time_t)4000000000 };
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

/* ---- chance that is the same in every run ---- */

static uint64_t chance = 88172645463325252u;

static unsigned below(unsigned bound)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)(chance >> 20) % bound;
}

static void put_utf8(struct buf *out, unsigned c)
{
    if (c < 0x80) {
        buf_putc(out, (char)c);
    } else if (c < 0x800) {
        buf_putc(out, (char)(0xc0 | c >> 6));
        buf_putc(out, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_putc(out, (char)(0xe0 | c >> 12));
        buf_putc(out, (char)(0x80 | (c >> 6 & 63)));
        buf_putc(out, (char)(0x80 | (c & 63)));
    } else {
        buf_putc(out, (char)(0xf0 | c >> 18));
        buf_putc(out, (char)(0x80 | (c >> 12 & 63)));
        buf_putc(out, (char)(0x80 | (c >> 6 & 63)));
        buf_putc(out, (char)(0x80 | (c & 63)));
    }
}

static unsigned some_character(void)
{
    static const char odd[] = " #,+\"\\<>;=/*'\t\n\x7f\x01";

    switch (below(5)) {
    case 0: return (unsigned char)odd[below(sizeof(odd) - 1)];
    case 1: return 0x80 + below(0x780);
    case 2: return 0x2000 + below(0x1000);      /* the marks that turn text around, too */
    case 3: return 0x1f300 + below(0x300);
    default: return 'a' + below(26);
    }
}

static char *some_name(unsigned most)
{
    PS_AUTO(buf_free) struct buf name = BUF(1024);

    for (unsigned left = 1 + below(most); left > 0; left--)
        put_utf8(&name, some_character());
    return buf_take(&name);
}

/* ---- the comparison ---- */

static void make_serial(const char *hex, uint8_t out[CERT_SERIAL_BYTES])
{
    assert_int_equal(strlen(hex), 2 * CERT_SERIAL_BYTES);
    for (size_t i = 0; i < CERT_SERIAL_BYTES; i++) {
        unsigned byte;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* How many bytes the signed part has; it begins behind the head of the whole, always 4 bytes. */
static size_t signed_len(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->p;

    assert_int_equal(p[1], 0x82);
    assert_int_equal(p[5], 0x82);
    return 8u + (size_t)(p[6] << 8 | p[7]);
}

static void check_filled(const struct cert_filled *filled, const struct cert *made,
                         const struct authority *ca, bool whole)
{
    PS_AUTO(buf_free) struct buf der = BUF(1 << 20);
    PS_AUTO(cert_freep) struct cert *read = NULL;
    struct ps_err err = { 0 };

    check(cert_to_der(made, &der, &err), &err);
    if (whole)
        assert_int_equal(filled->der.len, der.len);
    assert_int_equal(signed_len(&filled->der), signed_len(&der));
    size_t compared = whole ? der.len - 4 : signed_len(&der) - 4;
    assert_memory_equal(filled->der.p + 4, der.p + 4, compared);

    check(cert_from_der(filled->der.p, filled->der.len, &read, &err), &err);
    const struct cert_info *info = cert_info(read);
    assert_true(cert_issued_by(read, ca->cert));
    assert_string_equal(filled->serial_hex, info->serial_hex);
    assert_string_equal(filled->fingerprint, info->fingerprint);
    assert_string_equal(filled->subject, info->subject);
    assert_int_equal(filled->not_before, info->not_before);
    assert_int_equal(filled->not_after, info->not_after);
}

static void compare(const struct cert_template *form, struct cert_spec *spec,
                    const struct authority *ca, const struct key *key, bool whole)
{
    PS_AUTO(ps_freep) char *cn = some_name(64);
    PS_AUTO(cert_freep) struct cert *made = NULL;
    PS_AUTO(cert_filled_free) struct cert_filled filled = { 0 };
    uint8_t serial[CERT_SERIAL_BYTES];
    struct ps_err err = { 0 };

    spec->subject.cn = cn;
    spec->not_before = (time_t)below(2000000000) + below(500000000);
    spec->not_after = spec->not_before + below(2000000000);
    check(cert_make(spec, key, ca->cert, ca->key, &made, &err), &err);
    make_serial(cert_info(made)->serial_hex, serial);

    const struct cert_blank blank = { cn, spec->not_before, spec->not_after, serial };
    check(cert_template_fill(form, &blank, key, &filled, &err), &err);
    check_filled(&filled, made, ca, whole);
}

static void run_specs(const struct authority *ca, const struct key *key, unsigned specs,
                      bool whole)
{
    static const char *const hosts[] = { "db1.example.net", "*.example.org", "10.1.2.3",
                                         "2001:db8::1", NULL };

    for (unsigned i = 0; i < specs; i++) {
        PS_AUTO(ps_freep) char *o = some_name(60);
        PS_AUTO(ps_freep) char *ou = some_name(60);
        PS_AUTO(ps_freep) char *l = some_name(60);
        PS_AUTO(cert_template_freep) struct cert_template *form = NULL;
        struct cert_spec spec = {
            .uses = below(4), .hosts = below(2) ? NULL : hosts + below(4),
            .crl_uri = below(2) ? NULL : "http://crl.example.net/0123456789abcdef/63.crl",
        };
        struct ps_err err = { 0 };

        spec.subject = (struct cert_dn){ .c = below(2) ? "ES" : NULL, .o = below(2) ? o : NULL,
                                         .ou = below(2) ? ou : NULL, .l = below(2) ? l : "" };
        check(cert_template_new(&spec, ca->cert, ca->key, &form, &err), &err);
        for (unsigned n = 0; n < NAMES; n++)
            compare(form, &spec, ca, key, whole);
    }
}

static void thousands_are_what_cert_make_makes(void **state)
{
    (void)state;
    static const struct cert_dn dn = { .c = "ES", .o = "Café, S.A.", .cn = "Client CA 1234" };
    struct authority ca = make_authority(KEY_EC_P256, &dn);
    PS_AUTO(key_freep) struct key *key = NULL;
    struct ps_err err = { 0 };

    check(key_generate(KEY_EC_P256, &key, &err), &err);
    run_specs(&ca, key, SPECS, false);
    drop_authority(&ca);
}

/* An RSA signature is the same every time: even that is compared. */
static void every_type_of_key_is_written_as_openssl_does(void **state)
{
    (void)state;
    static const struct cert_dn dn = { .cn = "RSA" };
    static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_RSA_2048 };
    struct authority ca = make_authority(KEY_RSA_2048, &dn);

    for (size_t i = 0; i < PS_COUNT(types); i++) {
        PS_AUTO(key_freep) struct key *key = NULL;
        struct ps_err err = { 0 };

        check(key_generate(types[i], &key, &err), &err);
        run_specs(&ca, key, 2, true);
    }
    drop_authority(&ca);
}

/* ---- what is refused ---- */

static void impossible_names_are_refused_as_cert_make_does(void **state)
{
    (void)state;
    static const char *const names[] = {
        "", "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf8\x88\x80\x80\x80",
        "a23456789b23456789c23456789d23456789e23456789f23456789g2345678964x",
    };
    static const struct cert_dn dn = { .cn = "CA" };
    struct authority ca = make_authority(KEY_EC_P256, &dn);
    struct cert_spec spec = { .uses = CERT_USE_CLIENT, .not_before = now, .not_after = now };
    PS_AUTO(cert_template_freep) struct cert_template *form = NULL;
    struct ps_err err = { 0 };

    check(cert_template_new(&spec, ca.cert, ca.key, &form, &err), &err);
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        const struct cert_blank blank = { names[i], now, now, NULL };
        PS_AUTO(cert_filled_free) struct cert_filled filled = { 0 };
        PS_AUTO(cert_freep) struct cert *made = NULL;

        err = (struct ps_err){ 0 };
        assert_false(cert_template_fill(form, &blank, ca.key, &filled, &err));
        assert_int_equal(err.code, PS_E_VALUE);
        assert_null(filled.der.p);
        spec.subject.cn = names[i];
        if (*names[i])
            assert_false(cert_make(&spec, ca.key, ca.cert, ca.key, &made, &err));
    }
    drop_authority(&ca);
}

/* ---- der.h ---- */

static void lengths_have_their_shortest_form(void **state)
{
    (void)state;
    static const struct { size_t len; const char *head; size_t head_len; } cases[] = {
        { 0, "\x30\x00", 2 }, { 127, "\x30\x7f", 2 }, { 128, "\x30\x81\x80", 3 },
        { 255, "\x30\x81\xff", 3 }, { 256, "\x30\x82\x01\x00", 4 },
        { 65536, "\x30\x83\x01\x00\x00", 5 },
    };

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(64);

        der_head(&out, DER_SEQUENCE, cases[i].len);
        assert_int_equal(out.len, cases[i].head_len);
        assert_memory_equal(out.p, cases[i].head, out.len);
        assert_int_equal(der_size(cases[i].len), cases[i].head_len + cases[i].len);
    }
}

static void numbers_are_positive_and_short(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t len; const char *der; size_t der_len; } cases[] = {
        { "", 0, "\x02\x01\x00", 3 }, { "\x00", 1, "\x02\x01\x00", 3 },
        { "\x7f", 1, "\x02\x01\x7f", 3 }, { "\x80", 1, "\x02\x02\x00\x80", 4 },
        { "\x00\x00\x80", 3, "\x02\x02\x00\x80", 4 }, { "\x00\x01\x02", 3, "\x02\x02\x01\x02", 4 },
    };

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(64);

        der_positive(&out, cases[i].bytes, cases[i].len);
        assert_int_equal(out.len, der_positive_size(cases[i].bytes, cases[i].len));
        assert_int_equal(out.len, cases[i].der_len);
        assert_memory_equal(out.p, cases[i].der, out.len);
    }
}

static void times_change_their_form_in_2050(void **state)
{
    (void)state;
    static const struct { time_t when; const char *der; } cases[] = {
        { 0, "\x17\x0d" "700101000000Z" },
        { 2524607999, "\x17\x0d" "491231235959Z" },
        { 2524608000, "\x18\x0f" "20500101000000Z" },
        { -631152000, "\x17\x0d" "500101000000Z" },
    };

    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(buf_free) struct buf out = BUF(64);

        der_time(&out, cases[i].when);
        assert_string_equal(buf_text(&out), cases[i].der);
        assert_int_equal(der_time_size(cases[i].when), out.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_are_what_cert_make_makes),
        cmocka_unit_test(every_type_of_key_is_written_as_openssl_does),
        cmocka_unit_test(impossible_names_are_refused_as_cert_make_does),
        cmocka_unit_test(lengths_have_their_shortest_form),
        cmocka_unit_test(numbers_are_positive_and_short),
        cmocka_unit_test(times_change_their_form_in_2050),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

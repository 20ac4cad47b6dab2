/*
 * fuzz_template.c - promises: a CN that cert_make() refuses, a template refuses; what it accepts
 * becomes the same bytes, up to the signature.
 */
#include "base/mem.h"
#include "tls/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct key *key;
static struct cert *issuer;
static struct cert_template *form;
static struct cert_spec spec = { .subject = { .c = "ES", .o = "Fuzz, S.A." },
                                 .uses = CERT_USE_CLIENT };

static void make_once(void)
{
    const struct cert_spec ca = { .subject = { .cn = "Fuzz CA" }, .is_ca = true, .path_len = 0,
                                  .not_before = 0, .not_after = 4000000000 };
    struct ps_err err;

    if (form)
        return;
    if (!key_generate(KEY_EC_P256, &key, &err) || !cert_make(&ca, key, NULL, key, &issuer, &err)
        || !cert_template_new(&spec, issuer, key, &form, &err))
        abort();
}

/* The four bytes of the head, then the signed part with a head of four of its own. */
static size_t signed_end(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->p;

    if (der->len < 8 || p[5] != 0x82)
        abort();
    return 8u + (size_t)(p[6] << 8 | p[7]);
}

static void compare(const struct cert *made, const struct cert_filled *filled)
{
    PS_AUTO(buf_free) struct buf der = BUF(1 << 20);
    PS_AUTO(cert_freep) struct cert *read = NULL;
    struct ps_err err;

    if (!cert_to_der(made, &der, &err)
        || !cert_from_der(filled->der.p, filled->der.len, &read, &err)
        || signed_end(&der) != signed_end(&filled->der)
        || memcmp(der.p + 4, filled->der.p + 4, signed_end(&der) - 4) != 0
        || strcmp(cert_info(read)->subject, filled->subject) != 0 || !cert_issued_by(read, issuer))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char serial[CERT_SERIAL_BYTES] = { 0x41, 1, 2, 3 };
    PS_AUTO(ps_freep) char *cn = NULL;
    PS_AUTO(cert_freep) struct cert *made = NULL;
    PS_AUTO(cert_filled_free) struct cert_filled filled = { 0 };
    uint32_t from = 0, days = 0;
    struct ps_err err = { 0 };

    make_once();
    if (size < 6)
        return 0;
    memcpy(&from, data, 4);
    memcpy(&days, data + 4, 2);
    cn = ps_strndup((const char *)data + 6, size - 6);
    spec.subject.cn = cn;
    spec.serial = serial;
    spec.not_before = (time_t)from;
    spec.not_after = (time_t)from + (time_t)days * 86400;

    const struct cert_blank blank = { cn, spec.not_before, spec.not_after, serial };
    bool accepted = cert_template_fill(form, &blank, key, &filled, &err);
    if (!*cn && !accepted)
        return 0;           /* cert_make() leaves an empty CN out */
    if (accepted != cert_make(&spec, key, issuer, key, &made, &err))
        abort();
    if (accepted)
        compare(made, &filled);
    return 0;
}

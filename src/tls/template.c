/* template.c - see template.h. */
#include "tls/template.h"

#include "base/clock.h"
#include "base/hex.h"
#include "tls/der.h"
#include "tls/internal.h"

enum {
    CERT_DER_MAX = 1 << 20, CN_MAX_CHARS = 64,      /* ub-common-name of RFC 5280 A.1 */
    KEY_ID_BYTES = 20
};

struct cert_template {
    EVP_PKEY *signer;
    EVP_MD *sha256;
    struct buf issuer, algorithm;   /* Name; AlgorithmIdentifier of the signature */
    struct buf rdns;                /* of the subject, all but the CN */
    struct buf extensions;          /* with the sample's key identifier, at key_id_at */
    size_t key_id_at;
    char *rdns_text;                /* what follows the CN in RFC 2253 text, "" or ",O=..." */
    time_t issuer_end;
};

void cert_template_free(struct cert_template *form)
{
    EVP_PKEY_free(form->signer);
    EVP_MD_free(form->sha256);
    buf_free(&form->issuer);
    buf_free(&form->algorithm);
    buf_free(&form->rdns);
    buf_free(&form->extensions);
    free(form->rdns_text);
    free(form);
}

void cert_filled_free(struct cert_filled *filled)
{
    buf_free(&filled->der);
    free(filled->subject);
    *filled = (struct cert_filled){ 0 };
}

static bool fail_make(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
}

/* ---- what is taken from the sample ---- */

static bool take_name(const X509_NAME *name, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);

    return tls_take_der(len, der, out);
}

static bool take_algorithm(const X509 *sample, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509_ALGOR(X509_get0_tbs_sigalg(sample), &der);

    return tls_take_der(len, der, out);
}

static bool take_extensions(const X509 *sample, struct cert_template *form)
{
    PS_AUTO(buf_free) struct buf list = BUF(CERT_DER_MAX);
    size_t key_id_end = 0;

    for (int i = 0; i < X509_get_ext_count(sample); i++) {
        X509_EXTENSION *extension = X509_get_ext(sample, i);
        unsigned char *der = NULL;
        int len = i2d_X509_EXTENSION(extension, &der);

        if (!tls_take_der(len, der, &list))
            return false;
        if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_subject_key_identifier)
            key_id_end = list.len;      /* the identifier is the last of its extension */
    }
    der_head(&form->extensions, DER_CONTEXT_3, der_size(list.len));
    der_value(&form->extensions, DER_SEQUENCE, list.p, list.len);
    form->key_id_at = form->extensions.len - list.len + key_id_end - KEY_ID_BYTES;
    return key_id_end != 0;
}

static bool take_rdns(const X509 *sample, struct cert_template *form)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(buf_free) struct buf whole = BUF(CERT_DER_MAX);
    PS_AUTO(X509_NAME_freep) X509_NAME *name = X509_NAME_dup(X509_get_subject_name(sample));
    int last = name ? X509_NAME_entry_count(name) - 1 : -1;

    if (last < 0)
        return false;
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, last));   /* the CN: cert_make adds it last */
    if (!take_name(name, &whole))
        return false;

    size_t head = 2;        /* of the SEQUENCE around them: RFC 5280 4.1.2.4 */
    while (der_size(whole.len - head) != whole.len)
        head++;
    const char *text = tls_name_text(arena, name);
    form->rdns_text = *text ? ps_asprintf(",%s", text) : ps_strdup("");
    return buf_put(&form->rdns, whole.p + head, whole.len - head);
}

static bool make_sample(const struct cert_spec *spec, const struct cert *issuer,
                        const struct key *issuer_key, struct cert **out, struct ps_err *err)
{
    PS_AUTO(key_freep) struct key *key = NULL;
    struct cert_spec sample = *spec;

    sample.subject.cn = "sample";
    sample.serial = NULL;
    sample.not_before = sample.not_after = clock_now();
    return key_generate(KEY_EC_P256, &key, err)
        && cert_make(&sample, key, issuer, issuer_key, out, err);
}

bool cert_template_new(const struct cert_spec *spec, const struct cert *issuer,
                       const struct key *issuer_key, struct cert_template **out,
                       struct ps_err *err)
{
    PS_AUTO(cert_template_freep) struct cert_template *form = ps_calloc(1, sizeof(*form));
    PS_AUTO(cert_freep) struct cert *sample = NULL;

    form->issuer = form->algorithm = form->rdns = form->extensions = BUF(CERT_DER_MAX);
    form->issuer_end = issuer->info.not_after;
    if (!make_sample(spec, issuer, issuer_key, &sample, err))
        return false;
    form->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (!form->sha256 || !EVP_PKEY_up_ref(issuer_key->pkey))
        return fail_make(err);
    form->signer = issuer_key->pkey;
    if (!take_name(X509_get_issuer_name(sample->x509), &form->issuer)
        || !take_algorithm(sample->x509, &form->algorithm) || !take_rdns(sample->x509, form)
        || !take_extensions(sample->x509, form))
        return fail_make(err);
    *out = PS_TAKE(form);
    return true;
}

/* ---- the subject ---- */

/* The very check of X509_NAME_add_entry, whose UTF8String is the text itself. */
static bool check_common_name(const char *cn, struct ps_err *err)
{
    ASN1_STRING *copy = NULL;
    bool good = ASN1_mbstring_ncopy(&copy, (const unsigned char *)cn, -1, MBSTRING_UTF8,
                                    B_ASN1_UTF8STRING, 1, CN_MAX_CHARS) == V_ASN1_UTF8STRING;

    ASN1_STRING_free(copy);
    if (good)
        return true;
    tls_fail(err, PS_E_VALUE, _("\"%s\" cannot be the %s of a certificate"), cn, "CN");
    return ps_hint(err, _("It must be valid UTF-8 of at most 64 characters (128 for ST and L)."));
}

static const unsigned char cn_oid[] = { 0x55, 0x04, 0x03 };     /* 2.5.4.3 */

static size_t cn_pair_len(size_t cn_len)
{
    return der_size(sizeof(cn_oid)) + der_size(cn_len);
}

static size_t subject_len(const struct cert_template *form, size_t cn_len)
{
    return form->rdns.len + der_size(der_size(cn_pair_len(cn_len)));
}

static void put_subject(const struct cert_template *form, const char *cn, struct buf *out)
{
    size_t cn_len = strlen(cn);

    der_head(out, DER_SEQUENCE, subject_len(form, cn_len));
    buf_put(out, form->rdns.p, form->rdns.len);
    der_head(out, DER_SET, der_size(cn_pair_len(cn_len)));
    der_head(out, DER_SEQUENCE, cn_pair_len(cn_len));
    der_value(out, DER_OID, cn_oid, sizeof(cn_oid));
    der_value(out, DER_UTF8, cn, cn_len);
}

/* As X509_NAME_print_ex escapes it for RFC 2253, see tls_name_text(). */
static char *subject_text(const struct cert_template *form, const char *cn)
{
    PS_AUTO(buf_free) struct buf text = BUF(CERT_DER_MAX);

    buf_puts(&text, "CN=");
    for (const char *p = cn; *p; p++) {
        bool first = p == cn && p[1], last = !p[1];

        if (strchr(",+\"\\<>;", *p) || (first && strchr(" #", *p)) || (last && *p == ' '))
            buf_putc(&text, '\\');
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            buf_printf(&text, "\\%02X", (unsigned)*p);
        else
            buf_putc(&text, *p);
    }
    buf_puts(&text, form->rdns_text);
    return buf_take(&text);
}

/* ---- the public key ---- */

struct public_half {
    struct buf info;        /* SubjectPublicKeyInfo */
    unsigned char id[EVP_MAX_MD_SIZE];
};

static void public_half_free(struct public_half *half)
{
    buf_free(&half->info);
}

/* Any other key is OpenSSL's to encode: making it takes so long that nobody notices. */
static bool take_any(EVP_PKEY *pkey, struct public_half *out, size_t *bits_at)
{
    PS_AUTO(X509_PUBKEY_freep) X509_PUBKEY *parsed = NULL;
    const unsigned char *bits;
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der), bits_len;
    const unsigned char *p = der;

    parsed = len > 0 ? d2i_X509_PUBKEY(NULL, &p, len) : NULL;
    bool taken = tls_take_der(len, der, &out->info);
    if (!taken || !parsed || !X509_PUBKEY_get0_param(NULL, &bits, &bits_len, NULL, parsed))
        return false;
    *bits_at = (size_t)(len - bits_len);
    return true;
}

/* Key identifier: the first 160 bits of the SHA-256 of the public key, RFC 7093 2 (1). */
static bool take_public(const struct cert_template *form, const struct key *key,
                        struct public_half *out, struct ps_err *err)
{
    size_t bits_at = 0;

    out->info = BUF(CERT_DER_MAX);
    if (tls_ec_public(key->pkey, &out->info, &bits_at) || take_any(key->pkey, out, &bits_at))
        if (EVP_Digest(out->info.p + bits_at, out->info.len - bits_at, out->id, NULL,
                       form->sha256, NULL))
            return true;
    return fail_make(err);
}

/* ---- the certificate ---- */

static const unsigned char version_3[] = { DER_CONTEXT_0, 3, DER_INTEGER, 1, 2 };

static void put_body(const struct cert_template *form, const struct cert_blank *blank,
                     const struct cert_filled *what, const struct public_half *key,
                     struct buf *out)
{
    size_t times = der_time_size(what->not_before) + der_time_size(what->not_after);
    size_t len = sizeof(version_3) + der_size(CERT_SERIAL_BYTES) + form->algorithm.len
               + form->issuer.len + der_size(times)
               + der_size(subject_len(form, strlen(blank->common_name))) + key->info.len
               + form->extensions.len;

    der_head(out, DER_SEQUENCE, len);
    buf_put(out, version_3, sizeof(version_3));
    der_value(out, DER_INTEGER, blank->serial, CERT_SERIAL_BYTES);
    buf_put(out, form->algorithm.p, form->algorithm.len);
    buf_put(out, form->issuer.p, form->issuer.len);
    der_head(out, DER_SEQUENCE, times);
    der_time(out, what->not_before);
    der_time(out, what->not_after);
    put_subject(form, blank->common_name, out);
    buf_put(out, key->info.p, key->info.len);

    size_t id_at = out->len + form->key_id_at;
    buf_put(out, form->extensions.p, form->extensions.len);
    if (!out->over)
        memcpy(out->p + id_at, key->id, KEY_ID_BYTES);
}

static bool sign(const struct cert_template *form, const struct buf *body, struct buf *out,
                 struct ps_err *err)
{
    PS_AUTO(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[1024];      /* 512 bytes for RSA 4096 */
    size_t len = sizeof(signature);

    if (body->over || !ctx
        || !EVP_DigestSignInit(ctx, NULL, tls_signature_digest(form->signer), NULL, form->signer)
        || !EVP_DigestSign(ctx, signature, &len, (const unsigned char *)body->p, body->len))
        return fail_make(err);

    der_head(out, DER_SEQUENCE, body->len + form->algorithm.len + der_size(1 + len));
    buf_put(out, body->p, body->len);
    buf_put(out, form->algorithm.p, form->algorithm.len);
    der_head(out, DER_BIT_STRING, 1 + len);
    buf_putc(out, '\0');        /* no unused bits */
    return buf_put(out, signature, len) || fail_make(err);
}

static void describe(const struct cert_template *form, const struct cert_blank *blank,
                     struct cert_filled *out)
{
    hex_of(blank->serial, CERT_SERIAL_BYTES, out->serial_hex);
    digest_sha256_hex(out->der.p, out->der.len, out->fingerprint);
    out->subject = subject_text(form, blank->common_name);
}

static bool take_serial(const uint8_t *given, uint8_t out[CERT_SERIAL_BYTES], struct ps_err *err)
{
    if (!given)
        return cert_new_serial(out, err);
    memcpy(out, given, CERT_SERIAL_BYTES);
    return true;
}

bool cert_template_fill(const struct cert_template *form, const struct cert_blank *blank,
                        const struct key *public_of, struct cert_filled *out, struct ps_err *err)
{
    PS_AUTO(cert_filled_free) struct cert_filled filled = {
        .der = BUF(CERT_DER_MAX), .not_before = blank->not_before,
        .not_after = blank->not_after < form->issuer_end ? blank->not_after : form->issuer_end,
    };
    PS_AUTO(public_half_free) struct public_half key = { 0 };
    PS_AUTO(buf_free) struct buf body = BUF(CERT_DER_MAX);
    uint8_t serial[CERT_SERIAL_BYTES];
    struct cert_blank whole = *blank;

    ERR_clear_error();
    whole.serial = serial;
    if (!check_common_name(blank->common_name, err) || !take_serial(blank->serial, serial, err)
        || !take_public(form, public_of, &key, err))
        return false;
    put_body(form, &whole, &filled, &key, &body);
    if (!sign(form, &body, &filled.der, err))
        return false;
    describe(form, &whole, &filled);

    cert_filled_free(out);
    *out = filled;
    filled = (struct cert_filled){ 0 };
    return true;
}

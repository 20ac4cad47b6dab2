/* crl.c - see crl.h. */
#include "tls/crl.h"

#include <limits.h>

#include <openssl/pem.h>

#include "tls/digest.h"
#include "tls/internal.h"

/* ---- what it says ---- */

static int64_t read_number(X509_CRL *x509_crl)
{
    PS_AUTO(ASN1_INTEGER_freep) ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(x509_crl, NID_crl_number, NULL, NULL);
    int64_t value;

    return number && ASN1_INTEGER_get_int64(&value, number) ? value : -1;
}

/* The full name of a partition; anything else that an IDP may say is not ours. */
static const char *read_uri(struct arena *arena, X509_CRL *x509_crl)
{
    PS_AUTO(ISSUING_DIST_POINT_freep) ISSUING_DIST_POINT *scope =
        X509_CRL_get_ext_d2i(x509_crl, NID_issuing_distribution_point, NULL, NULL);
    const GENERAL_NAMES *names =
        scope && scope->distpoint && scope->distpoint->type == 0 ? scope->distpoint->name.fullname
                                                                 : NULL;
    const GENERAL_NAME *name = names && sk_GENERAL_NAME_num(names) > 0
        ? sk_GENERAL_NAME_value(names, 0) : NULL;

    if (!name || name->type != GEN_URI)
        return "";
    return arena_strndup(arena, (const char *)ASN1_STRING_get0_data(name->d.ia5),
                         (size_t)ASN1_STRING_length(name->d.ia5));
}

static const char *digest(struct arena *arena, X509_CRL *x509_crl)
{
    char hex[DIGEST_HEX] = "?";
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(x509_crl, &der);

    if (len > 0)
        digest_sha256_hex(der, (size_t)len, hex);
    OPENSSL_free(der);
    return arena_strdup(arena, hex);
}

struct crl *crl_wrap(X509_CRL *x509_crl)
{
    struct crl *crl = ps_calloc(1, sizeof(*crl));
    const STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(x509_crl);

    crl->x509_crl = x509_crl;
    crl->refs = 1;
    crl->arena = arena_new();
    crl->info = (struct crl_info){
        .issuer = tls_name_text(crl->arena, X509_CRL_get_issuer(x509_crl)),
        .this_update = tls_time(X509_CRL_get0_lastUpdate(x509_crl)),
        .next_update = tls_time(X509_CRL_get0_nextUpdate(x509_crl)),
        .number = read_number(x509_crl),
        .digest = digest(crl->arena, x509_crl),
        .uri = read_uri(crl->arena, x509_crl),
        .revoked_len = revoked ? (size_t)sk_X509_REVOKED_num(revoked) : 0,
    };
    ERR_clear_error();
    return crl;
}

const struct crl_info *crl_info(const struct crl *crl)
{
    return &crl->info;
}

static ASN1_INTEGER *serial_from_hex(const char *hex)
{
    PS_AUTO(BN_freep) BIGNUM *number = NULL;
    size_t len = strlen(hex);

    if (len == 0 || len > CERT_SERIAL_HEX || strspn(hex, "0123456789abcdefABCDEF") != len
        || !BN_hex2bn(&number, hex))
        return NULL;
    return BN_to_ASN1_INTEGER(number, NULL);
}

bool crl_has_serial(const struct crl *crl, const char *serial_hex)
{
    PS_AUTO(ASN1_INTEGER_freep) ASN1_INTEGER *serial = serial_from_hex(serial_hex);
    X509_REVOKED *entry = NULL;

    return serial && X509_CRL_get0_by_serial(crl->x509_crl, &entry, serial) == 1;
}

bool crl_issued_by(const struct crl *crl, const struct cert *issuer)
{
    EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
    const X509_NAME *name = X509_get_subject_name(issuer->x509);
    bool issued = pkey && X509_NAME_cmp(X509_CRL_get_issuer(crl->x509_crl), name) == 0
        && (crl->skimmed ? tls_skimmed_by(crl, pkey) : X509_CRL_verify(crl->x509_crl, pkey) == 1);

    ERR_clear_error();
    return issued;
}

/* ---- ownership ---- */

struct crl *crl_ref(struct crl *crl)
{
    crl->refs++;
    return crl;
}

void crl_free(struct crl *crl)
{
    if (--crl->refs > 0)
        return;
    X509_CRL_free(crl->x509_crl);
    arena_free(crl->arena);
    free(crl);
}

void crl_list_add(struct crl_list *list, struct crl *crl)
{
    PS_PUSH(list->at, list->len, list->cap) = crl;
}

void crl_list_free(struct crl_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        crl_free(list->at[i]);
    free(list->at);
    *list = (struct crl_list){ 0 };
}

/* ---- reading and writing ---- */

static X509_CRL *parse_der(const unsigned char *der, long len)
{
    const unsigned char *p = der;
    PS_AUTO(X509_CRL_freep) X509_CRL *x509_crl = d2i_X509_CRL(NULL, &p, len);

    return x509_crl && p == der + len ? PS_TAKE(x509_crl) : NULL;
}

static bool fail_certificate(const struct pem_walk *walk, struct ps_err *err)
{
    ps_fail(err, PS_E_CERT, _("a certificate is among the revocation lists in \"%s\""), walk->name);
    ps_at(err, walk->name, walk->line, 0);
    ps_detail(err, _("PostgreSQL would trust it as a CA: it loads ssl_crl_file as a file of "
                     "trusted things."));
    return ps_hint(err, _("Take it out of that file."));
}

/* With `certs` a certificate is no fault, and left to cert_list_from_pem(). */
static bool read_blocks(struct pem_walk *walk, bool certs, struct crl_list *out, struct ps_err *err)
{
    bool end;

    for (;;) {
        if (!pem_walk_next(walk, &end, err))
            return false;
        if (end)
            return true;
        if (!certs && strstr(walk->type, "CERTIFICATE") && !strstr(walk->type, "REQUEST"))
            return fail_certificate(walk, err);
        if (strcmp(walk->type, PEM_STRING_X509_CRL) != 0)
            continue;
        if (out->len == CERT_LIST_MAX) {
            ps_fail(err, PS_E_TOO_BIG, _("too many revocation lists in \"%s\""), walk->name);
            return ps_detail(err, _("At most %d are read."), CERT_LIST_MAX);
        }
        X509_CRL *x509_crl = parse_der(walk->der, walk->der_len);
        if (!x509_crl)
            return pem_walk_broken(walk, err);
        crl_list_add(out, crl_wrap(x509_crl));
    }
}

static void hand_over(struct crl_list *from, struct crl_list *to)
{
    for (size_t i = 0; i < from->len; i++)
        crl_list_add(to, from->at[i]);
    from->len = 0;
}

static bool fail_empty(const char *name, struct ps_err *err)
{
    ps_fail(err, PS_E_CERT, _("no revocation list in \"%s\""), name);
    return ps_hint(err, _("It must be in PEM form: \"-----BEGIN X509 CRL-----\"."));
}

bool crl_list_from_pem(const char *pem, size_t len, const char *name, struct crl_list *out,
                       struct ps_err *err)
{
    PS_AUTO(pem_walk_end) struct pem_walk walk = { 0 };
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };

    if (!pem_walk_begin(&walk, pem, len, name, err) || !read_blocks(&walk, false, &list, err))
        return false;
    if (list.len == 0)
        return fail_empty(name, err);
    hand_over(&list, out);
    return true;
}

bool crl_list_from_pem_mixed(const char *pem, size_t len, const char *name, struct crl_list *out,
                             struct cert_list *certs, struct ps_err *err)
{
    PS_AUTO(pem_walk_end) struct pem_walk walk = { 0 };
    PS_AUTO(crl_list_free) struct crl_list list = { 0 };

    if (!pem_walk_begin(&walk, pem, len, name, err) || !read_blocks(&walk, true, &list, err))
        return false;
    if (!cert_list_from_pem(pem, len, name, certs, err) && err->code != PS_E_CERT)
        return false;           /* a broken one among them */
    if (list.len == 0 && certs->len == 0)
        return fail_empty(name, err);
    ps_err_clear(err);
    hand_over(&list, out);
    return true;
}

bool crl_to_pem(const struct crl *crl, struct buf *out, struct ps_err *err)
{
    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = bio && PEM_write_bio_X509_CRL(bio, crl->x509_crl) ? BIO_get_mem_data(bio, &text) : 0;

    if (len <= 0 || !buf_put(out, text, (size_t)len))
        return tls_fail(err, PS_E_CRYPTO, _("could not encode a revocation list"));
    return true;
}

bool crl_from_der(const void *der, size_t len, struct crl **out, struct ps_err *err)
{
    const unsigned char *p = der;
    X509_CRL *x509_crl = len <= LONG_MAX ? d2i_X509_CRL(NULL, &p, (long)len) : NULL;

    if (!x509_crl || p != (const unsigned char *)der + len) {
        X509_CRL_free(x509_crl);
        return tls_fail(err, PS_E_SYNTAX, _("broken revocation list"));
    }
    *out = crl_wrap(x509_crl);
    return true;
}

bool crl_to_der(const struct crl *crl, struct buf *out, struct ps_err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl->x509_crl, &der);
    bool put = len > 0 && buf_put(out, der, (size_t)len);

    OPENSSL_free(der);
    return put || tls_fail(err, PS_E_CRYPTO, _("could not encode a revocation list"));
}

/* ---- making ---- */

static bool fail_make(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not make a revocation list"));
}

static ASN1_TIME *time_of(time_t when)
{
    return ASN1_TIME_adj(NULL, when, 0, 0);     /* UTCTime until 2049, then GeneralizedTime */
}

static bool put_reason(X509_REVOKED *revoked, int reason)
{
    PS_AUTO(ASN1_ENUMERATED_freep) ASN1_ENUMERATED *value = NULL;

    if (reason == CRL_REASON_UNSPECIFIED)
        return true;        /* should be left out: RFC 5280 5.3.1 */
    value = ASN1_ENUMERATED_new();
    return value && ASN1_ENUMERATED_set(value, reason)
        && X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0) == 1;
}

static bool add_entry(X509_CRL *x509_crl, const struct crl_entry *entry, struct ps_err *err)
{
    PS_AUTO(ASN1_INTEGER_freep) ASN1_INTEGER *serial = serial_from_hex(entry->serial_hex);
    PS_AUTO(ASN1_TIME_freep) ASN1_TIME *when = time_of(entry->revoked_at);

    if (!serial)
        return ps_fail(err, PS_E_VALUE, _("\"%s\" is not a serial number"), entry->serial_hex);

    X509_REVOKED *revoked = X509_REVOKED_new();
    if (!revoked || !when || !X509_REVOKED_set_serialNumber(revoked, serial)
        || !X509_REVOKED_set_revocationDate(revoked, when) || !put_reason(revoked, entry->reason)
        || !X509_CRL_add0_revoked(x509_crl, revoked)) {
        X509_REVOKED_free(revoked);
        return fail_make(err);
    }
    return true;
}

static bool put_header(X509_CRL *x509_crl, const struct cert *issuer, time_t this_update,
                       time_t next_update)
{
    PS_AUTO(ASN1_TIME_freep) ASN1_TIME *from = time_of(this_update);
    PS_AUTO(ASN1_TIME_freep) ASN1_TIME *until = time_of(next_update);

    return from && until && X509_CRL_set_version(x509_crl, X509_CRL_VERSION_2)
        && X509_CRL_set_issuer_name(x509_crl, X509_get_subject_name(issuer->x509))
        && X509_CRL_set1_lastUpdate(x509_crl, from) && X509_CRL_set1_nextUpdate(x509_crl, until);
}

static bool put_extensions(X509_CRL *x509_crl, const struct cert *issuer, int64_t number)
{
    PS_AUTO(AUTHORITY_KEYID_freep) AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    PS_AUTO(ASN1_INTEGER_freep) ASN1_INTEGER *count = ASN1_INTEGER_new();
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(issuer->x509);

    if (!id || !count || !key_id)
        return false;
    id->keyid = ASN1_OCTET_STRING_dup(key_id);
    return id->keyid && ASN1_INTEGER_set_int64(count, number)
        && X509_CRL_add1_ext_i2d(x509_crl, NID_authority_key_identifier, id, 0, 0) == 1
        && X509_CRL_add1_ext_i2d(x509_crl, NID_crl_number, count, 0, 0) == 1;
}

bool crl_build(const struct cert *issuer, const struct key *issuer_key,
               const struct crl_spec *spec, struct crl **out, struct ps_err *err)
{
    PS_AUTO(X509_CRL_freep) X509_CRL *x509_crl = X509_CRL_new();

    ERR_clear_error();
    if (!x509_crl || !put_header(x509_crl, issuer, spec->this_update, spec->next_update)
        || !put_extensions(x509_crl, issuer, spec->number)
        || (spec->uri && !tls_put_crl_scope(x509_crl, spec->uri)))
        return fail_make(err);
    for (size_t i = 0; i < spec->len; i++)
        if (!add_entry(x509_crl, &spec->entries[i], err))
            return false;
    if (!X509_CRL_sort(x509_crl)
        || !X509_CRL_sign(x509_crl, issuer_key->pkey, tls_signature_digest(issuer_key->pkey)))
        return fail_make(err);

    *out = crl_wrap(PS_TAKE(x509_crl));
    return true;
}

bool crl_make(const struct cert *issuer, const struct key *issuer_key,
              const struct crl_entry *entries, size_t len, int64_t number, time_t this_update,
              time_t next_update, struct crl **out, struct ps_err *err)
{
    const struct crl_spec spec = { .entries = entries, .len = len, .number = number,
                                   .this_update = this_update, .next_update = next_update };

    return crl_build(issuer, issuer_key, &spec, out, err);
}

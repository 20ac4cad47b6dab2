/* csr.c - see csr.h. */
#include "tls/csr.h"

#include <openssl/pem.h>

#include "tls/internal.h"

static void free_extensions(STACK_OF(X509_EXTENSION) **extensions)
{
    sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

void csr_free(struct csr *csr)
{
    X509_REQ_free(csr->x509_req);
    arena_free(csr->arena);
    free(csr);
}

const struct csr_info *csr_info(const struct csr *csr)
{
    return &csr->info;
}

/* ---- what it asks for ---- */

static bool has_nul(const ASN1_STRING *text)
{
    return memchr(ASN1_STRING_get0_data(text), 0, (size_t)ASN1_STRING_length(text)) != NULL;
}

/* BMPString and UniversalString have zero bytes by nature. */
static bool is_wide(const ASN1_STRING *text)
{
    return ASN1_STRING_type(text) == V_ASN1_BMPSTRING
        || ASN1_STRING_type(text) == V_ASN1_UNIVERSALSTRING;
}

static bool subject_has_nul(const X509_NAME *name)
{
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
        unsigned char *utf8 = NULL;
        int len = is_wide(value) ? ASN1_STRING_to_UTF8(&utf8, value) : 0;
        bool found = is_wide(value) ? len > 0 && memchr(utf8, 0, (size_t)len) : has_nul(value);

        OPENSSL_free(utf8);
        if (found)
            return true;
    }
    return false;
}

static bool names_have_nul(const GENERAL_NAMES *names)
{
    for (int i = 0; i < (names ? sk_GENERAL_NAME_num(names) : 0); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS && has_nul(name->d.dNSName))
            return true;
    }
    return false;
}

static size_t list_len(const char *const *list)
{
    size_t len = 0;

    while (list[len])
        len++;
    return len;
}

static void read_key(struct csr *csr)
{
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(csr->x509_req);
    char text[64];

    csr->info.key_bits = EVP_PKEY_get_bits(pkey);
    csr->info.key_text = arena_strdup(csr->arena, tls_pkey_describe(pkey, text, sizeof(text)));
}

static unsigned read_uses(STACK_OF(X509_EXTENSION) *extensions)
{
    EXTENDED_KEY_USAGE *usage = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
    unsigned uses = 0;

    for (int i = 0; i < (usage ? sk_ASN1_OBJECT_num(usage) : 0); i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, i));

        uses |= nid == NID_server_auth ? CERT_USE_SERVER
              : nid == NID_client_auth ? CERT_USE_CLIENT : CERT_USE_OTHER;
    }
    EXTENDED_KEY_USAGE_free(usage);
    return uses;
}

static bool read_wishes(struct csr *csr, const char *name, struct ps_err *err)
{
    PS_AUTO(free_extensions) STACK_OF(X509_EXTENSION) *extensions =
        X509_REQ_get_extensions(csr->x509_req);
    PS_AUTO(GENERAL_NAMES_freep) GENERAL_NAMES *names =
        X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    PS_AUTO(BASIC_CONSTRAINTS_freep) BASIC_CONSTRAINTS *basic =
        X509V3_get_d2i(extensions, NID_basic_constraints, NULL, NULL);
    const X509_NAME *subject = X509_REQ_get_subject_name(csr->x509_req);
    struct csr_info *info = &csr->info;

    ERR_clear_error();      /* what is absent or broken was not asked for */
    if (subject_has_nul(subject) || names_have_nul(names))
        return ps_fail(err, PS_E_VALUE, _("a name in the request \"%s\" has a NUL byte"), name);
    info->subject = tls_name_text(csr->arena, subject);
    tls_dn_read(csr->arena, subject, &info->dn);
    tls_hosts_read(csr->arena, names, &info->dns, &info->ip);
    info->other_names = (names ? (size_t)sk_GENERAL_NAME_num(names) : 0) - list_len(info->dns)
                      - list_len(info->ip);
    info->wants_ca = basic && basic->ca;
    info->uses = read_uses(extensions);
    ERR_clear_error();
    return true;
}

static struct csr *csr_wrap(X509_REQ *x509_req)
{
    struct csr *csr = ps_calloc(1, sizeof(*csr));

    csr->x509_req = x509_req;
    csr->arena = arena_new();
    return csr;
}

/* ---- reading ---- */

static bool check(X509_REQ *x509_req, const char *name, struct csr **out, struct ps_err *err)
{
    PS_AUTO(csr_freep) struct csr *csr = csr_wrap(x509_req);
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(x509_req);

    if (!pkey)
        return tls_fail(err, PS_E_SYNTAX, _("the request \"%s\" has no key that can be read"), name);
    if (X509_REQ_verify(x509_req, pkey) != 1) {
        tls_fail(err, PS_E_CERT, _("the signature of the request \"%s\" is wrong"), name);
        return ps_hint(err, _("It was damaged, or whoever sent it does not have the key."));
    }
    read_key(csr);
    if (!read_wishes(csr, name, err))
        return false;
    *out = PS_TAKE(csr);
    return true;
}

static X509_REQ *parse_der(const unsigned char *der, long len)
{
    const unsigned char *p = der;
    PS_AUTO(X509_REQ_freep) X509_REQ *x509_req = d2i_X509_REQ(NULL, &p, len);

    return x509_req && p == der + len ? PS_TAKE(x509_req) : NULL;
}

static bool is_request_block(const char *type)
{
    return strcmp(type, PEM_STRING_X509_REQ) == 0 || strcmp(type, PEM_STRING_X509_REQ_OLD) == 0;
}

static bool read_pem(const char *bytes, size_t len, const char *name, X509_REQ **out,
                     struct ps_err *err)
{
    PS_AUTO(pem_walk_end) struct pem_walk walk = { 0 };
    PS_AUTO(X509_REQ_freep) X509_REQ *found = NULL;
    bool end;

    if (!pem_walk_begin(&walk, bytes, len, name, err))
        return false;
    for (;;) {
        if (!pem_walk_next(&walk, &end, err))
            return false;
        if (end)
            break;
        if (!is_request_block(walk.type))
            continue;
        if (found)
            return ps_fail(err, PS_E_SYNTAX, _("more than one request in \"%s\""), name);
        found = parse_der(walk.der, walk.der_len);
        if (!found)
            return pem_walk_broken(&walk, err);
    }
    if (!found) {
        ps_fail(err, PS_E_SYNTAX, _("no certification request in \"%s\""), name);
        return ps_hint(err, _("It must be PKCS#10, in PEM form (\"-----BEGIN CERTIFICATE "
                              "REQUEST-----\") or DER."));
    }
    *out = PS_TAKE(found);
    return true;
}

bool csr_read(const char *bytes, size_t len, const char *name, struct csr **out,
              struct ps_err *err)
{
    PS_AUTO(X509_REQ_freep) X509_REQ *x509_req = NULL;

    ERR_clear_error();
    if (len > CSR_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("the request \"%s\" is too big"), name);
    x509_req = parse_der((const unsigned char *)bytes, (long)len);
    ERR_clear_error();
    if (!x509_req && !read_pem(bytes, len, name, &x509_req, err))
        return false;
    return check(PS_TAKE(x509_req), name, out, err);
}

/* ---- writing ---- */

static bool fail_write(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not encode a certification request"));
}

bool csr_to_pem(const struct csr *csr, struct buf *out, struct ps_err *err)
{
    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = bio && PEM_write_bio_X509_REQ(bio, csr->x509_req) ? BIO_get_mem_data(bio, &text) : 0;

    return (len > 0 && buf_put(out, text, (size_t)len)) || fail_write(err);
}

bool csr_to_der(const struct csr *csr, struct buf *out, struct ps_err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(csr->x509_req, &der);
    bool fits = len > 0 && buf_put(out, der, (size_t)len);

    OPENSSL_free(der);
    return fits || fail_write(err);
}

bool csr_key(const struct csr *csr, struct key **out, struct ps_err *err)
{
    EVP_PKEY *pkey = X509_REQ_get_pubkey(csr->x509_req);

    if (!pkey)
        return tls_fail(err, PS_E_CRYPTO, _("could not read the key of a request"));
    *out = key_wrap(pkey);
    return true;
}

/* ---- making ---- */

/* The key identifiers are for whoever signs to give. */
static bool is_for_signer(X509_EXTENSION *extension)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

    return nid == NID_subject_key_identifier || nid == NID_authority_key_identifier;
}

static bool copy_extensions(X509_REQ *x509_req, X509 *from)
{
    PS_AUTO(free_extensions) STACK_OF(X509_EXTENSION) *wishes = sk_X509_EXTENSION_new_null();

    for (int i = 0; wishes && i < X509_get_ext_count(from); i++) {
        X509_EXTENSION *extension = X509_get_ext(from, i);
        X509_EXTENSION *copy = is_for_signer(extension) ? NULL : X509_EXTENSION_dup(extension);

        if (copy && !sk_X509_EXTENSION_push(wishes, copy)) {
            X509_EXTENSION_free(copy);
            return false;
        }
    }
    return wishes && X509_REQ_add_extensions(x509_req, wishes) == 1;
}

/* A request asks for what a certificate signed with its own key says already. */
bool csr_make(const struct cert_spec *spec, const struct key *key, struct csr **out,
              struct ps_err *err)
{
    PS_AUTO(cert_freep) struct cert *like = NULL;
    PS_AUTO(X509_REQ_freep) X509_REQ *x509_req = X509_REQ_new();

    if (!cert_make(spec, key, NULL, key, &like, err))
        return false;
    if (!x509_req || !X509_REQ_set_version(x509_req, X509_REQ_VERSION_1)
        || !X509_REQ_set_subject_name(x509_req, X509_get_subject_name(like->x509))
        || !X509_REQ_set_pubkey(x509_req, key->pkey) || !copy_extensions(x509_req, like->x509)
        || !X509_REQ_sign(x509_req, key->pkey, tls_signature_digest(key->pkey)))
        return tls_fail(err, PS_E_CRYPTO, _("could not make a certification request"));
    return check(PS_TAKE(x509_req), "new", out, err);
}

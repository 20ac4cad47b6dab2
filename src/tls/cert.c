/* cert.c - certificates read and described; see cert.h.  Making them is in cert_make.c. */
#include "tls/cert.h"

#include <arpa/inet.h>

#include <openssl/pem.h>

#include "tls/digest.h"
#include "tls/internal.h"

enum { CERT_DER_MAX = 1 << 20 };

/* ---- what it says ---- */

static const char *name_text(struct arena *arena, const ASN1_STRING *value)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, value);

    if (len < 0) {
        ERR_clear_error();
        return "";
    }
    const char *text = arena_strndup(arena, (const char *)utf8, (size_t)len);
    OPENSSL_free(utf8);
    return text;
}

static const char *field(struct arena *arena, const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);

    if (at < 0)
        return "";
    return name_text(arena, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

void tls_dn_read(struct arena *arena, const X509_NAME *name, struct cert_dn *out)
{
    *out = (struct cert_dn){
        .c = field(arena, name, NID_countryName),
        .st = field(arena, name, NID_stateOrProvinceName),
        .l = field(arena, name, NID_localityName),
        .o = field(arena, name, NID_organizationName),
        .ou = field(arena, name, NID_organizationalUnitName),
        .cn = field(arena, name, NID_commonName),
    };
}

static const char *address_text(struct arena *arena, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(address);

    if ((len != 4 && len != 16)
        || !inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                      sizeof(text)))
        return NULL;
    return arena_strdup(arena, text);
}

void tls_hosts_read(struct arena *arena, const GENERAL_NAMES *names, const char *const **dns_out,
                    const char *const **ip_out)
{
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    size_t size = ((size_t)count + 1) * sizeof(char *);
    const char **dns = arena_alloc(arena, size), **ip = arena_alloc(arena, size);

    *dns_out = dns;
    *ip_out = ip;
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            *dns++ = name_text(arena, name->d.dNSName);
        else if (name->type == GEN_IPADD && (*ip = address_text(arena, name->d.iPAddress)))
            ip++;
    }
}

static const char *key_id_text(struct arena *arena, X509 *x509)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x509);
    int len = id ? ASN1_STRING_length(id) : 0;
    char *text = arena_alloc(arena, 2 * (size_t)len + 1);

    for (int i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", ASN1_STRING_get0_data(id)[i]);
    return text;
}

static void read_names(struct cert *cert)
{
    PS_AUTO(GENERAL_NAMES_freep) GENERAL_NAMES *names =
        X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);

    tls_hosts_read(cert->arena, names, &cert->info.dns, &cert->info.ip);
}

static unsigned read_uses(X509 *x509)
{
    uint32_t usage = X509_get_extended_key_usage(x509);
    unsigned uses = CERT_USE_ANY;

    if (usage == UINT32_MAX)
        return CERT_USE_ANY;
    if (usage & XKU_SSL_SERVER)
        uses |= CERT_USE_SERVER;
    if (usage & XKU_SSL_CLIENT)
        uses |= CERT_USE_CLIENT;
    if (uses == CERT_USE_ANY || (usage & ~(uint32_t)(XKU_SSL_SERVER | XKU_SSL_CLIENT)))
        uses |= CERT_USE_OTHER;
    return uses;
}

static void read_powers(X509 *x509, struct cert_info *out)
{
    PS_AUTO(BASIC_CONSTRAINTS_freep) BASIC_CONSTRAINTS *basic =
        X509_get_ext_d2i(x509, NID_basic_constraints, NULL, NULL);
    uint32_t usage = X509_get_key_usage(x509);      /* all bits without the extension */

    out->is_ca = basic && basic->ca;
    out->path_len = basic && basic->pathlen ? (int)ASN1_INTEGER_get(basic->pathlen) : -1;
    out->signs_certs = (usage & KU_KEY_CERT_SIGN) != 0;
    out->signs_crls = (usage & KU_CRL_SIGN) != 0;
}

static void read_key(struct cert *cert)
{
    char text[64];
    EVP_PKEY *pkey = X509_get0_pubkey(cert->x509);

    cert->info.key_bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;
    cert->info.key_text = pkey
        ? arena_strdup(cert->arena, tls_pkey_describe(pkey, text, sizeof(text))) : "?";
    cert->info.signature_text = OBJ_nid2ln(X509_get_signature_nid(cert->x509));
    if (!cert->info.signature_text)
        cert->info.signature_text = "?";
}

static const char *fingerprint(struct arena *arena, X509 *x509)
{
    char hex[DIGEST_HEX] = "?";
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);

    if (len > 0)
        digest_sha256_hex(der, (size_t)len, hex);
    OPENSSL_free(der);
    return arena_strdup(arena, hex);
}

struct cert *cert_wrap(X509 *x509)
{
    struct cert *cert = ps_calloc(1, sizeof(*cert));
    struct cert_info *info = &cert->info;

    cert->x509 = x509;
    cert->refs = 1;
    cert->arena = arena_new();
    info->subject = tls_name_text(cert->arena, X509_get_subject_name(x509));
    info->issuer = tls_name_text(cert->arena, X509_get_issuer_name(x509));
    tls_dn_read(cert->arena, X509_get_subject_name(x509), &info->dn);
    info->common_name = info->dn.cn;
    info->serial_hex = tls_serial_hex(cert->arena, X509_get0_serialNumber(x509));
    info->serial_dec = tls_serial_dec(cert->arena, X509_get0_serialNumber(x509));
    info->key_id = key_id_text(cert->arena, x509);
    info->fingerprint = fingerprint(cert->arena, x509);
    info->not_before = tls_time(X509_get0_notBefore(x509));
    info->not_after = tls_time(X509_get0_notAfter(x509));
    info->self_issued =
        X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
    read_powers(x509, info);
    info->uses = read_uses(x509);
    read_key(cert);
    read_names(cert);
    ERR_clear_error();      /* a part that cannot be read is absent, not an error */
    return cert;
}

const struct cert_info *cert_info(const struct cert *cert)
{
    return &cert->info;
}

/* ---- ownership ---- */

struct cert *cert_ref(struct cert *cert)
{
    cert->refs++;
    return cert;
}

void cert_free(struct cert *cert)
{
    if (--cert->refs > 0)
        return;
    X509_free(cert->x509);
    arena_free(cert->arena);
    free(cert);
}

void cert_list_add(struct cert_list *list, struct cert *cert)
{
    PS_PUSH(list->at, list->len, list->cap) = cert_ref(cert);
}

void cert_list_free(struct cert_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        cert_free(list->at[i]);
    free(list->at);
    *list = (struct cert_list){ 0 };
}

static void add_wrapped(struct cert_list *list, X509 *x509)
{
    PS_PUSH(list->at, list->len, list->cap) = cert_wrap(x509);
}

/* ---- reading and writing ---- */

static X509 *parse_der(const unsigned char *der, long len)
{
    const unsigned char *p = der;
    PS_AUTO(X509_freep) X509 *x509 = d2i_X509(NULL, &p, len);

    return x509 && p == der + len ? PS_TAKE(x509) : NULL;
}

static bool is_cert_block(const char *type)
{
    return strcmp(type, PEM_STRING_X509) == 0 || strcmp(type, PEM_STRING_X509_OLD) == 0;
}

static bool read_blocks(struct pem_walk *walk, struct cert_list *out, struct ps_err *err)
{
    bool end;

    for (;;) {
        if (!pem_walk_next(walk, &end, err))
            return false;
        if (end)
            return true;
        if (!is_cert_block(walk->type))
            continue;
        if (out->len == CERT_LIST_MAX) {
            ps_fail(err, PS_E_TOO_BIG, _("too many certificates in \"%s\""), walk->name);
            return ps_detail(err, _("At most %d are read."), CERT_LIST_MAX);
        }
        X509 *x509 = parse_der(walk->der, walk->der_len);
        if (!x509)
            return pem_walk_broken(walk, err);
        add_wrapped(out, x509);
    }
}

bool cert_list_from_pem(const char *pem, size_t len, const char *name, struct cert_list *out,
                        struct ps_err *err)
{
    PS_AUTO(pem_walk_end) struct pem_walk walk = { 0 };
    PS_AUTO(cert_list_free) struct cert_list list = { 0 };

    if (!pem_walk_begin(&walk, pem, len, name, err) || !read_blocks(&walk, &list, err))
        return false;
    if (list.len == 0) {
        ps_fail(err, PS_E_CERT, _("no certificate in \"%s\""), name);
        return ps_hint(err, _("It must be in PEM form: \"-----BEGIN CERTIFICATE-----\"."));
    }
    for (size_t i = 0; i < list.len; i++)
        cert_list_add(out, list.at[i]);
    return true;
}

bool cert_from_der(const void *der, size_t len, struct cert **out, struct ps_err *err)
{
    X509 *x509 = len <= CERT_DER_MAX ? parse_der(der, (long)len) : NULL;

    if (!x509)
        return tls_fail(err, PS_E_SYNTAX, _("broken certificate"));
    *out = cert_wrap(x509);
    return true;
}

bool cert_to_der(const struct cert *cert, struct buf *out, struct ps_err *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert->x509, &der);
    bool fits = len > 0 && buf_put(out, der, (size_t)len);

    OPENSSL_free(der);
    return fits || tls_fail(err, PS_E_CRYPTO, _("could not encode a certificate"));
}

bool cert_to_pem(const struct cert *cert, struct buf *out, struct ps_err *err)
{
    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = bio && PEM_write_bio_X509(bio, cert->x509) ? BIO_get_mem_data(bio, &text) : 0;

    if (len <= 0 || !buf_put(out, text, (size_t)len))
        return tls_fail(err, PS_E_CRYPTO, _("could not encode a certificate"));
    return true;
}

/* ---- comparing ---- */

bool cert_matches_key(const struct cert *cert, const struct key *key)
{
    EVP_PKEY *pkey = X509_get0_pubkey(cert->x509);
    bool same = pkey && EVP_PKEY_eq(pkey, key->pkey) == 1;

    ERR_clear_error();
    return same;
}

const char *cert_key_sha256(const struct cert *cert, char out[CERT_FINGERPRINT_HEX])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der);

    *out = '\0';
    if (len > 0)
        digest_sha256_hex(der, (size_t)len, out);
    OPENSSL_free(der);
    ERR_clear_error();
    return out;
}

size_t cert_end_point(const struct cert *cert, unsigned char out[CERT_END_POINT_MAX])
{
    const EVP_MD *digest = NULL;
    unsigned len = 0;
    int nid = NID_undef;

    if (X509_get_signature_info(cert->x509, &nid, NULL, NULL, NULL))
        digest = nid == NID_md5 || nid == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(nid);
    if (!digest || EVP_MD_get_size(digest) > CERT_END_POINT_MAX || !X509_digest(cert->x509, digest, out, &len))
        len = 0;
    ERR_clear_error();
    return len;
}

bool cert_public_key(const struct cert *cert, struct key **out, struct ps_err *err)
{
    EVP_PKEY *pkey = X509_get_pubkey(cert->x509);

    if (!pkey)
        return tls_fail(err, PS_E_CERT, _("could not read the key of a certificate"));
    *out = key_wrap(pkey);
    return true;
}

bool cert_same(const struct cert *a, const struct cert *b)
{
    return strcmp(a->info.fingerprint, b->info.fingerprint) == 0;
}

bool cert_issued_by(const struct cert *cert, const struct cert *issuer)
{
    EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
    bool issued = pkey
        && X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509)) == 0
        && X509_verify(cert->x509, pkey) == 1;

    ERR_clear_error();
    return issued;
}

/* cert_make.c - certificates made and signed, with the extensions of RFC 5280 4.2; see cert.h. */
#include "tls/cert.h"

#include <arpa/inet.h>

#include <openssl/rand.h>

#include "tls/internal.h"
#include "tls/name.h"

static bool fail_make(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
}

/* ---- names ---- */

static bool put_name_field(X509_NAME *name, int nid, const char *label, const char *value,
                           struct ps_err *err)
{
    if (!value || !*value)
        return true;

    /* MBSTRING_UTF8: OpenSSL checks the bounds of RFC 5280 A.1 and picks PrintableString for C and
     * UTF8String for the others */
    if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
                                   0))
        return true;
    tls_fail(err, PS_E_VALUE, _("\"%s\" cannot be the %s of a certificate"), value, label);
    return ps_hint(err, nid == NID_countryName
                       ? _("C is a country's code of two letters, such as ES.")
                       : _("It must be valid UTF-8 of at most 64 characters (128 for ST and L)."));
}

static bool put_subject(X509 *x509, const struct cert_dn *dn, struct ps_err *err)
{
    X509_NAME *name = X509_get_subject_name(x509);

    return put_name_field(name, NID_countryName, "C", dn->c, err)
        && put_name_field(name, NID_stateOrProvinceName, "ST", dn->st, err)
        && put_name_field(name, NID_localityName, "L", dn->l, err)
        && put_name_field(name, NID_organizationName, "O", dn->o, err)
        && put_name_field(name, NID_organizationalUnitName, "OU", dn->ou, err)
        && put_name_field(name, NID_commonName, "CN", dn->cn, err);
}

static bool is_dns_name(const char *host)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *rest = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
    size_t len = strlen(rest);

    return len > 0 && strlen(host) <= 253 && strspn(rest, letters) == len && rest[0] != '.'
        && !strstr(rest, "..");
}

static GENERAL_NAME *address_name(const char *host)
{
    unsigned char bytes[16];
    struct in_addr v4;
    int len = 16;

    if (inet_aton(host, &v4)) {     /* as libpq reads it, short forms too */
        memcpy(bytes, &v4, sizeof(v4));
        len = 4;
    } else if (inet_pton(AF_INET6, host, bytes) != 1) {
        return NULL;
    }

    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    if (!name || !octets || !ASN1_OCTET_STRING_set(octets, bytes, len)) {
        GENERAL_NAME_free(name);
        ASN1_OCTET_STRING_free(octets);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_IPADD, octets);
    return name;
}

static GENERAL_NAME *dns_name(const char *host)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    if (!name || !text || !ASN1_STRING_set(text, host, -1)) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(text);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    return name;
}

static bool add_host(GENERAL_NAMES *names, const char *host, struct ps_err *err)
{
    bool address = name_is_address(host);

    if (!address && !is_dns_name(host)) {
        ps_fail(err, PS_E_VALUE, _("\"%s\" is neither a host name nor an address"), host);
        return ps_hint(err, _("Write names in ASCII (punycode) without a port, and IPv6 addresses "
                              "without brackets or zone."));
    }

    GENERAL_NAME *name = address ? address_name(host) : dns_name(host);
    if (!name || !sk_GENERAL_NAME_push(names, name)) {
        GENERAL_NAME_free(name);
        return fail_make(err);
    }
    return true;
}

/* ---- extensions ---- */

static bool put_hosts(X509 *x509, const char *const *hosts, struct ps_err *err)
{
    PS_AUTO(GENERAL_NAMES_freep) GENERAL_NAMES *names = NULL;

    if (!hosts || !hosts[0])
        return true;
    names = GENERAL_NAMES_new();
    if (!names)
        return fail_make(err);
    for (; *hosts; hosts++)
        if (!add_host(names, *hosts, err))
            return false;

    /* critical when the subject is empty: RFC 5280 4.1.2.6 */
    int critical = X509_NAME_entry_count(X509_get_subject_name(x509)) == 0;
    return X509_add1_ext_i2d(x509, NID_subject_alt_name, names, critical, 0) || fail_make(err);
}

static bool put_basic(X509 *x509, const struct cert_spec *spec)
{
    PS_AUTO(BASIC_CONSTRAINTS_freep) BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();

    if (!basic)
        return false;
    basic->ca = spec->is_ca ? 0xff : 0;
    if (spec->is_ca && spec->path_len >= 0) {
        basic->pathlen = ASN1_INTEGER_new();
        if (!basic->pathlen || !ASN1_INTEGER_set(basic->pathlen, spec->path_len))
            return false;
    }
    return X509_add1_ext_i2d(x509, NID_basic_constraints, basic, 1, 0) == 1;
}

static bool put_key_usage(X509 *x509, bool is_ca)
{
    enum { DIGITAL_SIGNATURE = 0, KEY_CERT_SIGN = 5, CRL_SIGN = 6 };    /* bits: RFC 5280 4.2.1.3 */
    PS_AUTO(ASN1_BIT_STRING_freep) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool set = bits && (is_ca ? ASN1_BIT_STRING_set_bit(bits, KEY_CERT_SIGN, 1)
                                && ASN1_BIT_STRING_set_bit(bits, CRL_SIGN, 1)
                              : ASN1_BIT_STRING_set_bit(bits, DIGITAL_SIGNATURE, 1));

    return set && X509_add1_ext_i2d(x509, NID_key_usage, bits, 1, 0) == 1;
}

static bool put_uses(X509 *x509, unsigned uses)
{
    PS_AUTO(EXTENDED_KEY_USAGE_freep) EXTENDED_KEY_USAGE *purposes = EXTENDED_KEY_USAGE_new();

    if (uses == CERT_USE_ANY)
        return true;
    if (!purposes)
        return false;
    if ((uses & CERT_USE_SERVER) && !sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_server_auth)))
        return false;
    if ((uses & CERT_USE_CLIENT) && !sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_client_auth)))
        return false;
    return X509_add1_ext_i2d(x509, NID_ext_key_usage, purposes, 0, 0) == 1;
}

/* Key identifier: the first 160 bits of the SHA-256 of the public key, RFC 7093 2 (1). */
static bool put_subject_key_id(X509 *x509)
{
    PS_AUTO(ASN1_OCTET_STRING_freep) ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    return id && X509_pubkey_digest(x509, EVP_sha256(), sum, &len)
        && ASN1_OCTET_STRING_set(id, sum, 20)
        && X509_add1_ext_i2d(x509, NID_subject_key_identifier, id, 0, 0) == 1;
}

static bool put_authority_key_id(X509 *x509, X509 *issuer)
{
    PS_AUTO(AUTHORITY_KEYID_freep) AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(issuer);

    if (!key_id)
        return true;        /* a foreign issuer without one */
    if (!id)
        return false;
    id->keyid = ASN1_OCTET_STRING_dup(key_id);
    return id->keyid && X509_add1_ext_i2d(x509, NID_authority_key_identifier, id, 0, 0) == 1;
}

/* ---- the body ---- */

bool cert_new_serial(unsigned char out[CERT_SERIAL_BYTES], struct ps_err *err)
{
    ERR_clear_error();
    if (RAND_bytes(out, CERT_SERIAL_BYTES) != 1)
        return tls_fail(err, PS_E_CRYPTO, _("could not get random bytes"));
    out[0] = (unsigned char)(0x40 | (out[0] & 0x3f));
    return true;
}

static bool put_serial(X509 *x509, const struct cert_spec *spec, struct ps_err *err)
{
    unsigned char made[CERT_SERIAL_BYTES];
    PS_AUTO(BN_freep) BIGNUM *number = NULL;

    if (!spec->serial && !cert_new_serial(made, err))
        return false;
    number = BN_bin2bn(spec->serial ? spec->serial : made, CERT_SERIAL_BYTES, NULL);
    return (number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509))) || fail_make(err);
}

static bool put_times(X509 *x509, const struct cert_spec *spec, const struct cert *issuer)
{
    time_t end = spec->not_after;

    if (issuer && issuer->info.not_after < end)
        end = issuer->info.not_after;

    /* X509_time_adj picks UTCTime until 2049 and GeneralizedTime after it: RFC 5280 4.1.2.5 */
    time_t from = spec->not_before;
    return X509_time_adj_ex(X509_getm_notBefore(x509), 0, 0, &from)
        && X509_time_adj_ex(X509_getm_notAfter(x509), 0, 0, &end);
}

static bool fill_extensions(X509 *x509, const struct cert_spec *spec, const struct cert *issuer,
                            struct ps_err *err)
{
    if (!put_basic(x509, spec) || !put_key_usage(x509, spec->is_ca) || !put_uses(x509, spec->uses)
        || !put_subject_key_id(x509) || (issuer && !put_authority_key_id(x509, issuer->x509)))
        return fail_make(err);
    if (spec->crl_uri && !tls_put_crl_point(x509, spec->crl_uri))
        return fail_make(err);
    return tls_put_constraints(x509, spec, err) && put_hosts(x509, spec->hosts, err);
}

bool cert_make(const struct cert_spec *spec, const struct key *public_of,
               const struct cert *issuer, const struct key *issuer_key, struct cert **out,
               struct ps_err *err)
{
    PS_AUTO(X509_freep) X509 *x509 = X509_new();
    const struct key *signer = issuer ? issuer_key : public_of;

    ERR_clear_error();
    if (!x509 || !X509_set_version(x509, X509_VERSION_3)
        || !put_times(x509, spec, issuer) || !X509_set_pubkey(x509, public_of->pkey))
        return fail_make(err);
    if (!put_serial(x509, spec, err) || !put_subject(x509, &spec->subject, err))
        return false;
    if (!X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509)))
        return fail_make(err);
    if (!fill_extensions(x509, spec, issuer, err))
        return false;
    if (!X509_sign(x509, signer->pkey, tls_signature_digest(signer->pkey)))
        return fail_make(err);

    *out = cert_wrap(PS_TAKE(x509));
    return true;
}

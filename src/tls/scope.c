/* scope.c - what limits a certificate or a CRL: distribution points and name constraints. */
#include <arpa/inet.h>

#include "base/num.h"
#include "tls/internal.h"

/* ---- distribution points: RFC 5280 4.2.1.13 and 5.2.5 ---- */

static GENERAL_NAME *ia5_name(int type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *ia5 = ASN1_IA5STRING_new();

    if (!name || !ia5 || !ASN1_STRING_set(ia5, text, -1)) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(ia5);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, type, ia5);
    return name;
}

static DIST_POINT_NAME *full_name(const char *uri)
{
    enum { FULL_NAME = 0 };
    PS_AUTO(DIST_POINT_NAME_freep) DIST_POINT_NAME *point = DIST_POINT_NAME_new();
    GENERAL_NAME *name = ia5_name(GEN_URI, uri);

    if (point) {
        point->type = FULL_NAME;
        point->name.fullname = GENERAL_NAMES_new();
    }
    if (!point || !name || !point->name.fullname
        || !sk_GENERAL_NAME_push(point->name.fullname, name)) {
        GENERAL_NAME_free(name);
        return NULL;
    }
    return PS_TAKE(point);
}

bool tls_put_crl_point(X509 *x509, const char *uri)
{
    PS_AUTO(CRL_DIST_POINTS_freep) CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *point = DIST_POINT_new();

    if (!points || !point || !sk_DIST_POINT_push(points, point)) {
        DIST_POINT_free(point);
        return false;
    }
    point->distpoint = full_name(uri);
    return point->distpoint
        && X509_add1_ext_i2d(x509, NID_crl_distribution_points, points, 0, 0) == 1;
}

bool tls_put_crl_scope(X509_CRL *x509_crl, const char *uri)
{
    PS_AUTO(ISSUING_DIST_POINT_freep) ISSUING_DIST_POINT *scope = ISSUING_DIST_POINT_new();

    if (!scope)
        return false;
    scope->distpoint = full_name(uri);
    return scope->distpoint
        && X509_CRL_add1_ext_i2d(x509_crl, NID_issuing_distribution_point, scope, 1, 0) == 1;
}

/* ---- name constraints: RFC 5280 4.2.1.10 ---- */

static bool fail_constraint(const char *text, struct ps_err *err)
{
    ps_fail(err, PS_E_VALUE, _("\"%s\" cannot be a name constraint"), text);
    return ps_hint(err, _("Write a domain such as example.net, or a network such as 10.0.0.0/8."));
}

static bool add_subtree(NAME_CONSTRAINTS *limits, GENERAL_NAME *name)
{
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();

    if (!name || !tree || !sk_GENERAL_SUBTREE_push(limits->permittedSubtrees, tree)) {
        GENERAL_NAME_free(name);
        GENERAL_SUBTREE_free(tree);
        return false;
    }
    GENERAL_NAME_free(tree->base);
    tree->base = name;
    return true;
}

static bool is_domain(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(text);

    return len > 0 && len <= 253 && strspn(text, letters) == len && !strstr(text, "..");
}

/* Address and mask, one after the other: 8 bytes, or 32. */
static int network_bytes(const char *text, unsigned char out[32])
{
    PS_AUTO(ps_freep) char *address = ps_strdup(text);
    char *slash = strchr(address, '/');
    long bits;

    if (slash)
        *slash = '\0';
    int len = inet_pton(AF_INET, address, out) == 1 ? 4
            : inet_pton(AF_INET6, address, out) == 1 ? 16 : 0;
    if (len == 0 || !slash || !num_parse(slash + 1, 0, 8 * len, &bits))
        return 0;
    for (int i = 0; i < len; i++) {
        long left = bits - 8 * i;

        out[len + i] = left >= 8 ? 0xff : left <= 0 ? 0 : (unsigned char)(0xff << (8 - left));
        out[i] &= out[len + i];
    }
    return 2 * len;
}

static GENERAL_NAME *network_name(const unsigned char *bytes, int len)
{
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

static bool permit_dns(NAME_CONSTRAINTS *limits, const char *text, struct ps_err *err)
{
    if (!is_domain(text))
        return fail_constraint(text, err);
    return add_subtree(limits, ia5_name(GEN_DNS, text))
        || tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
}

static bool permit_ip(NAME_CONSTRAINTS *limits, const char *text, struct ps_err *err)
{
    unsigned char bytes[32];
    int len = network_bytes(text, bytes);

    if (len == 0)
        return fail_constraint(text, err);
    return add_subtree(limits, network_name(bytes, len))
        || tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
}

bool tls_put_constraints(X509 *x509, const struct cert_spec *spec, struct ps_err *err)
{
    PS_AUTO(NAME_CONSTRAINTS_freep) NAME_CONSTRAINTS *limits = NULL;
    const char *const *dns = spec->permit_dns, *const *ip = spec->permit_ip;

    if ((!dns || !*dns) && (!ip || !*ip))
        return true;
    limits = NAME_CONSTRAINTS_new();
    if (limits)
        limits->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    if (!limits || !limits->permittedSubtrees)
        return tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
    for (; dns && *dns; dns++)
        if (!permit_dns(limits, *dns, err))
            return false;
    for (; ip && *ip; ip++)
        if (!permit_ip(limits, *ip, err))
            return false;
    return X509_add1_ext_i2d(x509, NID_name_constraints, limits, 1, 0) == 1
        || tls_fail(err, PS_E_CRYPTO, _("could not make a certificate"));
}

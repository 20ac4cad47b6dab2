/* issue.c - leaves: made, verified as the peer will, recorded, and only then given out. */
#include "ca/internal.h"

#include "base/clock.h"
#include "tls/verify.h"

enum { DAYS_MAX = 36500, CN_MAX = 64 };     /* ub-common-name of RFC 5280 A.1 */

bool ca_record(struct ca *ca, const struct cert *cert, const char *kind, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);
    PS_AUTO(buf_free) struct buf der = BUF(FILE_CONF_MAX);

    if (!cert_to_der(cert, &der, err))
        return false;
    const struct store_cert row = {
        .serial_hex = info->serial_hex, .issuer = info->issuer, .subject = info->subject,
        .kind = kind, .fingerprint = info->fingerprint, .not_before = info->not_before,
        .not_after = info->not_after, .der = der.p, .der_len = der.len,
    };
    return store_put_cert(ca->store, &row, err);
}

/* ---- what is asked for ---- */

static bool check_role(const char *role, struct ps_err *err)
{
    if (!role || !*role)
        return ps_fail(err, PS_E_VALUE, _("a client certificate needs the name of a role"));
    if (strlen(role) <= CA_ROLE_MAX_BYTES)
        return true;
    ps_fail(err, PS_E_VALUE, _("role name \"%s\" is too long"), role);
    ps_detail(err, _("It has %zu bytes; PostgreSQL keeps %d."), strlen(role), CA_ROLE_MAX_BYTES);
    return ps_hint(err, _("Look at the name that the server really has: SELECT rolname FROM "
                          "pg_roles;"));
}

static bool server_name(const struct ca_leaf_spec *spec, const char **cn, struct ps_err *err)
{
    if (!spec->hosts || !spec->hosts[0])
        return ps_fail(err, PS_E_VALUE,
                       _("a server certificate needs at least one host name or address"));
    *cn = spec->common_name ? spec->common_name : spec->hosts[0];
    if (!spec->common_name && strlen(*cn) > CN_MAX)
        *cn = NULL;         /* the SAN says it all */
    return true;
}

static bool subject_name(const struct ca_leaf_spec *spec, const char **cn, struct ps_err *err)
{
    if (spec->use == CERT_USE_SERVER)
        return server_name(spec, cn, err);
    *cn = spec->common_name;
    return check_role(spec->common_name, err);
}

static bool lifetime(const struct ca_leaf_spec *spec, struct cert_spec *out, struct ps_err *err)
{
    long days = spec->days ? spec->days
              : spec->use == CERT_USE_SERVER ? CA_DAYS_SERVER : CA_DAYS_CLIENT;
    time_t now = clock_now();

    if (spec->not_before && spec->not_after) {
        out->not_before = spec->not_before;
        out->not_after = spec->not_after;
        return true;
    }
    if (days < 1 || days > DAYS_MAX)
        return ps_fail(err, PS_E_VALUE, _("a certificate cannot be valid for %ld days"), days);
    out->not_before = now - CA_BACKDATE_SECONDS;
    out->not_after = now + (time_t)days * CA_DAY_SECONDS;
    return true;
}

static bool plan(const struct ca *ca, const struct ca_leaf_spec *spec, struct cert_spec *out,
                 struct ps_err *err)
{
    *out = (struct cert_spec){
        .subject = cert_info(ca->cert[CA_ROOT])->dn, .uses = spec->use,
        .hosts = spec->use == CERT_USE_SERVER ? spec->hosts : NULL,
    };
    return subject_name(spec, &out->subject.cn, err) && lifetime(spec, out, err);
}

/* ---- the act ---- */

static const char *kind_of(const struct ca_leaf_spec *spec)
{
    return spec->proof ? "proof" : spec->use == CERT_USE_SERVER ? "server" : "client";
}

/* At a moment when it is meant to be good: one made for a proof may have expired long ago. */
static bool would_be_accepted(const struct ca *ca, const struct cert_list *chain, enum cert_use use,
                              struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    const struct cert_info *info = cert_info(chain->at[0]);
    time_t now = clock_now();
    bool in_force = info->not_before <= now && now <= info->not_after;

    if (!in_force)
        return true;
    cert_list_add(&anchors, ca->cert[CA_ROOT]);
    return verify_chain(chain, &anchors, NULL, use, now, err)
        || ps_while(err, _("cannot issue a certificate that nobody would accept"));
}

bool ca_issue(struct ca *ca, const struct ca_leaf_spec *spec, struct ca_leaf *out,
              struct ps_err *err)
{
    enum ca_who issuer = ca_issuer_of(spec->use);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct cert_spec what;

    if (!plan(ca, spec, &what, err) || !ca_need_key(ca, issuer, err)
        || !key_generate(spec->key_type, &leaf.key, err)
        || !cert_make(&what, leaf.key, ca->cert[issuer], ca->key[issuer], &cert, err))
        return false;
    cert_list_add(&leaf.chain, cert);
    cert_list_add(&leaf.chain, ca->cert[issuer]);
    if (!would_be_accepted(ca, &leaf.chain, spec->use, err)
        || !ca_record(ca, cert, kind_of(spec), err))
        return false;

    *out = leaf;
    leaf = (struct ca_leaf){ 0 };
    return true;
}

bool ca_revoke(struct ca *ca, const struct cert *cert, int reason, struct ps_err *err)
{
    const struct cert_info *info = cert_info(cert);

    return store_revoke(ca->store, info->issuer, info->serial_hex, clock_now(), reason, err);
}

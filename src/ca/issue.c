/* issue.c - leaves: made, verified as the peer will, recorded, and only then given out. */
#include "ca/internal.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "tls/name.h"
#include "tls/verify.h"

enum { DAYS_MAX = 36500, CN_MAX = 64 };     /* ub-common-name of RFC 5280 A.1 */

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

/* OpenSSL holds a CN that looks like a host against the constraints unless there is a dNSName. */
static bool cn_would_break_constraints(const struct ca *ca, const char *const *hosts)
{
    for (; *hosts; hosts++)
        if (!name_is_address(*hosts))
            return false;
    return ca->conf.dns_len > 0;
}

static bool server_name(const struct ca *ca, const struct ca_leaf_spec *spec, const char **cn,
                        struct ps_err *err)
{
    if (!spec->hosts || !spec->hosts[0])
        return ps_fail(err, PS_E_VALUE,
                       _("a server certificate needs at least one host name or address"));
    *cn = spec->common_name ? spec->common_name : spec->hosts[0];
    if (!spec->common_name
        && (strlen(*cn) > CN_MAX || cn_would_break_constraints(ca, spec->hosts)))
        *cn = NULL;         /* the SAN says it all */
    return true;
}

static bool subject_name(const struct ca *ca, const struct ca_leaf_spec *spec, const char **cn,
                         struct ps_err *err)
{
    if (spec->use == CERT_USE_SERVER)
        return server_name(ca, spec, cn, err);
    *cn = spec->common_name;
    return check_role(spec->common_name, err);
}

/* A leaf that ends with its issuer in a few days is an outage in a few days. */
static bool check_remaining(const struct authority *issuer, time_t wanted, time_t now,
                            struct ps_err *err)
{
    const time_t end = cert_info(issuer->cert)->not_after;
    char text[CLOCK_TEXT];

    if (wanted <= end || end <= now || end - now >= (time_t)CA_LEAF_MIN_DAYS * CA_DAY_SECONDS)
        return true;        /* (what has expired is refused as such) */
    ps_fail(err, PS_E_UNSAFE, _("\"%s\" of the CA is about to expire"), issuer->row->name);
    ps_detail(err, _("It ends at %s, and with it what it issues; that has to last for %d days at least, "
                     "unless fewer are asked for."), clock_rfc3339(end, text), CA_LEAF_MIN_DAYS);
    return ps_hint(err, _("Make its successor: pgseal ca rollover."));
}

static bool lifetime(const struct ca *ca, const struct authority *issuer,
                     const struct ca_leaf_spec *spec, struct cert_spec *out, struct ps_err *err)
{
    const struct ca_days *usual = &ca->conf.days;
    long days = spec->days ? spec->days
              : spec->use == CERT_USE_SERVER ? usual->server : usual->client;
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
    return check_remaining(issuer, out->not_after, now, err);
}

/* The other fields of the subject: given, or those of the CA. */
static struct cert_dn subject_of(const struct authority *issuer, const struct ca_leaf_spec *spec)
{
    return spec->dn ? *spec->dn : cert_info(issuer->cert)->dn;
}

bool ca_plan_leaf(const struct ca *ca, const struct authority *issuer,
                  const struct ca_leaf_spec *spec, struct cert_spec *out, struct ps_err *err)
{
    *out = (struct cert_spec){
        .subject = subject_of(issuer, spec), .uses = spec->use,
        .hosts = spec->use == CERT_USE_SERVER ? spec->hosts : NULL,
    };
    return subject_name(ca, spec, &out->subject.cn, err) && lifetime(ca, issuer, spec, out, err);
}

/* ---- the act ---- */

static const char *kind_of(const struct ca_leaf_spec *spec)
{
    return spec->proof ? "proof" : spec->use == CERT_USE_SERVER ? "server" : "client";
}

/* At a moment when it is meant to be good: one made for a proof may have expired long ago. */
bool ca_would_be_accepted(const struct ca *ca, const struct cert_list *chain, enum cert_use use,
                          struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list anchors = { 0 };
    const struct cert_info *info = cert_info(chain->at[0]);
    time_t now = clock_now();
    bool in_force = info->not_before <= now && now <= info->not_after;

    if (!in_force)
        return true;
    ca_anchors(ca, &anchors);
    return verify_chain(chain, &anchors, NULL, use, now, err)
        || ps_while(err, _("cannot issue a certificate that nobody would accept"));
}

/* The serial comes first: it decides in which partition of the CRL the certificate is looked for. */
static bool make_cert(const struct ca *ca, const struct authority *issuer,
                      const struct cert_spec *what, const struct key *public_of, struct cert **out,
                      struct ps_err *err)
{
    struct cert_spec whole = *what;
    unsigned char serial[CERT_SERIAL_BYTES];
    char hex[HEX_SIZE(CERT_SERIAL_BYTES)], uri[SHARD_URI];

    if (!cert_new_serial(serial, err))
        return false;
    hex_of(serial, sizeof(serial), hex);
    whole.serial = serial;
    if (ca->conf.crl_shards > 1)
        whole.crl_uri = shard_uri(ca->conf.crl_url, issuer->cert,
                                  shard_of(hex, ca->conf.crl_shards), uri);
    return cert_make(&whole, public_of, issuer->cert, issuer->key, out, err);
}

void ca_say_cut(time_t end)
{
    char text[CLOCK_TEXT];

    log_warn(_("the certificate ends with its issuer, at %s, before the time that was asked for"),
             clock_rfc3339(end, text));
}

bool ca_issue_by(struct ca *ca, struct authority *issuer, const struct ca_leaf_spec *spec,
                 struct ca_leaf *out, struct ps_err *err)
{
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct cert_spec what;

    if (!ca_plan_leaf(ca, issuer, spec, &what, err) || !ca_may_sign(ca, issuer, err)
        || (!spec->public_of && !key_generate(spec->key_type, &leaf.key, err))
        || !make_cert(ca, issuer, &what, spec->public_of ? spec->public_of : leaf.key, &cert, err))
        return false;
    leaf.cut = cert_info(cert)->not_after < what.not_after;
    if (leaf.cut)
        ca_say_cut(cert_info(cert)->not_after);
    cert_list_add(&leaf.chain, cert);
    if (!ca_chain_of(ca, cert, &leaf.chain, err)
        || !ca_would_be_accepted(ca, &leaf.chain, spec->use, err)
        || !ca_record(ca, cert, kind_of(spec), what.hosts, err))
        return false;

    *out = leaf;
    leaf = (struct ca_leaf){ 0 };
    return true;
}

bool ca_issue(struct ca *ca, const struct ca_leaf_spec *spec, struct ca_leaf *out,
              struct ps_err *err)
{
    struct authority *issuer = NULL;

    return ca_signer(ca, ca_issuer_of(spec->use), &issuer, err)
        && ca_issue_by(ca, issuer, spec, out, err);
}

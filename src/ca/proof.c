/* proof.c - the client certificate that was revoked at birth; one for each client CA. */
#include "ca/internal.h"

static char *proof_file(const struct authority *issuer, const char *suffix)
{
    return issuer->row->generation == 1
        ? ps_asprintf("revoked-proof.%s", suffix)
        : ps_asprintf("revoked-proof-%u.%s", issuer->row->generation, suffix);
}

bool ca_make_proof(struct ca *ca, struct authority *issuer, enum key_type key_type,
                   struct ps_err *err)
{
    const struct cert_info *lives_as = cert_info(issuer->cert);
    const struct ca_leaf_spec what = {
        .use = CERT_USE_CLIENT, .common_name = CA_PROOF_CN, .key_type = key_type, .proof = true,
        .not_before = lives_as->not_before, .not_after = lives_as->not_after,
    };
    PS_AUTO(ps_freep) char *crt = proof_file(issuer, "crt");
    PS_AUTO(ps_freep) char *key = proof_file(issuer, "key");
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };
    enum { CESSATION_OF_OPERATION = 5 };    /* RFC 5280 5.3.1: it was never lost, only given up */

    return ca_issue_by(ca, issuer, &what, &leaf, err)
        && ca_write_key(ca, key, leaf.key, NULL, err)
        && ca_write_chain(ca, crt, &leaf.chain, err)
        && ca_revoke(ca, leaf.chain.at[0], CESSATION_OF_OPERATION, err);
}

bool ca_revoked_proof(struct ca *ca, struct ca_leaf *out, struct ps_err *err)
{
    const struct authority *issuer = ca_active(ca, CA_CLIENT);
    PS_AUTO(ca_leaf_free) struct ca_leaf leaf = { 0 };

    if (!issuer)
        return ps_fail(err, PS_E_NOT_FOUND, _("the CA has no \"%s\" that may sign"),
                       ca_profiles[CA_CLIENT].name);
    PS_AUTO(ps_freep) char *crt = proof_file(issuer, "crt");
    PS_AUTO(ps_freep) char *key = proof_file(issuer, "key");
    if (!ca_read_chain(ca, crt, &leaf.chain, err) || !ca_read_key(ca, key, &leaf.key, err))
        return false;
    *out = leaf;
    leaf = (struct ca_leaf){ 0 };
    return true;
}

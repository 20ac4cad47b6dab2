/* verify.c - see verify.h. */
#include "tls/verify.h"

#include "tls/internal.h"

bool tls_trust(X509_STORE *store, const struct cert_list *anchors, const struct crl_list *crls,
               struct ps_err *err)
{
    for (size_t i = 0; i < anchors->len; i++)
        if (!X509_STORE_add_cert(store, anchors->at[i]->x509))
            return tls_fail(err, PS_E_CRYPTO, _("could not add a trusted certificate"));
    for (size_t i = 0; crls && i < crls->len; i++)
        if (!crls->at[i]->skimmed && !X509_STORE_add_crl(store, crls->at[i]->x509_crl))
            return tls_fail(err, PS_E_CRYPTO, _("could not add a revocation list"));
    if (crls && crls->len > 0)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

static const struct {
    int reason;
    const char *hint;
} cures[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, N_("Issue it anew.") },
    { X509_V_ERR_CERT_NOT_YET_VALID, N_("Compare the clocks of the two hosts.") },
    { X509_V_ERR_CERT_REVOKED, N_("Issue a new certificate; a revoked one never becomes good.") },
    { X509_V_ERR_UNABLE_TO_GET_CRL,
      N_("Add the revocation list of the CA that issued this certificate: PostgreSQL wants one of "
         "every CA of the chain, the root included.") },
    { X509_V_ERR_CRL_HAS_EXPIRED,
      N_("Make a new revocation list: with an expired one nobody gets in.") },
    { X509_V_ERR_CRL_NOT_YET_VALID, N_("Compare the clocks of the two hosts.") },
    { X509_V_ERR_DIFFERENT_CRL_SCOPE,
      N_("The list is limited to a distribution point that the certificate does not name; use one "
         "without limits.") },
    { X509_V_ERR_INVALID_PURPOSE,
      N_("Its extended key usage is for the other side; issue it for this use.") },
    { X509_V_ERR_INVALID_CA, N_("The issuer is not a CA: look at its basicConstraints.") },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      N_("Trust the root CA: PostgreSQL does not stop at an intermediate.") },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      N_("Add the issuing CA: to the chain if it is an intermediate, to the trusted file if it is "
         "the root.") },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, N_("Add its root CA to the trusted file.") },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      N_("It is self-signed: let a CA sign it, or trust this very certificate.") },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, N_("Send the intermediate CA after the leaf.") },
};

static const char *cure(int reason)
{
    for (size_t i = 0; i < PS_COUNT(cures); i++)
        if (cures[i].reason == reason)
            return _(cures[i].hint);
    return NULL;
}

static bool fail_verify(X509_STORE_CTX *ctx, struct ps_err *err)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    int reason = X509_STORE_CTX_get_error(ctx);
    X509 *about = X509_STORE_CTX_get_current_cert(ctx);
    const char *hint = cure(reason);

    ps_fail(err, PS_E_CERT, _("certificate is not accepted: %s"),
            X509_verify_cert_error_string(reason));
    ps_detail(err, _("At depth %d, subject \"%s\"."), X509_STORE_CTX_get_error_depth(ctx),
              about ? tls_name_text(arena, X509_get_subject_name(about)) : "?");
    if (hint)
        ps_hint(err, "%s", hint);
    ERR_clear_error();
    return false;
}

static STACK_OF(X509) *sent_after_leaf(const struct cert_list *chain)
{
    STACK_OF(X509) *rest = sk_X509_new_null();

    for (size_t i = 1; rest && i < chain->len; i++) {
        if (!sk_X509_push(rest, chain->at[i]->x509)) {
            sk_X509_free(rest);
            return NULL;
        }
    }
    return rest;
}

static void stack_freep(STACK_OF(X509) **stack)
{
    sk_X509_free(*stack);       /* the certificates belong to the list */
}

static int purpose_of(enum cert_use use)
{
    return use == CERT_USE_SERVER ? X509_PURPOSE_SSL_SERVER
         : use == CERT_USE_CLIENT ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_ANY;
}

bool verify_chain(const struct cert_list *chain, const struct cert_list *anchors,
                  const struct crl_list *crls, enum cert_use use, time_t when, struct ps_err *err)
{
    if (chain->len == 0)
        return ps_fail(err, PS_E_CERT, _("no certificate to verify"));

    PS_AUTO(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
    PS_AUTO(X509_STORE_CTX_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    PS_AUTO(stack_freep) STACK_OF(X509) *rest = sent_after_leaf(chain);

    ERR_clear_error();
    if (!store || !ctx || !rest)
        return tls_fail(err, PS_E_CRYPTO, _("could not verify a certificate"));
    if (!tls_trust(store, anchors, crls, err))
        return false;
    if (!X509_STORE_CTX_init(ctx, store, chain->at[0]->x509, rest)
        || !X509_STORE_CTX_set_purpose(ctx, purpose_of(use)))
        return tls_fail(err, PS_E_CRYPTO, _("could not verify a certificate"));
    if (when)
        X509_STORE_CTX_set_time(ctx, 0, when);
    return X509_verify_cert(ctx) == 1 || fail_verify(ctx, err);
}

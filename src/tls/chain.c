/* chain.c - see chain.h. */
#include "tls/chain.h"

static bool issued_another(const struct cert_list *list, size_t at)
{
    for (size_t i = 0; i < list->len; i++)
        if (i != at && !cert_same(list->at[i], list->at[at])
            && cert_issued_by(list->at[i], list->at[at]))
            return true;
    return false;
}

static struct cert *first_of(const struct cert_list *list, const struct key *key)
{
    for (size_t i = 0; i < list->len; i++)
        if (key ? cert_matches_key(list->at[i], key) : !issued_another(list, i))
            return list->at[i];
    return NULL;
}

static struct cert *issuer_of(const struct cert_list *list, const struct cert *cert)
{
    for (size_t i = 0; i < list->len; i++)
        if (!cert_same(list->at[i], cert) && cert_issued_by(cert, list->at[i]))
            return list->at[i];
    return NULL;
}

bool chain_order(struct cert_list *list, const struct key *key, struct ps_err *err)
{
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
    struct cert *next = first_of(list, key);

    if (!next && key)
        return ps_fail(err, PS_E_CERT, _("no certificate fits the private key"));
    if (!next)
        return ps_fail(err, PS_E_CERT, _("the certificates are no chain"));
    /* cross-certificates can go in a circle: no chain is longer than the list */
    for (; next && chain.len < list->len; next = issuer_of(list, next))
        cert_list_add(&chain, next);

    struct cert_list old = *list;
    *list = chain;
    chain = old;
    return true;
}

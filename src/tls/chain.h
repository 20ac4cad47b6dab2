/*
 * chain.h - certificates that came in any order, put into that of a chain.
 */
#ifndef PS_CHAIN_H
#define PS_CHAIN_H

#include "tls/cert.h"
#include "tls/key.h"

/*
 * Put a heap of certificates into the order of a chain: the one that `key` fits (NULL: the one that
 * issued no other), then each one's issuer; what is not of the chain is dropped.  PS_E_CERT when
 * there is no first one.
 */
PS_MUST bool chain_order(struct cert_list *list, const struct key *key, struct ps_err *err);

#endif

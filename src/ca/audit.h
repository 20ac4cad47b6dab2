/*
 * audit.h - what stands in the folder of a CA, held against its ledger.
 */
#ifndef PS_CA_AUDIT_H
#define PS_CA_AUDIT_H

#include "ca/ca.h"

/* Sorted by how bad it is: the first that is true is said. */
enum ca_crl_verdict {
    CA_CRL_GOOD,
    CA_CRL_OUTDATED,        /* something was revoked, released or restored since: renew it */
    CA_CRL_EXPIRED,
    CA_CRL_OLDER,           /* a later one was in this place: somebody put an old one back */
    CA_CRL_MISSING,
    CA_CRL_UNRECORDED,      /* its CA's signature, and the ledger does not know it */
    CA_CRL_FOREIGN          /* not signed by its CA */
};

struct ca_crl_report {
    const char *authority;
    unsigned shard;
    int64_t number;                 /* -1: there is none */
    time_t next_update;             /* 0: there is none */
    enum ca_crl_verdict verdict;
};
typedef bool (*ca_crl_fn)(void *arg, const struct ca_crl_report *report, struct ps_err *err);

/*
 * Every list of every authority in use; they stay as they are.  With a ledger that other hosts share,
 * one that they have overtaken is good as long as it is not outdated.
 */
PS_MUST bool ca_audit_crls(struct ca *ca, ca_crl_fn fn, void *arg, struct ps_err *err);

/* "good", "older", ...: for programs. */
const char *ca_crl_word(enum ca_crl_verdict verdict);

#endif

/*
 * batch.h - client certificates by the thousand: keys on all processors, one commit for each group.
 *
 * What is issued is what ca_issue() would issue, to the byte (tls/template.h); a certificate is given
 * out only when its row in the ledger is committed.  What was recorded and not given out when a batch
 * was killed has a key that no longer exists anywhere, and harms nobody.  To resume, the caller
 * leaves out the roles that it has and runs the rest.
 */
#ifndef PS_BATCH_H
#define PS_BATCH_H

#include "ca/ca.h"

/* A group is so many certificates, or what is ready by then: keys of RSA 4096 take half a second. */
enum { CA_BATCH_GROUP = 1024, CA_BATCH_WAIT_MS = 200 };

struct ca_batch_wish {
    const char *role;
    enum key_type key_type;
    long days;                      /* 0: the CA's */
};

struct ca_batch_leaf {
    const char *role;
    const char *chain_pem;          /* leaf, then what ca_chain_of() sends after it */
    size_t chain_len;
    const struct secret *key_pem;   /* PKCS#8, plain */
};

struct ca_batch_io {
    /* The next wish, *more false behind the last one; its text is good until the next call. */
    bool (*next)(void *arg, struct ca_batch_wish *wish, bool *more, struct ps_err *err);
    /* A group that is in the ledger now, in the order of the wishes; false ends the batch. */
    bool (*out)(void *arg, const struct ca_batch_leaf *leaves, size_t len, struct ps_err *err);
    void *arg;
    bool drop_keys;                 /* leaves have no PEM and no key: the ledger alone is wanted */
    unsigned threads;               /* 0: one for each processor */
};

/*
 * PS_E_VALUE for a wish that cannot be; otherwise as ca_issue().  Whatever came before what failed
 * has been given out.  One certificate of each sort (partition, type of key, dates) is verified as
 * PostgreSQL will: the others differ from it in nothing that it looks at.
 */
PS_MUST bool ca_issue_batch(struct ca *ca, const struct ca_batch_io *io, struct ps_err *err);

#endif

/*
 * ca_batch_verb.h - `pgseal ca issue client --batch FILE`: certificates for thousands of roles.
 */
#ifndef CLI_CA_BATCH_VERB_H
#define CLI_CA_BATCH_VERB_H

#include "ca/ca.h"
#include "doc/doc.h"

struct batch_wish {
    const char *file;           /* the roles, see kit/roles.h */
    const char *out;            /* folder of the folders; NULL: the ledger alone, keys are dropped */
    enum key_type key_type;     /* where the file says nothing */
    long days;                  /* likewise; 0: the CA's */
};

/*
 * Issue what the file names and is not there yet.  With `out` that is what has no folder; without, who has no
 * valid certificate in the ledger.
 */
PS_MUST bool batch_issue(struct ca *ca, const struct batch_wish *wish, struct doc_node *root,
                         struct ps_err *err);

#endif

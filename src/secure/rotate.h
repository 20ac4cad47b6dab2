/*
 * rotate.h - replace the certificate, the CA of the clients or the CRLs of a server that pgseal has
 * secured, under load.
 *
 * Everything is checked before: the key fits, the chain leads to the root, the names are those of the
 * present certificate, the dates are good, the server was secured with this CA.  Then one transaction
 * with the machinery of secure: files named by their content, one rename of pgseal.conf, a reload, the
 * certificate read back from the network.  On any doubt the old one returns (PS_E_ROLLED_BACK), and
 * is read back too.  Sessions that exist go on: PostgreSQL keeps their old context.
 */
#ifndef PS_ROTATE_H
#define PS_ROTATE_H

#include "doc/doc.h"
#include "secure/creds.h"

enum rotate_what {
    ROTATE_PAIR,        /* a new key and certificate in any case, and what else is new */
    ROTATE_DUE,         /* what is within its renewal window */
    ROTATE_CRL          /* the CRLs alone */
};

struct rotate_spec {
    const char *data_dir;
    const char *state_dir;          /* NULL: DATADIR.pgseal */
    const char *bin_dir;            /* NULL: found */
    const char *target;             /* administrator's connection string; NULL: over the socket */
    struct creds_spec creds;        /* hosts NULL: those of the present certificate */
    bool key_type_given;            /* false: a new key is of the type of the present one */
    struct ca *ca;                  /* an open CA, the caller's; NULL: creds.ca_dir is opened */
    enum rotate_what what;
    bool dry_run;
};

enum rotate_result {
    ROTATE_NOTHING,     /* there was nothing to do */
    ROTATE_SEEN,        /* done, and read back from the network */
    ROTATE_UNSEEN       /* done in the files: the server is stopped */
};

/*
 * Do it.  `section` is filled in as far as it came, also on failure.  The certificate is due when less
 * than a third of its life is left, when it was revoked, or when its issuer was replaced in the CA; CRLs when the CA renewed them (past half of their life, or
 * revocations since) and the server has others.
 */
PS_MUST bool rotate_run(const struct rotate_spec *spec, struct doc_node *section,
                        enum rotate_result *result, struct ps_err *err);

#endif

/*
 * revoke.h - a revocation brought into a server, and proven there.
 *
 * PostgreSQL refuses a revoked certificate from the reload on; sessions that are open stay open, for
 * nothing looks at them again.
 */
#ifndef PS_SECURE_REVOKE_H
#define PS_SECURE_REVOKE_H

#include "ca/ca.h"
#include "doc/doc.h"

struct revoke_spec {
    const char *data_dir;
    const char *state_dir, *bin_dir, *target;   /* as in rotate.h; may be NULL */
    struct ca *ca;                      /* open; they are revoked in it already */
    const struct cert_list *revoked;
    const char *cert_path, *key_path;   /* of one of them, when its files are at hand; NULL: not */
    bool terminate;                     /* end the sessions that were opened with them */
};

/*
 * Renew the CA's CRLs, put them into the server as one transaction (PS_E_ROLLED_BACK), and look: every
 * serial stands in the CRLs that the server has loaded; a fresh connection with the CA's revoked proof
 * is refused because it is revoked, and so is one with the files that were given.  PS_E_UNSAFE when
 * one of these is not so.  `section` gets the tables "revocation" and "sessions" (those open with
 * one of the certificates, from PostgreSQL 12), and the counts "open_sessions" and "ended_sessions".
 */
PS_MUST bool secure_revoke_install(const struct revoke_spec *spec, struct doc_node *section,
                                   struct ps_err *err);

#endif

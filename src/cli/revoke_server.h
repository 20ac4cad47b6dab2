/*
 * revoke_server.h - the part of `pgseal ca revoke` that is about a server.
 */
#ifndef CLI_REVOKE_SERVER_H
#define CLI_REVOKE_SERVER_H

#include "ca/ca.h"
#include "cli/cli.h"

/* -D and what goes with it; to be included in the table of the verb. */
extern const struct poptOption revoke_server_options[];
#define REVOKE_SERVER_OPTIONS \
    { NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)revoke_server_options, 0, NULL, NULL }

/* PS_E_USAGE for options that need -D; before anything is revoked. */
PS_MUST bool revoke_server_check(struct ps_err *err);
bool revoke_server_given(void);         /* is there a -D? */

/*
 * Bring the revocation of these certificates into the server of -D and prove it there (see
 * secure/revoke.h), into the section "server" of `root`.  Without -D nothing is done, and `root` says
 * what is left to do.
 */
PS_MUST bool revoke_server(struct ca *ca, const struct cert_list *revoked, struct doc_node *root,
                           struct ps_err *err);

#endif

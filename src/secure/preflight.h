/*
 * preflight.h - may this server be secured here and now?  Looks, and refuses with the reason.
 */
#ifndef PS_PREFLIGHT_H
#define PS_PREFLIGHT_H

#include "facts/server.h"

/* How it is done with Patroni goes into the section before PS_E_UNSUPPORTED. */
PS_MUST bool preflight_check(const struct server *server, struct doc_node *section,
                             struct ps_err *err);

/* A data directory that is a mounted volume outlives what lies beside it: say so in the section. */
void preflight_warn_mount(const struct server *server, const char *state_dir,
                          struct doc_node *section);

/* A folder for keys must not be inside the data directory: base backups copy what is there. */
PS_MUST bool preflight_outside(const struct server *server, const char *dir, const char *option,
                               struct ps_err *err);

#endif

/*
 * role.h - ask the server, as its owner through the Unix-domain socket, what it knows of a role.
 */
#ifndef PS_ROLE_H
#define PS_ROLE_H

#include "base/mem.h"
#include "prove/expect.h"

/* Everything stays unknown when the owner is not let in; strings live in the arena. */
void role_look_up(const struct server *server, const char *role, const char *database,
                  struct arena *arena, struct expect_role *out);

#endif

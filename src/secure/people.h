/*
 * people.h - who gets in: the administrator's own connection, the roles, the sessions of now.
 */
#ifndef PS_PEOPLE_H
#define PS_PEOPLE_H

#include "doc/doc.h"
#include "facts/server.h"
#include "inspect/sql.h"
#include "secure/policy.h"

/*
 * The administrator's way in: over the Unix-domain socket as the owner of the server, or whatever
 * connection string the user gave.  The same way is tried again after every reload.
 */
struct admin {
    char *conninfo;
    char *role;                 /* who we are there */
    bool local;                 /* over the Unix-domain socket */
    const struct user *as;      /* we connect as this user of the system */
    struct sql *sql;            /* open; NULL: not connected */
};
void admin_free(struct admin *admin);       /* for PS_AUTO */

/*
 * Connect; `target` NULL: over the socket, as the role with the owner's name, or else "postgres".
 * PS_E_UNSUPPORTED when the role may not read what is needed (not a superuser).
 */
PS_MUST bool admin_connect(const struct server *server, const char *target, struct admin *out,
                           struct ps_err *err);
/* A new connection by the same way; the old one is closed when it succeeds. */
PS_MUST bool admin_reconnect(struct admin *admin, struct ps_err *err);

/* Is there such a role, and what is it a member of (into the arena, NULL at the end)? */
PS_MUST bool role_look(struct sql *sql, const char *role, struct arena *arena, bool *exists,
                       const char *const **member_of, struct ps_err *err);

/* "192.0.2.1" or "::1" for a question to the rules; false, and family 0, for anything else. */
bool address_parse(const char *text, struct sockaddr_storage *out);

/*
 * The sessions of now, and what the new rules would do to each when it comes again: a table, and how
 * many of them would no longer get in.  `new_ca`: client certificates of now will not verify then.
 */
PS_MUST bool sessions_describe(struct sql *sql, const struct hba *then, bool new_ca,
                               struct arena *arena, struct doc_node *section, size_t *cut_off,
                               struct ps_err *err);

/* Would the administrator's way in still be open under these rules?  PS_E_UNSAFE if not. */
PS_MUST bool admin_survives(const struct admin *admin, const struct hba *then, struct ps_err *err);

/*
 * For each role that replicates by these rules: what its standby must write, as a table.  `sql` NULL: all
 * roles that a rule names may.
 */
PS_MUST bool replication_describe(struct sql *sql, const struct hba *then,
                                  const struct server *server, const char *host,
                                  struct doc_node *section, struct ps_err *err);

#endif

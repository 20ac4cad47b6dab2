/*
 * rules.h - pg_hba.conf as it will be: policies applied, read back, judged, planned.
 */
#ifndef PS_SECURE_RULES_H
#define PS_SECURE_RULES_H

#include "facts/server.h"
#include "secure/plan.h"
#include "secure/policy.h"

/*
 * Apply the policies (set NULL: none) to the server's rules and plan the files that change.  *then is
 * what the server will read, parsed again from the new bytes; the caller's.  PS_E_BUG when it has a
 * problem that the old rules had not.
 */
PS_MUST bool rules_plan(const struct server *server, const struct policy_set *set,
                        struct plan *plan, struct hba **then, struct ps_err *err);

#endif

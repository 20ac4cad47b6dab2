/*
 * policy.h - what pg_hba.conf must insist on, and the edits that make it so.
 *
 *     encrypt       TLS or nothing: host becomes hostssl, methods are kept
 *     verify-ca     and a client certificate of our CA
 *     verify-full   and its common name is the role
 *     cert          the certificate takes the place of the password
 *
 * For all roles, or for one: `app=cert`.  A role's policy is put above the rule that would shadow
 * it, as a copy of that rule narrowed to the role, so that nobody gets in from where he could not
 * before.  `local` rules and `reject` rules are never touched.
 */
#ifndef PS_POLICY_H
#define PS_POLICY_H

#include "doc/doc.h"
#include "pg/hba.h"

enum policy { POLICY_NONE, POLICY_ENCRYPT, POLICY_VERIFY_CA, POLICY_VERIFY_FULL, POLICY_CERT };

struct policy_role {
    char *role;
    enum policy policy;
    const char *const *member_of;   /* roles, itself included, NULL at the end; NULL: not known */
};

struct policy_set {
    enum policy all;                /* POLICY_NONE: rules of other roles are left alone */
    struct policy_role *roles;
    size_t len, cap;
};
void policy_set_free(struct policy_set *set);   /* for PS_AUTO */

/* Add "cert" or "app=cert" (the last '=' divides).  PS_E_USAGE for a word or a role twice. */
PS_MUST bool policy_add(struct policy_set *set, const char *text, struct ps_err *err);

/*
 * Edit the rules.  Running it on its own result edits nothing.  PS_E_UNSUPPORTED when this major has no
 * word for the policy; PS_E_UNSAFE when it cannot be told whether a rule means the role (membership not
 * known, a regular expression).
 */
PS_MUST bool policy_apply(const struct policy_set *set, struct hba *hba, struct ps_err *err);

/* A table of the rules by which somebody may still come in without encryption. */
size_t policy_describe_plaintext(const struct hba *hba, struct doc_node *section);

#endif

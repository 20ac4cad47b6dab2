/*
 * hba_cases.h - what two files decide about one kind of case; for hba_diff.c alone.
 *
 * A case is a database (a name, any other, or replication), a role (a name or any other) and a net. What
 * nobody knows about it (memberships, host names, expressions on other names) are its unknowns; each
 * rule matches always, never, or when certain unknowns are true.
 */
#ifndef PS_HBA_CASES_H
#define PS_HBA_CASES_H

#include "pg/hba_sets.h"

#define CASE_OTHER (UINT32_MAX - 1)         /* a name that no rule has */
#define CASE_REPLICATION (UINT32_MAX - 2)
#define CASE_UNKNOWNS_MAX 12                /* all their combinations are tried */

struct hba_case {
    uint32_t database, role;
    const struct reach_net *net;            /* NULL: by the socket */
};

enum unknown_kind { UNKNOWN_MEMBER, UNKNOWN_ROLE_REGEX, UNKNOWN_DATABASE_REGEX, UNKNOWN_SAMEUSER,
                    UNKNOWN_SAMEROLE, UNKNOWN_HOST };
struct unknown {
    enum unknown_kind kind;
    uint32_t key;
};

struct unknowns {               /* of one case, in both files */
    struct unknown at[CASE_UNKNOWNS_MAX];
    size_t len;
    bool too_many;
};

struct condition {              /* of a rule: in each of the masks at least one unknown must be true; 0: nothing
                                   asked */
    uint32_t rule;
    unsigned any_of[3];
};

struct conditions {             /* the rules that may match, down to the first that does always */
    struct condition *at;
    size_t len, cap;
};

/* Could the rule match such a database and role? */
bool case_concerns(const struct sets *sets, size_t rule, const struct hba_case *which);
/* Does it surely? */
bool case_always(const struct sets *sets, size_t rule, const struct hba_case *which,
                 enum reach_kind kind);
void case_conditions(const struct sets *sets, const uint32_t *rules, size_t len,
                     const struct hba_case *which, enum reach_kind kind, struct unknowns *unknowns,
                     struct conditions *out);
/* The rule that decides when exactly these unknowns are true; NULL: none. */
const struct hba_rule *case_decides(const struct sets *sets, const struct conditions *conditions,
                                    unsigned truth);
/* What the unknowns that are true say, in the arena; NULL when none is. */
const char *case_given(const struct sets *sets, const struct unknowns *unknowns, unsigned truth,
                       struct arena *arena);

#endif

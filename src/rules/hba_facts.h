/*
 * hba_facts.h - what the rules about pg_hba.conf share: which lines let whom in, from where.
 */
#ifndef PS_RULE_HBA_FACTS_H
#define PS_RULE_HBA_FACTS_H

#include "base/buf.h"
#include "pg/hba_reach.h"
#include "rules/rule.h"

/* False, and said, when pg_hba.conf was not seen. */
PS_MUST bool hba_seen(const struct rule *rule, const struct posture *posture, struct findings *out);

/* Lines as sets; what samehost and samenet mean is from the posture.  The caller's. */
struct reach *hba_reach_of(const struct posture *posture, const struct hba *hba);

struct exposure {               /* what is left of one line behind the lines above it */
    bool local;                 /* by Unix socket */
    bool loopback, beyond;      /* by network; beyond also when only a name or samenet says from where */
    bool plain;                 /* some of it without TLS and GSS */
    struct buf from;            /* "10.0.0.0/8, ::/0"; at most a few */
    size_t from_len;
};

struct exposures {
    struct exposure *of;        /* one for each rule of the hba */
    size_t len;
};
void exposures_free(struct exposures *exposures);

/* For lines that `selects`, by these kinds of connection; replication apart from databases. */
enum exposure_of { EXPOSED_ANY, EXPOSED_DATABASES, EXPOSED_REPLICATION };
void exposures_find(const struct reach *reach, const struct hba *hba, unsigned kinds,
                    enum exposure_of of, bool (*selects)(const struct hba_rule *rule, void *arg),
                    void *arg, struct exposures *out);
bool exposed(const struct exposure *exposure);

/* The field of the type, or of the method with its options; `object` is the line with blanks squeezed. */
struct finding hba_finding_type(const struct posture *posture, const struct hba_rule *rule);
struct finding hba_finding_method(const struct posture *posture, const struct hba_rule *rule);
struct finding hba_finding_at(const struct posture *posture, const struct hba_rule *rule,
                              size_t begin, size_t end);

/* "3, 4, 7": lines of rules, with their file when it is not that of `beside`. */
const char *hba_lines_text(const struct posture *posture, const struct hba *hba,
                           const struct hba_rule *beside, const size_t *rules, size_t len, bool more);

/* A line that the server refuses. */
struct finding hba_finding_problem(const struct posture *posture, const struct hba_problem *problem);

#endif

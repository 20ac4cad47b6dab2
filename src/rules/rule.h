/*
 * rule.h - one table of rules for every verb that looks: facts in, findings out.
 *
 * A rule is a row: what it is called for ever, how bad it is, why it matters, how it is cured, who says so,
 * and the function that tests it.  The rows are in table.c, in the order of the manual; the functions in
 * a file for each subject (server.c, hba.c, cert.c, crl.c, key.c, sql.c), declared in tests.h.  Pages of the manual and
 * `pgseal explain RULE` are made from the rows.
 */
#ifndef PS_RULE_H
#define PS_RULE_H

#include "facts/posture.h"

enum rule_mode { RULE_SCAN = 1, RULE_CHECK = 2, RULE_WATCH = 4, RULE_CAPTURE = 8 };

enum standard { STD_PG, STD_CIS, STD_STIG, STD_NIST, STD_BSI, STD_PCI, STD_MOZILLA, STD_SSLLABS,
                STD_RFC, STD_CVE, STD_CAB, STD_OPS };
const char *standard_name(enum standard standard);      /* "PostgreSQL manual", "DISA STIG", ... */

struct rule_source {
    enum standard standard;
    const char *where;          /* "6.8", "The pg_hba.conf File", "RFC 8996"; never translated */
};

#define RULE_SOURCES_MAX 6

struct rule {
    const char *id;             /* the slug: stable, never used again for something else */
    enum severity severity;     /* as a rule; a finding may say worse or better by its facts */
    unsigned modes;             /* RULE_* bits: which sources may see it; 0: a verb adds it itself */
    const char *title;          /* N_(), a noun phrase for tables */
    const char *why;            /* N_(), whole sentences: what an attacker or an outage makes of it */
    const char *cure;           /* N_(), whole sentences */
    struct rule_source sources[RULE_SOURCES_MAX];       /* ends with a NULL where */
    /*
     * Adds findings (their id is the rule's), or what it could not examine.  Several rows may share a
     * function that tells them apart by `rule->id`.  NULL: nothing examines it yet, and
     * it is reported as such.
     */
    void (*test)(const struct rule *rule, const struct posture *posture, struct findings *out);
    /* The same from outside, where there is nothing but the network to look at; NULL: `test` does both. */
    void (*seen)(const struct rule *rule, const struct posture *posture, struct findings *out);
};

size_t rules_count(void);
const struct rule *rule_at(size_t i);
const struct rule *rule_find(const char *id);       /* NULL: no such rule */

struct rule_choice {
    char *const *only;          /* ids, NULL at the end; NULL: all */
    char *const *skip;          /* these are reported as not examined */
};
/* PS_E_USAGE for an id that is none, with the nearest one. */
PS_MUST bool rule_choice_check(const struct rule_choice *choice, struct ps_err *err);
bool rule_chosen(const struct rule_choice *choice, const char *id);     /* in `only`, if that is given */
bool rule_skipped(const struct rule_choice *choice, const char *id);

/* Run every rule of these modes that is chosen (NULL: all); sorted findings. */
void rules_run(const struct posture *posture, unsigned modes, const struct rule_choice *choice,
               struct findings *out);

/* ---- for the functions of rules ---- */

/* A finding of this rule; with SEV_NOTHING it takes the severity of the row. */
void rule_found(const struct rule *rule, struct findings *out, struct finding finding);
void rule_unseen(const struct rule *rule, struct findings *out, const char *reason);

#endif

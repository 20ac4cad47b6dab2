/*
 * report.h - what one look at a server came to, and the forms in which it is shown.
 *
 * As a document (text, JSON, CSV, HTML), as SARIF 2.1.0 for the pages of code scanning, as JUnit XML for
 * the pages of CI.
 */
#ifndef PS_RULES_REPORT_H
#define PS_RULES_REPORT_H

#include "doc/doc.h"
#include "rules/forecast.h"
#include "rules/grade.h"
#include "rules/rule.h"

struct accepted {               /* a finding that does not count, for a reason */
    struct finding finding;
    const char *reason;         /* of the exception; NULL: it is in the baseline */
    const char *until;          /* "2027-03-31"; NULL: no end */
};

struct report {
    const struct posture *posture;
    const struct rule_choice *choice;   /* what was run */
    unsigned modes;
    struct findings findings;   /* that count; sorted */
    struct accepted *accepted;
    size_t accepted_len, accepted_cap;
    struct grade grade;
    struct forecast forecast;
};
void report_free(struct report *report);        /* for PS_AUTO; not the posture */

/* Move a finding out of those that count. */
void report_accept(struct report *report, size_t i, const char *reason, const char *until);

/* Grade and forecast of what was found, before anything is accepted: a server is what it is. */
void report_judge(struct report *report);

/*
 * What counts most and was not examined, though it was there to be: then nothing found says nothing.  The rule's
 * id, and why in *reason; NULL: there is none.  Rules left out by choice, copies that nobody made and what a
 * finding is about do not count.
 */
const char *report_blind(const struct report *report, const char **reason);

/*
 * JSON: "server", "forecast" (reload, reload_by, restart, restart_by), "grade", "grade_reasons", "findings" (id, severity, title, file, line, column, end_column,
 * object, message, evidence, why, cure, fix_kind, fix_file, fix_replaces, fix, sources, fingerprint),
 * "accepted", "not_examined" (id, reason), "counts".
 */
void report_describe(const struct report *report, struct doc_node *root);

/*
 * Parts of it, for verbs that look at something else than one server: the cards "findings", where people read the
 * object below `object_label` (NULL: they do not), and the table "not_examined".
 */
void report_put_findings(const struct findings *findings, const char *object_label, const char *empty,
                         struct doc_node *root);
struct doc_node *report_put_unexamined(const struct findings *findings, struct doc_node *root);

/* What is to be written or run, in one line: "postgresql.conf: + ssl = on"; false: nothing can be pasted. */
bool report_put_fix(const struct finding *finding, struct buf *out);

/*
 * SARIF 2.1.0 (OASIS, 2020), as GitHub and GitLab take it: a document without a verb, to be rendered as
 * JSON.  What does not count is a suppressed result, what was not examined a notification.
 */
struct doc *report_sarif(const struct report *report);

/* A test case for each rule that was run: failed by its findings, skipped when not examined. */
void report_junit(const struct report *report, enum severity fail_on, struct buf *out);

#endif

/*
 * exceptions.h - findings that somebody has accepted, until a day and for a reason.
 *
 * A file of lines in UTF-8; empty ones and those that begin with "#" say nothing:
 *
 *     RULE [WHERE] until YYYY-MM-DD because REASON
 *
 * RULE is the id of a rule.  WHERE is a pattern of the shell (* ? [...]) for the finding's object, its
 * file or the file's base name; one with blanks stands in double quotes; without it the exception is for all
 * findings of the rule.  It holds to the end of that day, UTC.  REASON goes to the end of the line.
 * An exception that has run out is a finding of its own (exception-expired), and so is one that nothing
 * needs (exception-unused).
 */
#ifndef PS_RULES_EXCEPTIONS_H
#define PS_RULES_EXCEPTIONS_H

#include <time.h>

#include "base/err.h"
#include "rules/report.h"

#define EXCEPTIONS_BYTES_MAX (1u << 20)
#define EXCEPTIONS_MAX 10000

struct exception {
    const struct rule *rule;
    const char *where;          /* NULL: everywhere */
    const char *until_text;     /* "2027-03-31" */
    time_t until;               /* the first second that it does not hold */
    const char *reason;
    const char *text;           /* the whole line */
    unsigned line;              /* from 1 */
    bool used;
};

struct exceptions {
    struct arena *arena;        /* the caller's */
    const char *name;           /* of the file */
    struct exception *at;
    size_t len, cap;
};
void exceptions_free(struct exceptions *exceptions);    /* for PS_AUTO; not the arena */

/* PS_E_SYNTAX or PS_E_VALUE with line and column, PS_E_TOO_BIG. */
PS_MUST bool exceptions_parse(const char *text, size_t len, const char *name,
                              struct exceptions *out, struct ps_err *err);

/*
 * Move what is accepted out of the findings that count, and add what is to be said of the exceptions
 * themselves.  One is called unused only when its rule was chosen and examined.
 */
void exceptions_apply(struct exceptions *exceptions, const struct rule_choice *choice,
                      struct report *report);

#endif

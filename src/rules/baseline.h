/*
 * baseline.h - the findings that are known already, so that only what is new counts.
 *
 * A file of lines, "FINGERPRINT RULE WHERE", the first word as of finding_print(); the rest is for people.
 * Lines that are empty or begin with "#" say nothing.  What is known stays known when lines move.
 */
#ifndef PS_RULES_BASELINE_H
#define PS_RULES_BASELINE_H

#include "base/err.h"
#include "rules/report.h"

#define BASELINE_BYTES_MAX (16u << 20)

struct baseline {
    char (*prints)[FINDING_PRINT_HEX];      /* sorted */
    size_t len, cap;
};
void baseline_free(struct baseline *baseline);      /* for PS_AUTO */

/* PS_E_SYNTAX with the line, PS_E_TOO_BIG. */
PS_MUST bool baseline_parse(const char *text, size_t len, const char *name, struct baseline *out,
                            struct ps_err *err);
bool baseline_has(const struct baseline *baseline, const char *print);

/* Move what is known out of the findings that count. */
void baseline_apply(const struct baseline *baseline, struct report *report);

/* All that counts, and what an earlier baseline knew and was found again. */
void baseline_write(const struct report *report, struct buf *out);

#endif

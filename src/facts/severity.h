/*
 * severity.h - how bad a finding is, and which ones make the exit status 1 (--fail-on).
 */
#ifndef FACTS_SEVERITY_H
#define FACTS_SEVERITY_H

#include "base/err.h"
#include "doc/doc.h"

enum severity { SEV_NOTHING, SEV_INFO, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL, SEV_NEVER };

/*
 * The word of --fail-on: "none" is SEV_NEVER, which nothing reaches; NULL is `fallback`.
 * PS_E_USAGE for another word.
 */
PS_MUST bool severity_parse(const char *word, enum severity fallback, enum severity *out,
                            struct ps_err *err);

const char *severity_word(enum severity severity);      /* "high", for programs */
const char *severity_text(enum severity severity);      /* translated */
/* The same behind a number: other languages have a plural.  From SEV_INFO to SEV_CRITICAL. */
const char *severity_text_of(enum severity severity, size_t n);
enum doc_mark severity_mark(enum severity severity);

/* Add the field "severity" to a row. */
void severity_field(struct doc_node *row, enum severity severity);

#endif

/*
 * scan_compare.h - what changed since an earlier scan.
 */
#ifndef CLI_SCAN_COMPARE_H
#define CLI_SCAN_COMPARE_H

#include "cli/scan_doc.h"
#include "probe/past.h"

/*
 * Rows for the table "changes": "host", "port", "what" (a word for programs), "before", "now", and better or
 * worse.  A server that was not in the earlier scan is one row.  What was not examined this time has not
 * changed.
 */
void scan_compare(const struct past *past, const struct seen *seen, const struct report *report,
                  struct doc_node *changes);

/* The same as one cell, such as "plaintext: no > yes; new_finding: plaintext-accepted"; NULL: nothing changed. */
const char *scan_compare_text(const struct past *past, const struct seen *seen,
                              const struct report *report);

#endif

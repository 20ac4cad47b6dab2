/*
 * scan_doc.h - what a scan saw of a server, as a document: all of it, or one row of a table.
 */
#ifndef CLI_SCAN_DOC_H
#define CLI_SCAN_DOC_H

#include "doc/doc.h"
#include "facts/seen.h"
#include "rules/report.h"

/*
 * Everything: "host", "port", "address", "reach", "plaintext", "grade", "tls" (offered, direct, versions,
 * suites by version, groups, ...), "certificate", "connections", and what report_describe() adds.
 */
void scan_describe(const struct seen *seen, const struct report *report, struct doc_node *node);

/* One row: what fits beside the other servers; it leads to the card with that number (0: there is none). */
void scan_row(const struct seen *seen, const struct report *report, size_t number,
              struct doc_node *row);
/* More columns, for spreadsheets. */
void scan_row_more(const struct seen *seen, const struct report *report, struct doc_node *row);

/* "TLSv1", the worst that is accepted; NULL: none is known, or whether worse ones are accepted too. */
const char *scan_lowest_version(const struct seen *seen);
/* "yes", "no", "unknown". */
const char *scan_plaintext_word(const struct seen *seen);
const char *scan_reach_word(const struct seen *seen);

#endif

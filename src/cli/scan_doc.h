/*
 * scan_doc.h - what a scan saw of a server, as a document, and the words of it (scan_row.h has one row of a table).
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

/* "TLSv1", the worst that is accepted; NULL: none is known, or whether worse ones are accepted too. */
const char *scan_lowest_version(const struct seen *seen);
/* "yes", "no", "unknown". */
const char *scan_plaintext_word(const struct seen *seen);
const char *scan_reach_word(const struct seen *seen);
const char *scan_reach_text(const struct seen *seen);   /* translated */
const char *scan_kind_word(const struct seen *seen);    /* NULL: nobody was reached */
/* Such a word as people read it, translated; of another word itself. */
const char *scan_word_text(const char *word);
/* The field "plaintext". */
void scan_put_plaintext(struct doc_node *node, const struct seen *seen);

#endif

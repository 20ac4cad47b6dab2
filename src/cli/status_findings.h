/*
 * status_findings.h - what is wrong in what `pgseal status` saw: one table, worst first.
 */
#ifndef CLI_STATUS_FINDINGS_H
#define CLI_STATUS_FINDINGS_H

#include "cli/status_doc.h"

/* Add the table "findings" to the document; answers the worst severity. */
enum severity status_findings(const struct status *status, struct doc_node *root);

#endif

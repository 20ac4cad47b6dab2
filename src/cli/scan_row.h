/*
 * scan_row.h - one server of many, as a row.
 */
#ifndef CLI_SCAN_ROW_H
#define CLI_SCAN_ROW_H

#include "facts/seen.h"
#include "rules/report.h"

/* One row: what fits beside the other servers; it leads to the card with that number (0: there is none). */
void scan_row(const struct seen *seen, const struct report *report, size_t number,
              struct doc_node *row);
/* More columns, for spreadsheets: "findings" and "cures" have all of them in one cell each. */
void scan_row_more(const struct seen *seen, const struct report *report, struct doc_node *row);

#endif

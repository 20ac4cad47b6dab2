/*
 * scan_compare.h - what changed since an earlier scan, and metrics for Prometheus.
 */
#ifndef CLI_SCAN_COMPARE_H
#define CLI_SCAN_COMPARE_H

#include "cli/scan_doc.h"
#include "probe/past.h"

/*
 * Rows for the table "changes": "host", "port", "what" (a word for programs), "before", "now", and better or
 * worse.  A server that was not in the earlier scan is one row.
 */
void scan_compare(const struct past *past, const struct seen *seen, const struct report *report,
                  struct doc_node *changes);

struct scan_metric {            /* what is kept of one server for scan_metrics() */
    const struct seen *seen;
    const char *grade;          /* NULL: none */
    size_t findings[SEV_CRITICAL + 1];
};
struct scan_metric scan_metric_of(const struct seen *seen, const struct report *report);

/* In Prometheus' text format (exposition format 0.0.4), for node_exporter's textfile collector. */
void scan_metrics(const struct scan_metric *list, size_t len, struct buf *out);

#endif

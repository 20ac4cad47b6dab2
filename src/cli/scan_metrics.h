/*
 * scan_metrics.h - what a scan saw, as metrics for Prometheus.
 */
#ifndef CLI_SCAN_METRICS_H
#define CLI_SCAN_METRICS_H

#include "cli/scan_doc.h"

struct scan_metric {            /* what is kept of one server for scan_metrics() */
    const struct seen *seen;
    const char *grade;          /* NULL: none */
    size_t findings[SEV_CRITICAL + 1];
};
struct scan_metric scan_metric_of(const struct seen *seen, const struct report *report);

/* In Prometheus' text format (exposition format 0.0.4), for node_exporter's textfile collector. */
void scan_metrics(const struct scan_metric *list, size_t len, struct buf *out);

#endif

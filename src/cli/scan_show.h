/*
 * scan_show.h - the result of a scan: a page for one server, a table for many, metrics; and what it would do.
 */
#ifndef CLI_SCAN_SHOW_H
#define CLI_SCAN_SHOW_H

#include "cli/scan_run.h"

/* Into scan->run->doc. */
void scan_show(struct scan *scan);
/* Into scan->run->text, in the text format of Prometheus. */
void scan_show_metrics(struct scan *scan);
/* What a scan would do, into scan->run->doc. */
void scan_show_plan(const struct scan *scan);

#endif

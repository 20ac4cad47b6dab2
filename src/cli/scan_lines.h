/*
 * scan_lines.h - each server as one line of JSON, written as soon as it is known.
 *
 * What a scan has seen survives its end, whatever ends it: `--resume` and `--compare` read these lines.
 */
#ifndef CLI_SCAN_LINES_H
#define CLI_SCAN_LINES_H

#include "cli/scan_doc.h"

/* "-" is standard output; otherwise appended to, made with mode 0600.  The caller closes *fd. */
PS_MUST bool scan_lines_open(const char *path, int *fd, struct ps_err *err);

/* Schema "pgseal.scan_server/1"; `name` is for errors; whole lines only, so that two scans may write into one file. */
PS_MUST bool scan_lines_put(int fd, const char *name, const struct seen *seen,
                            const struct report *report, struct ps_err *err);

#endif

/*
 * scan_store.h - a folder that keeps what scans saw: one file of lines (scan_lines.h) for each scan.
 *
 * The files are named by the time of the scan, scan-20261121T020000Z.jsonl; old ones may be removed, or read by
 * other programs, at any time.  Two scans may use the folder at once.
 */
#ifndef CLI_SCAN_STORE_H
#define CLI_SCAN_STORE_H

#include "probe/past.h"
#include "probe/targets.h"

enum { SCAN_STORE_FILES_MAX = 60 };     /* so many of the newest are read */

/*
 * What was last seen of each target; of one that was not reached then, what was known before.  Reading ends with the
 * file that knows the last of them.  A folder that does not exist knows nobody.
 */
PS_MUST bool scan_store_read(const char *folder, const struct targets *targets, struct past *out,
                             struct ps_err *err);

/* A new file for this scan, mode 0600, in a folder that is made with 0700 if need be; the caller closes *fd. */
PS_MUST bool scan_store_add(const char *folder, int *fd, struct ps_err *err);

#endif

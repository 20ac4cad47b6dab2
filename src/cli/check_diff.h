/*
 * check_diff.h - `pgseal check --diff OLD NEW`: two pg_hba.conf compared as access.
 *
 * JSON: "before", "after", "verdict" (same, different or uncertain), "changes" (change, connection, database,
 * role, from, given, before_line, before_method, after_line, after_method).  The status is 1 when
 * somebody gets in more easily than before.
 */
#ifndef PS_CLI_CHECK_DIFF_H
#define PS_CLI_CHECK_DIFF_H

#include "cli/cli.h"

/* Both files as a server of `major` reads them; PS_E_SYNTAX when it would refuse one of them. */
PS_MUST bool check_diff(const char *before, const char *after, unsigned major, struct cli_run *run,
                        struct ps_err *err);

#endif

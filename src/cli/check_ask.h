/*
 * check_ask.h - `pgseal check --ask`: which line of pg_hba.conf decides about one connection, and why no
 * line above it does.
 *
 * JSON: "question" (role, database, from, tls, gss, replication, member_of), "answer" (verdict: admitted,
 * refused or uncertain; file, line, method, text), "steps" (file, line, match: no, perhaps or yes; why, reason,
 * text).
 */
#ifndef PS_CLI_CHECK_ASK_H
#define PS_CLI_CHECK_ASK_H

#include "cli/cli.h"
#include "facts/posture.h"

/*
 * The roles of the posture say what the role is a member of, unless the question does.  Fails with
 * PS_E_USAGE for a question that cannot be read, PS_E_NOT_FOUND when pg_hba.conf was not seen.
 */
PS_MUST bool check_ask(const struct posture *posture, const char *question, struct cli_run *run,
                       struct ps_err *err);

#endif

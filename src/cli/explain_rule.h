/*
 * explain_rule.h - the part of `pgseal explain` that is about rules.
 */
#ifndef PS_CLI_EXPLAIN_RULE_H
#define PS_CLI_EXPLAIN_RULE_H

#include "cli/cli.h"

/* Is the only argument the id of a rule? */
bool explain_is_rule(const char *const *args);

/* The page of that rule; with `all` the list of them, and then no argument. */
PS_MUST bool explain_rules(struct cli_run *run, bool all, struct ps_err *err);

#endif

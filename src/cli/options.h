/*
 * options.h - read the options of a verb, and say of a mistake which option it is.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/cli.h"

/*
 * Read all options that `context` has from `argv` (NULL at the end) by the table `options`.  PS_E_USAGE for one
 * that is unknown, lacks its value, or has one that is no number.
 */
PS_MUST bool options_parse(const struct cli_cmd *cmd, const struct poptOption *options, char *const *argv,
                           poptContext context, struct ps_err *err);

#endif

/*
 * help.h - what --help prints: made from the tables of verbs and options, in the user's language.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/cli.h"

/* The options that every verb has. */
extern const struct poptOption cli_common_options[];

void help_program(struct buf *out, int width);                              /* pgseal --help */
void help_group(const struct cli_cmd *group, struct buf *out, int width);   /* pgseal ca --help */
void help_verb(const struct cli_cmd *cmd, struct buf *out, int width);      /* pgseal VERB --help */

/* The one of these verbs (NULL at the end) whose name `name` was probably meant to be, or NULL. */
const struct cli_cmd *help_nearest(const struct cli_cmd *const *verbs, const char *name);

#endif

/*
 * cli.h - what a verb is, and what it is given.
 *
 * One verb, one file cmd_VERB.c, one value cmd_VERB (see HACKING.md).  The verb fills in run->doc and
 * returns; cli.c renders it, main() prints an error once and exits.  A group, such as "ca", is a verb
 * with verbs of its own and no action; their names begin with its name: "ca issue".
 */
#ifndef PS_CLI_H
#define PS_CLI_H

#include <popt.h>

#include "base/err.h"
#include "doc/doc.h"
#include "doc/render.h"

struct cli_run {
    const char *const *args;        /* what is left of the command line, NULL at the end */
    struct doc *doc;                /* the result: set by the verb, freed by cli.c */
    enum ps_exit status;            /* when the verb returns true: PS_EXIT_OK or PS_EXIT_FINDINGS */
    enum doc_format format;         /* --format */
    const char *own_format;         /* --format is one of the verb's own; NULL: it is `format` */
    char *text;                     /* the result as it is, in place of doc; freed by cli.c */
    const char *output;             /* --output; NULL: standard output */
    bool quiet, verbose;
};

struct cli_cmd {
    const char *name;               /* "prove"; in a group with the group's name: "ca issue" */
    const char *summary;            /* N_(), one line */
    const char *usage;              /* N_(), what follows the name: "-D DATADIR [options]" */
    const char *about;              /* N_(), a paragraph for --help and the manual */
    const char *const *examples;    /* whole command lines, NULL at the end */
    const struct poptOption *options;   /* the verb's own; the common ones are added */
    bool csv;                       /* --format csv makes sense: the result is a table */
    const char *const *formats;     /* more words of --format, that the verb makes itself: it sets
                                       run->text, or run->doc and run->format; NULL at the end */
    bool (*run)(struct cli_run *run, struct ps_err *err);
    const struct cli_cmd *const *verbs; /* of a group, NULL at the end; it has no run and no options */
};

extern const struct cli_cmd cmd_secure, cmd_prove, cmd_status, cmd_client, cmd_ca, cmd_rotate,
                            cmd_check, cmd_scan, cmd_capture, cmd_rollback, cmd_explain;

/* The table of verbs, NULL at the end, in the order of --help. */
extern const struct cli_cmd *const cli_cmds[];

/* The words of --format that a verb takes, with commas; NULL: those of most verbs. */
void cli_formats(const struct cli_cmd *cmd, struct buf *out);

/* The last word of a verb's name: what is written behind its group's. */
const char *cli_own_name(const struct cli_cmd *cmd);

/* The whole program but the printing of an error: parse, dispatch, render. */
enum ps_exit cli_main(int argc, char **argv, struct ps_err *err);

/* ---- for verbs ---- */

/*
 * A repeatable option (--host A --host B): POPT_ARG_ARGV gives a char **, NULL at the end, or NULL
 * when the option was not given.
 */
size_t cli_count(char *const *list);

/*
 * Ask a yes/no question on the terminal (/dev/tty); "no" is the default.  PS_E_DECLINED when the
 * answer is no, PS_E_USAGE with the hint to give --yes when there is no terminal.
 */
PS_MUST bool cli_confirm(const char *question, struct ps_err *err);

/* Show part of the result at once, on standard error, for a person who must decide: a plan, a diff. */
void cli_show(const struct cli_run *run, const struct doc *doc);

/* An option that a verb cannot do without; the hint says what it is for. */
PS_MUST bool cli_need(const char *value, const char *option, const char *hint, struct ps_err *err);

/* Refuse arguments that nobody asked for. */
PS_MUST bool cli_no_args(const struct cli_run *run, struct ps_err *err);

#endif

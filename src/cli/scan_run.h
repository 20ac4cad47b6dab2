/*
 * scan_run.h - a scan while it runs: whom, what was seen, what it comes to, and the lines that keep it.
 */
#ifndef CLI_SCAN_RUN_H
#define CLI_SCAN_RUN_H

#include "cli/cli.h"
#include "facts/seen.h"
#include "probe/past.h"
#include "probe/targets.h"
#include "rules/report.h"
#include "secure/settings.h"

struct scan_opts {              /* the command line; cmd_scan.c says what each is */
    char *ports, *input, *trust, *crl, *lines, *store, *compare, *fail_on, *role, *database, *profile;
    char **only, **skip;
    int rate, at_once, at_once_net, timeout_ms, retries, connections_max, all_ciphers, certificate_only, dry_run, resume;
};

struct scan {
    struct cli_run *run;
    const struct scan_opts *opts;
    struct targets targets;
    struct cert_list trust;
    struct crl_list crls;
    struct rule_choice choice;
    enum profile profile;
    enum severity fail_on, worst;
    struct seen **seen;             /* by target; NULL: it was not looked at */
    size_t *findings;               /* by target: how many its line has */
    struct cert_list around;        /* CAs that some server sent */
    size_t done, reached;
    struct past known, before;      /* of --resume and of --compare */
    bool *skip;                     /* by target */
    bool compares;
    bool stopped;                   /* by a signal */
    int lines_fd, store_fd;         /* -1: none */
    struct ps_err lines_err;        /* the first line that could not be written */
};
void scan_free(struct scan *scan);      /* for PS_AUTO */

/*
 * Ask all targets, and write the lines of --lines and --store.  SIGINT and SIGTERM end it early: what was seen until
 * then stays, and `stopped` is set.
 */
PS_MUST bool scan_look(struct scan *scan, struct ps_err *err);

struct judged {
    struct posture *posture;
    struct report report;
};
void judged_free(struct judged *judged);        /* for PS_AUTO */

/* What one server comes to; scan->worst takes it in. */
void scan_judge(struct scan *scan, const struct seen *seen, struct judged *out);

#endif

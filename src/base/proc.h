/*
 * proc.h - run a program and keep what it says; no shell is ever between.
 */
#ifndef PS_PROC_H
#define PS_PROC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/user.h"

struct proc_spec {
    const char *const *argv;    /* NULL at the end; argv[0] is a path, or looked up in PATH */
    const struct user *as;      /* NULL: as we are; real, effective and saved ids all change */
    const char *dir;            /* working folder; NULL: ours */
    const char *input;          /* for its standard input; NULL: /dev/null */
    const char *const *env;     /* "NAME=value" added to ours, NULL at the end; may be NULL */
    const char *output_to;      /* file that gets its output instead (append); NULL: kept */
    int timeout_ms;             /* killed beyond it; 0: 30,000 */
};

struct proc_result {
    int status;                 /* exit status; 128 + signal when killed by one */
    struct buf out, err;        /* at most 1 MiB each, the rest is read and dropped */
};

void proc_result_free(struct proc_result *result);

/*
 * Run it to the end.  False only when it could not be started (PS_E_NOT_FOUND, PS_E_PROCESS) or ran
 * into the time limit (PS_E_TIMEOUT); a status other than 0 is a result.  LC_ALL=C is set for it.
 */
PS_MUST bool proc_run(const struct proc_spec *spec, struct proc_result *out, struct ps_err *err);

/* The same, but a status other than 0 is an error, with its standard error as the detail. */
PS_MUST bool proc_run_ok(const struct proc_spec *spec, struct proc_result *out,
                         struct ps_err *err);

#endif

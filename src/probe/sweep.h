/*
 * sweep.h - survey many servers at once, politely.
 *
 * A thread for each server that is being looked at; they wait nearly always.  Bounds: connections that
 * are opened in a second over all, servers at once over all and within one network (/24, /64; a name counts
 * where its address is).  A target that does not answer costs the others nothing: who is waited for half a
 * second gives its place to others, and waits for a new one before it is asked again.
 */
#ifndef PS_SWEEP_H
#define PS_SWEEP_H

#include <signal.h>

#include "probe/survey.h"
#include "probe/targets.h"

enum {
    SWEEP_AT_ONCE_MAX = 512,
    SWEEP_THREADS_MAX = 1024,
    SWEEP_TARGET_MS = 120000    /* of waiting for one target's answers: then it is asked nothing more */
};

struct sweep {
    struct survey_plan survey;          /* its gate is set by sweep_run() */
    const struct targets *targets;
    int at_once;                        /* servers, 1 to SWEEP_AT_ONCE_MAX */
    int at_once_net;                    /* of them in one network; 0: no limit */
    int rate;                           /* connections in a second; 0: no limit */
    const bool *skip;                   /* by target: known already; NULL: none */
    /*
     * With each result, in the order in which they come, one at a time; the seen is the callee's.  What a
     * stop has cut in the middle is none.
     */
    void (*done)(void *arg, size_t target, struct seen *seen);
    void *arg;
    const volatile sig_atomic_t *stop;  /* set by a signal: nothing new is begun; may be NULL */
};

/* Returns when all is done or stopped; PS_E_PROCESS when no thread could be started. */
PS_MUST bool sweep_run(struct sweep *sweep, struct ps_err *err);

#endif

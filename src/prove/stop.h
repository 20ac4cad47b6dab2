/*
 * stop.h - SIGINT, SIGTERM and SIGHUP wait until what was begun is tidied.
 *
 * From stop_catch to stop_release they only leave a mark; stop_release puts the old handlers back and
 * raises what was caught, so that the program ends as it would have.
 */
#ifndef PS_STOP_H
#define PS_STOP_H

#include <signal.h>

#include "base/err.h"

enum { STOP_SIGNALS = 3 };

struct stop {
    struct sigaction before[STOP_SIGNALS];
};
void stop_catch(struct stop *stop);
void stop_release(struct stop *stop);       /* for PS_AUTO */

/* True while nothing was caught; PS_E_DECLINED afterwards. */
PS_MUST bool stop_none(struct ps_err *err);

#endif

/*
 * forecast.h - what the next reload and the next restart will come to, by what was found.
 *
 * A reload never fails loudly: the server keeps the old state of a file that it cannot read and says so in
 * the log.  A restart with the same file fails.  What settings that are not about TLS do to it is not looked
 * at: unhindered is not a promise.  Sources: load_hba(), load_ident(), ProcessConfigFile(),
 * be_tls_init() of PostgreSQL, and tests on real servers.
 */
#ifndef PS_RULES_FORECAST_H
#define PS_RULES_FORECAST_H

#include "facts/posture.h"

enum forecast_reload {
    RELOAD_WHOLE,               /* everything is taken */
    RELOAD_PART,                /* some files or settings keep their old state */
    RELOAD_NOTHING,             /* postgresql.conf cannot be read: nothing is taken */
    RELOAD_UNKNOWN              /* what decides was not examined */
};
enum forecast_restart { RESTART_UNHINDERED, RESTART_FAILS, RESTART_UNKNOWN };

struct forecast {
    enum forecast_reload reload;
    enum forecast_restart restart;
    const char *reload_by, *restart_by;     /* the rule; NULL: none, or unknown */
};

void forecast_of(const struct posture *posture, const struct findings *findings,
                 struct forecast *out);

#endif

/*
 * major.h - which major version of PostgreSQL answers, as far as it betrays itself before a login.
 *
 * Each sign bounds the version from below or above; what the signs say together is the answer, and when
 * they contradict each other (something stands in between) there is none.  Source: postmaster.c and
 * backend_startup.c of 10 to 19 (ProcessStartupPacket), be-secure-openssl.c, auth.c.
 */
#ifndef PS_MAJOR_H
#define PS_MAJOR_H

#include "facts/seen.h"

enum { MAJOR_LAST = 1000 };     /* no upper bound */

struct major_range {
    int from, to;               /* 0: no lower bound; MAJOR_LAST: no upper one */
};

/* False: nothing is known of the version, or it is not PostgreSQL itself that answers. */
bool major_of(const struct seen *seen, struct major_range *out);

#endif

/*
 * cure.h - what is to be written where, by who answers there: lines of postgresql.conf and pg_hba.conf, or what a
 * pooler's own files have for them.
 *
 * From outside nobody sees the line that lets a client in.  Then the cure is a form: "host <database> ..." becomes
 * "hostssl <database> ...", and what stands in <> stays as it is.  PostgreSQL refuses to load such a form pasted
 * as it is: a method <method> is none, and <address/bits> is a host name with a mask.
 */
#ifndef PS_CURE_H
#define PS_CURE_H

#include "facts/posture.h"

enum cure {
    CURE_DEMAND_TLS,            /* no login without TLS */
    CURE_DEMAND_TLS_REPLICATION,
    CURE_PROOF,                 /* nobody in without a proof */
    CURE_PROOF_REPLICATION,
    CURE_PROOF_NO_TLS,          /* the same, where TLS is off */
    CURE_TLS_ON,
    CURE_SCRAM,                 /* passwords are proven with SCRAM */
    CURE_OLDEST_VERSION,        /* nothing below TLS 1.2 */
    CURE_NEWEST_VERSION,        /* TLS 1.3 is not forbidden */
    CURE_VERSIONS,              /* both, for a server that has no good version: one alone is no range */
    CURE_SUITES,
    CURE_SUITES_AND_VERSIONS,
    CURE_GROUP,
    CURE_GROUP_AND_NEWEST_VERSION,      /* TLS 1.3 has none of the present groups */
    CURE_DH,
    CURE_CERTIFICATE            /* what answers is not PostgreSQL: the certificate is not in its files either */
};

/* Does something other than PostgreSQL answer there? */
bool cure_is_for_pooler(const struct posture *posture);

/*
 * Put the cure into the finding.  Nothing is put where none is known: the server's version may lack the setting,
 * and would not start with it.
 */
void cure_put(const struct posture *posture, enum cure what, struct finding *finding);

#endif

/*
 * prove_wire.h - look at the wire while a proof goes on.
 *
 * The packets are read by a process of its own, without rights (capture/run.h).  It is a copy of this one, so
 * it has to begin before a key or a passphrase is read.
 */
#ifndef CLI_PROVE_WIRE_H
#define CLI_PROVE_WIRE_H

#include "capture/run.h"
#include "prove/prove.h"

struct prove_watch {
    const char *interface;
    uint16_t port;
    struct capture_spec spec;
    struct spool *spool;
    struct capture_reader *reader;
    struct ps_err why_not;          /* without the permission: nobody looks */
};
void prove_watch_free(struct prove_watch *watch);       /* for PS_AUTO */

/* Begin, or remember that it may not be; false when there is no such interface.  `watch` stays where it is. */
PS_MUST bool prove_watch_begin(struct prove_watch *watch, const char *interface, int port,
                               struct ps_err *err);
/* The ways are tried: what was seen goes into the result. */
PS_MUST bool prove_watch_end(struct prove_watch *watch, struct prove_result *result,
                             struct ps_err *err);

#endif

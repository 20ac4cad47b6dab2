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
    struct ps_err why_not;          /* nobody looks, because; PS_E_NOT_FOUND: no such interface */
};
void prove_watch_free(struct prove_watch *watch);       /* for PS_AUTO */

/* Get ready, or remember in why_not that it cannot be.  `watch` stays where it is. */
void prove_watch_begin(struct prove_watch *watch, const char *interface, int port);
/* The first way is about to be tried. */
void prove_watch_go(struct prove_watch *watch);
/* The last one was: what was seen goes into the result, or why nothing was. */
void prove_watch_end(struct prove_watch *watch, struct prove_result *result);

#endif

/*
 * rotation.h - a rotation at work, for rotate.c and revoke.c.
 */
#ifndef PS_ROTATION_H
#define PS_ROTATION_H

#include "secure/job.h"
#include "secure/rotate.h"

struct rotation {
    struct job job;
    const struct rotate_spec *spec;
    struct cert_list present;       /* the chain that the server's settings name */
    const char *why;                /* translated: why there is a new pair; NULL: there is none */
    const char *const *hosts;       /* of a new certificate */
    bool changed;
};
void rotation_free(struct rotation *rotation);      /* for PS_AUTO */

/* Look at the server, take its lock, connect; changes nothing. */
PS_MUST bool rotation_begin(struct rotation *rotation, const struct rotate_spec *spec,
                            struct doc_node *section, struct ps_err *err);

/* Make what is due, put it in place, verify. */
PS_MUST bool rotation_finish(struct rotation *rotation, struct ps_err *err);

#endif

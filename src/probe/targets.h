/*
 * targets.h - whom to look at: hosts, addresses, networks, ports, as people write them.
 *
 *     db1.example.net   db1.example.net:6432   10.0.0.5   [2001:db8::5]:5432   10.0.0.0/24
 *
 * A network is every address in it that a host may have: without the first and the last of an IPv4 one of
 * /30 and shorter.  A word without a port means each of the given ports.  Lists from a file have one
 * word a line; what stands behind '#' is a comment.
 */
#ifndef PS_TARGETS_H
#define PS_TARGETS_H

#include "base/err.h"
#include "base/mem.h"

#define TARGETS_MAX (1u << 20)      /* of one run; more are to be split */

struct target {
    const char *host;       /* a name, or an address without brackets */
    int port;
};

struct targets {            /* texts in the arena, which is the caller's */
    struct arena *arena;
    const int *ports;       /* for words without one; never empty */
    size_t ports_len;
    struct target *at;
    size_t len, cap;
};
void targets_free(struct targets *targets);     /* for PS_AUTO; not the arena */

/* PS_E_VALUE with what is wrong in the word; PS_E_TOO_BIG over TARGETS_MAX. */
PS_MUST bool targets_add(struct targets *targets, const char *word, struct ps_err *err);

/* A whole list; `name`, the line and the column are the place of an error. */
PS_MUST bool targets_add_list(struct targets *targets, const char *text, size_t len,
                              const char *name, struct ps_err *err);

/* "5432,6432" into `arena`; PS_E_VALUE. */
PS_MUST bool targets_ports(const char *text, struct arena *arena, const int **ports, size_t *len,
                           struct ps_err *err);

/* The same host and port a second time is looked at once: drop what comes later; order is kept. */
void targets_unique(struct targets *targets);

#endif

/*
 * past.h - what an earlier scan saw: its lines of JSON, one server each, read back.
 *
 * The lines are what `pgseal scan --lines` wrote, schema "pgseal.scan_server/1".  They are a stranger's
 * bytes all the same: bounded, and a broken last line (the scan was killed) is left out.
 */
#ifndef PS_PAST_H
#define PS_PAST_H

#include "base/err.h"
#include "base/mem.h"

enum { PAST_BYTES_MAX = 1 << 30, PAST_LINE_MAX = 1 << 20 };

struct past_server {        /* texts in the arena; NULL where the line has none */
    const char *host;
    int port;
    bool known;             /* it was reached, and what stands below was seen */
    const char *reach, *grade, *plaintext, *lowest_version, *fingerprint;
    long days_left;         /* LONG_MIN: no certificate */
    const char *const *findings;    /* ids, sorted, each once, NULL at the end */
};

struct past {
    struct arena *arena;    /* the caller's */
    struct past_server *at; /* by host and port; of a server that comes twice, the last line */
    size_t len, cap;
};
void past_free(struct past *past);      /* for PS_AUTO; not the arena */

/*
 * Put beside it what a scan before that one saw: servers that are not in it, and what was known of those that it
 * did not reach.  `older` has the same arena.
 */
void past_merge(struct past *past, const struct past *older);

/* PS_E_SYNTAX with the line for what is not such a line, but the last one. */
PS_MUST bool past_parse(const char *text, size_t len, const char *name, struct past *out,
                        struct ps_err *err);

const struct past_server *past_find(const struct past *past, const char *host, int port);

#endif

/*
 * attempt.h - one connection through libpq, with everything said and nothing asked.
 */
#ifndef PS_ATTEMPT_H
#define PS_ATTEMPT_H

#include "base/buf.h"
#include "prove/way.h"

enum { ATTEMPT_PARAMS_MAX = 96,     /* libpq 18 knows 58 keywords */
       ATTEMPT_PORTS_MAX = 16 };    /* connections of one way; libpq makes at most three at a time */

/* Our own ports of the connections that were made; what is over the bound is not remembered. */
struct attempt_ports {
    uint16_t at[ATTEMPT_PORTS_MAX];
    size_t len;
};
void attempt_port_add(struct attempt_ports *ports, int port);       /* once, and 0 never */

struct attempt {
    const char *names[ATTEMPT_PARAMS_MAX + 1], *values[ATTEMPT_PARAMS_MAX + 1];
    size_t len;
    int timeout_ms;
};

/* Say a parameter, or say it anew; a NULL or "" value leaves it to libpq's default.  Not copied. */
void attempt_set(struct attempt *attempt, const char *name, const char *value);

struct attempt_result {
    enum way_end end;           /* WAY_UNKNOWN: no answer within the time, nobody there, trouble */
    bool tls;                   /* TLS was up when it ended */
    struct buf words;           /* libpq's own, or what pg_stat_ssl shows when it is in */
    struct attempt_ports ports;
    double ms;
};
void attempt_result_free(struct attempt_result *result);    /* for PS_AUTO */

/*
 * Connect, see where it ends, leave.  libpq never prompts here, not for a key's passphrase either.  Its
 * words are English whatever the locale: they are evidence, and compared.  After pq_load().
 */
void attempt_run(const struct attempt *attempt, struct attempt_result *out);

/*
 * Does this SQLSTATE tell of a server in trouble (too many connections, starting up, shutting down)?
 * Such a refusal says nothing of who may come in.
 */
bool attempt_is_trouble(const char *sqlstate);

/*
 * Hide the environment variables that libpq reads, for an attempt is to mean the same everywhere;
 * attempt_env_show puts them back.  Not while other threads run; after pq_load().
 */
struct attempt_env {
    struct attempt_var {
        char *name, *value;
    } *at;
    size_t len, cap;
};
void attempt_env_hide(struct attempt_env *env);
void attempt_env_show(struct attempt_env *env);     /* for PS_AUTO */

#endif

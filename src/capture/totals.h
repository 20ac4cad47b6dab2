/*
 * totals.h - a spool of connections summed up: by verdict, by who they are, and by server for the rules.
 *
 * Bounds: each table has at most TOTALS_MAX rows; what does not fit is added up in a last one.
 */
#ifndef CAPTURE_TOTALS_H
#define CAPTURE_TOTALS_H

#include "base/mem.h"
#include "capture/spool.h"
#include "facts/posture.h"

enum { TOTALS_MAX = 2000 };

enum total_kind { BY_ROLE, BY_DATABASE, BY_APPLICATION, BY_NETWORK, BY_TLS, BY_OWNER, TOTAL_KINDS };

struct total {
    const char *name;           /* NULL: not visible, as it is with everything encrypted; "" the rest */
    const char *part[4];        /* BY_OWNER: server, role, database, network; BY_TLS: version, suite, group */
    uint64_t connections, encrypted, readable, undecided;
    uint64_t passwords, queries, rows, bytes;
    int64_t first_us, last_us;
};

struct total_table {
    struct total *at;           /* most connections first */
    size_t len, cap;
    uint32_t *slots;            /* hash of names */
};

struct histogram {              /* of times, within 3 of 100 */
    uint64_t count, slot[1024];
    double most_ms;
};
void histogram_add(struct histogram *histogram, double ms);     /* a negative time is none */
double histogram_percentile(const struct histogram *histogram, double percent);     /* in ms */

struct totals {
    struct arena *arena;
    uint64_t verdicts[VERDICTS];        /* of connections that are PostgreSQL, or on a port of it */
    uint64_t reasons[REASONS];          /* of those that are unknown */
    uint64_t connections, encrypted, readable, passwords, undecided;
    uint64_t others;                    /* connections of something else, as far as is known */
    uint64_t others_undecided;          /* of these: nobody saw them begin */
    struct total_table by[TOTAL_KINDS];
    struct histogram handshake, setup;
    struct capture_counts counts;
    bool complete;                      /* the spool was whole: counts are there */
    struct cert_list certs;             /* at[number - 1]; NULL where it could not be parsed */
    struct traffic_fact *traffic;       /* for the rules: struct posture */
    size_t traffic_len, traffic_cap;
    struct total_table servers;         /* "10.0.0.1:5432" that speak PostgreSQL */
    const uint16_t *ports;
    size_t ports_count;
    struct {                            /* the texts of the last connection: the next one often has them too */
        bool any, v6;
        uint8_t address[SIDES][16];
        uint16_t port;
        char server[CONN_ADDRESS + 10], network[CONN_ADDRESS + 4];
    } last;
};

/* `ports`: where PostgreSQL is said to be; without any 5432. */
void totals_make(struct spool *spool, const uint16_t *ports, size_t ports_count, struct totals *out);
void totals_free(struct totals *totals);        /* for PS_AUTO */

/* It is PostgreSQL, or might be: on a port, or to a server, of PostgreSQL. */
bool totals_concerns(struct totals *totals, const struct conn *conn);
/* NULL: none, or it could not be read. */
const struct cert_info *totals_cert(const struct totals *totals, uint32_t number);

#endif

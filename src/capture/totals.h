/*
 * totals.h - a spool of connections summed up: by verdict, by who they are, and by server for the rules.
 *
 * Bounds: those of its tables (total_table.h).
 */
#ifndef CAPTURE_TOTALS_H
#define CAPTURE_TOTALS_H

#include "capture/histogram.h"
#include "capture/spool.h"
#include "capture/total_table.h"
#include "facts/posture.h"

/* By the texts: of owners, server, role, database and network; of TLS, version, suite and group. */
enum total_kind { BY_ROLE, BY_DATABASE, BY_APPLICATION, BY_NETWORK, BY_TLS, BY_OWNER, TOTAL_KINDS };

struct total_whos {             /* of one traffic_fact: who is named in it, by hash */
    uint64_t hash[16];
    size_t len;
};

struct totals {
    struct arena *arena;
    uint64_t verdicts[VERDICTS];        /* of connections that are PostgreSQL, or on a port of it */
    uint64_t reasons[REASONS];          /* of those that are unknown */
    uint64_t connections, encrypted, readable, passwords, undecided;
    uint64_t unfollowed;                /* of those that are encrypted: behind the handshake something is missing */
    uint64_t others;                    /* connections of something else, as far as is known */
    uint64_t others_undecided;          /* of these: nobody saw them begin */
    struct total_table by[TOTAL_KINDS];
    struct histogram handshake, setup;
    struct capture_counts counts;
    bool complete;                      /* the spool was whole: counts are there */
    struct cert_list certs;             /* at[number - 1]; NULL where it could not be parsed */
    struct traffic_fact *traffic;       /* for the rules: struct posture */
    size_t traffic_len, traffic_cap;
    struct total_whos *whos;            /* whos[i] is of traffic[i] */
    size_t whos_len, whos_cap;
    uint64_t traffic_refused;           /* connections that the rules do not see: TOTALS_MAX was reached */
    struct total_table servers;         /* "10.0.0.1:5432" that speak PostgreSQL */
    const uint16_t *ports;
    size_t ports_count;
    struct places *places;
    struct total_kin *kin;      /* of the last connections, by hash */
};

/* `ports`: where PostgreSQL is said to be; without any 5432. */
void totals_make(struct spool *spool, const uint16_t *ports, size_t ports_count, struct totals *out);
void totals_free(struct totals *totals);        /* for PS_AUTO */

/* It is PostgreSQL, or might be: on a port, or to a server, of PostgreSQL. */
bool totals_concerns(const struct totals *totals, const struct conn *conn);
/* NULL: none, or it could not be read. */
const struct cert_info *totals_cert(const struct totals *totals, uint32_t number);

#endif

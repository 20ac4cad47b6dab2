/*
 * result.h - what a proof found: rows, as values; prove.h shows them to the world.
 */
#ifndef PS_PROVE_RESULT_H
#define PS_PROVE_RESULT_H

#include "base/mem.h"
#include "prove/attempt.h"
#include "prove/prove.h"
#include "prove/way.h"

enum prove_verdict { PROVE_PASS, PROVE_FAIL, PROVE_NOT_EXAMINED };

struct prove_row {
    enum way_group group;
    const char *key, *label;        /* label: N_() */
    const char *sslmode, *host;     /* NULL: none */
    enum way_cert cert;
    enum way_end expected, seen;
    enum prove_verdict verdict;
    const char *evidence;           /* libpq's or the server's own words */
    const char *why;                /* ours; NULL: nothing to add */
    struct attempt_ports ports;     /* of all its connections */
    const char *wire;               /* what the packets say of them; NULL: not examined */
    double ms;
};

/* What the packets say of the proof's connections. */
struct prove_wire {
    bool looked;                    /* somebody looked, or would have */
    const char *interface;
    const char *why_not;            /* nobody looked, because; NULL: somebody did */
    size_t connections, encrypted, refused, open, unseen;
    const char *open_ways;          /* labels of those in plaintext; NULL: none */
};

struct prove_siege {                /* one client against all attacks */
    const char *sslmode;
    bool root;                      /* sslrootcert names a file that exists */
    struct prove_stand {
        bool withstood, expected;
        enum prove_verdict verdict;
        const char *evidence, *why;
        double ms;
    } against[ATTACK_COUNT];
};

struct prove_result {
    struct arena *arena;            /* all strings */
    const char *role, *database, *address, *host;
    int port;
    struct prove_row *rows;
    size_t rows_len, rows_cap;
    struct prove_siege *sieges;
    size_t sieges_len, sieges_cap;
    bool is_target;                 /* a connection string, not a server */
    const char *write_instead;      /* ... as it should be; NULL: it is */
    const char *sslmode_from;       /* ... where its sslmode comes from */
    const char *note;               /* something the reader should know */
    struct prove_wire wire;
    bool wire_needed;
    double ms;
};

struct prove_result *prove_result_new(void);

#endif

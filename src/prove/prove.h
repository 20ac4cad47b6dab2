/*
 * prove.h - every way in, expected against seen, from outside.
 *
 * What is tried: the six sslmodes of libpq without and with a certificate; good, missing, foreign,
 * expired, revoked and misused certificates; right and wrong host names; TLS 1.0 to 1.3 and direct TLS
 * with our own wire code; and an attacker in the middle, for each sslmode, on loopback.
 *
 * What is expected comes from the server's own files (hba_ask on pg_hba.conf as it is, the TLS
 * settings), and from what may never be: plaintext that is admitted, a bad certificate that gets in,
 * a rule that asks for a certificate but stands below one that does not.  Where it cannot be worked
 * out the row says "not known", and a way that could not be tried says "not examined": neither is a
 * pass.  Nothing here ever gives a true password.
 *
 * The certificates are made for the occasion, live ten minutes and are kept in a private folder, which
 * is removed on every way out, SIGINT and SIGTERM too.  One proof at a time: it hides the PG*
 * environment from libpq, handles signals and starts threads meanwhile.
 */
#ifndef PS_PROVE_H
#define PS_PROVE_H

#include "base/err.h"
#include "ca/ca.h"
#include "doc/doc.h"
#include "facts/server.h"

struct prove_spec {
    const struct server *server;    /* running, with its files as they are in force */
    struct ca *ca;                  /* NULL: ways that need certificates are not examined */
    const char *role;
    const char *database;           /* NULL: "postgres" */
    const char *const *hosts;       /* names that clients use, NULL at the end; NULL: the SANs of the
                                       certificate that the server shows */
    bool plaintext_allowed;         /* plaintext that pg_hba.conf admits is not a failure: TLS is
                                       offered, not yet enforced */
    int timeout_ms;                 /* for each attempt; 0: 5,000 */
    bool wire_needed;               /* what the packets show belongs to it: without, it is not passed */
};

struct prove_result;
void prove_result_free(struct prove_result *result);
PS_DEFINE_FREEP(struct prove_result, prove_result_free)

/*
 * Try them all.  True also when ways fail: see prove_passed.  PS_E_NET when the server is not running
 * or not reachable over TCP, PS_E_DECLINED when a signal stopped it (the signal is raised again when
 * all is tidied, so that is seen only by those who handle it).
 */
PS_MUST bool prove_run(const struct prove_spec *spec, struct prove_result **out,
                       struct ps_err *err);

/* ---- what was on the wire meanwhile; before prove_describe ---- */

struct prove_packets {              /* one connection to the server, as its packets show it */
    uint16_t client_port;
    const char *word;               /* verdict of capture/verdict.h */
    bool encrypted, readable;       /* neither: it came to nothing, or is not known */
    bool unknown;
    bool went_on;                   /* the server asked for authentication, or let it in, readable */
};

/*
 * Give each way the verdict of its connections, found by the port that the way had.  Others' connections
 * are not ours to judge.  A way that seemed encrypted and was readable on the wire fails.
 */
void prove_add_wire(struct prove_result *result, const char *interface,
                    const struct prove_packets *packets, size_t len);

/* Nobody could look at the wire, because. */
void prove_no_wire(struct prove_result *result, const char *interface, const char *why);

/* The verdict, its counts, and the tables "sslmodes", "certificates", "names", "protocols", "attacks".
 * With the wire the section "wire", and "wire" in each row of the first four tables. */
void prove_describe(const struct prove_result *result, struct doc_node *section);

struct prove_counts {
    size_t passed, failed, not_examined;
};
void prove_count(const struct prove_result *result, struct prove_counts *out);

/* No row failed, and something was examined; of a connection string, and of the wire when it is needed,
 * everything. */
bool prove_passed(const struct prove_result *result);

/* ---- a connection string that an application uses today ---- */

struct prove_target_spec {
    const char *dsn;                /* keywords or URI; the environment, service and default files
                                       complete it, as they do for the application */
    struct ca *ca;                  /* NULL: a throw-away CA stands in for the wrong-name attack */
    int timeout_ms;
};

/*
 * Put an attacker where the first host of the string is, and see which attacks it withstands.  The
 * true server is not contacted; the true password is not sent.  PS_E_USAGE for a string that cannot be
 * parsed, PS_E_NET when it names a Unix-domain socket.
 */
PS_MUST bool prove_target(const struct prove_target_spec *spec, struct prove_result **out,
                          struct ps_err *err);

#endif

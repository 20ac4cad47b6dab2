/*
 * seen.h - what a stranger saw of one server: the facts of a survey, nothing judged.
 *
 * UNKNOWN is what was not asked or not answered; NO is what was asked and refused.
 */
#ifndef PS_SEEN_H
#define PS_SEEN_H

#include "base/mem.h"
#include "facts/server.h"       /* enum fact_bool */
#include "tls/answer.h"
#include "tls/cert.h"
#include "tls/strength.h"

enum seen_reach {
    REACH_NO_NAME,          /* the name has no address */
    REACH_NO_CONNECTION,    /* refused, unreachable */
    REACH_SILENT,           /* no answer to the connection, or none on it */
    REACH_CLOSED,           /* the connection was closed or reset without a byte: somebody in between? */
    REACH_NOT_POSTGRES,
    REACH_YES
};

/* Which program answers, as far as its words betray it. */
enum seen_kind {
    KIND_UNKNOWN,           /* it speaks the protocol, and says nothing that only one program says */
    KIND_POSTGRES, KIND_PGBOUNCER, KIND_PGPOOL, KIND_ODYSSEY, KIND_SUPAVISOR, KIND_NEON_PROXY,
    KIND_RDS_PROXY, KIND_AZURE_GATEWAY,
    KIND_OTHER,             /* none of these: its errors are not PostgreSQL's, or no startup was answered */
    KINDS
};

/* How a StartupMessage was answered. */
enum startup_end {
    STARTUP_UNKNOWN,        /* not tried, or the connection broke */
    STARTUP_ASKED,          /* authentication was asked for: this way is open */
    STARTUP_IN,             /* let in without any proof */
    STARTUP_CERTIFICATE,    /* a client certificate was missed: with one, this way is open */
    STARTUP_HEARD,          /* a pooler read it, and knows no such role or database: this way is open */
    STARTUP_FAILED,         /* ident, PAM and the like refused this role unasked: this way is open to others */
    STARTUP_REFUSED,        /* by pg_hba.conf (28000): this role, database and address */
    STARTUP_TLS_DEMANDED,   /* nobody is heard without TLS */
    STARTUP_ERROR           /* another error, such as too many clients */
};

struct startup_seen {
    enum startup_end end;
    int auth;               /* enum wire_auth, when asked */
    bool scram_plus;
    const char *sqlstate, *message, *file, *line, *routine;     /* of an error; NULL: none */
    const char *salt;       /* of SCRAM, as it came; NULL: none */
    enum seen_kind kind;    /* whose error it is; UNKNOWN: there is none, or it may be anybody's */
    int newest_minor;       /* of protocol 3, when the server speaks none as new as was asked for; -1 */
};

/* Whoever has the right proof gets in by this way. */
bool startup_is_open(const struct startup_seen *startup);
/* By somebody who knows the protocol: an error of the old style may be any bytes that begin with E. */
bool startup_is_answered(const struct startup_seen *startup);

enum { SEEN_SUITES_MAX = 256, SEEN_GROUPS_MAX = 64, SEEN_SCHEMES_MAX = 64, SEEN_VERSIONS = 5 };

struct seen_suite {
    uint16_t version, suite;
};

struct seen_scheme {
    uint16_t version, scheme;
};

struct seen {
    struct arena *arena;                /* owned */
    const char *host;
    int port;
    const char *address;                /* that was asked; NULL: none */
    const char *role, *database;        /* of the startups, borrowed; NULL: a name that nobody has, "postgres" */
    enum seen_reach reach;
    const char *reach_text;             /* translated; NULL when reached */

    char letter;                        /* to SSLRequest: 'S', 'N', 'E'; 0: none */
    enum seen_kind kind;
    int major_from, major_to;           /* of PostgreSQL, at least and at most; 0: no such bound */
    const char *hosted_by;              /* a provider, by the names in the certificate; NULL: none known */
    struct startup_seen plain, plain_replication, over_tls;
    struct startup_seen negotiation;    /* what a request for encryption too many was answered */
    struct startup_seen stuffed;        /* what came behind bytes before the handshake */
    struct startup_seen binding;        /* what was said to the certificate that was seen (binding.h) */
    struct startup_seen direct;         /* over direct TLS with ALPN, for protocol 3.2 */
    bool resumes;                       /* sessions as PostgreSQL never does: survey_known.c */
    bool assumed;                       /* that PostgreSQL itself ends TLS: some questions were not asked for it */
    enum fact_bool bound;               /* the certificate that was seen is the one of who asks for passwords */
    enum fact_bool direct_tls, direct_tls_without_alpn;
    enum fact_bool gss;                 /* answers G */
    enum fact_bool stuffing_used;       /* bytes before the handshake were used inside of it */
    enum fact_bool negotiates_again;    /* requests for encryption are declined without end */
    enum fact_bool handshake;           /* one with everything that our library can */
    const char *handshake_why;          /* it failed, because */

    enum fact_bool versions[SEEN_VERSIONS];     /* SSLv3, 1.0, 1.1, 1.2, 1.3 */
    uint16_t version, suite;            /* of the full handshake */
    const char *group;
    struct seen_suite suites[SEEN_SUITES_MAX];  /* accepted, in the order in which the server took them */
    size_t suites_len;
    bool all_suites;                    /* nothing else is accepted, as far as we could ask */
    bool asked_broken, asked_weak, asked_no_fs, asked_no_aead;  /* these kinds were asked for */
    enum fact_bool server_order;        /* the server's preference counts */
    uint16_t groups[SEEN_GROUPS_MAX];
    size_t groups_len;
    bool all_groups, asked_weak_groups, asked_hybrid;
    unsigned dh_bits;                   /* the smallest seen; 0: none */
    struct seen_scheme schemes[SEEN_SCHEMES_MAX];   /* of signatures in handshakes, as they were met */
    size_t schemes_len;
    bool all_schemes;                   /* the key signs with no other, as far as we could ask */
    enum fact_bool compression, secure_renegotiation, client_renegotiation, extended_master_secret,
                   encrypt_then_mac, tickets, session_ids, sentinel, alpn;

    struct cert_list chain;             /* as sent, leaf first; owned */
    enum fact_bool asks_certificate, demands_certificate;
    const char *const *authorities;     /* names of CAs that it would take, NULL at the end; NULL: none */

    const char *shares_key_with;        /* the other servers of the run with this key; NULL: none */
    const char *may_be;                 /* likewise, where they may be this one by another address */

    unsigned connections;               /* opened or tried */
    unsigned refused_handshakes;        /* about as many lines in the server's log */
    int64_t took_us, cpu_us;
};

void seen_free(struct seen *seen);
PS_DEFINE_FREEP(struct seen, seen_free)

/* Is plaintext taken?  UNKNOWN: this role and database are refused with TLS too, or nobody answered. */
enum fact_bool seen_plaintext(const struct seen *seen);

/* The index in versions[] of TLS 1.2 and the like; -1: none. */
int seen_version_index(uint16_t version);
extern const uint16_t seen_versions[SEEN_VERSIONS];

/* Each only once, in the order of coming. */
void seen_add_suite(struct seen *seen, uint16_t version, uint16_t suite);
void seen_add_group(struct seen *seen, uint16_t group);
void seen_add_scheme(struct seen *seen, uint16_t version, uint16_t scheme);
bool seen_has_scheme(const struct seen *seen, uint16_t version, uint16_t scheme);
bool seen_has_trait(const struct seen *seen, unsigned traits);     /* some accepted suite has one of them */

#endif

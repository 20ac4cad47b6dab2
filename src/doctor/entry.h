/*
 * entry.h - the known errors: how each is worded, by whom, what causes it, how to be sure, the cure.
 *
 * One const table; `pgseal explain` and the page pgseal-errors(7) come from it.  Wordings are those of the
 * sources: msgids and es.po of PostgreSQL (src/backend, src/interfaces/libpq) 12 to 19, the tables of
 * alerts and verify results of OpenSSL 1.1.1 to 3.6, pgjdbc, Go's crypto/tls and crypto/x509, Node, .NET,
 * Python and rustls.  Ids are never used again for something else.
 */
#ifndef PS_DOCTOR_ENTRY_H
#define PS_DOCTOR_ENTRY_H

#include "base/defs.h"

/* Who words it so. */
enum doctor_speaker {
    SAYS_SERVER,        /* the server's log, or an ErrorResponse that every client shows */
    SAYS_LIBPQ,         /* psql, psycopg, and what else is built on libpq */
    SAYS_OPENSSL,       /* OpenSSL's own words, inside of those of libpq, Node, Python or Ruby */
    SAYS_JDBC,          /* pgjdbc and Java's TLS */
    SAYS_DOTNET,        /* Npgsql and .NET */
    SAYS_GO,            /* pgx, lib/pq and Go's TLS */
    SAYS_NODE,          /* node-postgres and Node's TLS */
    SAYS_PYTHON,        /* asyncpg and Python's ssl */
    SAYS_RUST,          /* tokio-postgres, sqlx and rustls */
    SAYS_PGBOUNCER,
    SAYS_COUNT
};
const char *doctor_speaker_word(enum doctor_speaker by);    /* for programs: "libpq" */
const char *doctor_speaker_name(enum doctor_speaker by);    /* for people */

/*
 * A wording: fixed text, which it begins with, and {captures} of one line.  "{}" stands for what does
 * not matter.  The names of captures are those of match.h.
 */
struct doctor_pattern {
    const char *text;
    enum doctor_speaker by;
    unsigned since, until;      /* majors of the server or of libpq; 0: no bound known */
    const char *language;       /* of lc_messages: "es"; NULL: English */
};

/* What pgseal can look at itself when it is given the server; see confirm.h. */
enum doctor_test {
    TEST_NONE, TEST_SSL_OFF, TEST_SERVER_CERT_DATES, TEST_SERVER_CERT_WEAK, TEST_SERVER_CERT_USE,
    TEST_SERVER_CHAIN, TEST_SERVER_NAMES, TEST_SERVER_CERT_FILE, TEST_SERVER_PAIR, TEST_KEY_MODE,
    TEST_KEY_FILE, TEST_KEY_ENCRYPTED, TEST_CA_FILE, TEST_CRL_DATES, TEST_CRL_COMPLETE, TEST_CRL_FILE,
    TEST_HBA_LINE, TEST_HBA_WANTS_TLS, TEST_HBA_NOWHERE, TEST_HBA_FILE, TEST_PROTOCOLS, TEST_SETTING_KNOWN, TEST_COUNT
};

struct doctor_cause {
    const char *what;           /* N_(), a sentence */
    const char *check;          /* a command that shows it, with {captures}; NULL: none */
    const char *cure;           /* N_(), a sentence */
    enum doctor_test test;
};

/* Which answer stands first when a text has several. */
enum doctor_rank {
    RANK_AFTERMATH,             /* follows from another error, which is the one to read */
    RANK_GENERAL,               /* the message could be about several things */
    RANK_PRECISE
};

enum { DOCTOR_CAUSES_MAX = 6 };

struct doctor_entry {
    const char *id;
    const char *title;                      /* N_() */
    const struct doctor_pattern *patterns;  /* text NULL at the end */
    const char *sqlstate;                   /* NULL: the message has none, or it says nothing */
    enum doctor_rank rank;
    bool provoked;                          /* by tests/integration/test_explain.py; false: known by
                                               source only */
    struct doctor_cause causes[DOCTOR_CAUSES_MAX];      /* likeliest first; what NULL at the end */
    const char *source;
};

size_t doctor_entries(void);
const struct doctor_entry *doctor_entry(size_t i);
const struct doctor_entry *doctor_entry_find(const char *id);  /* NULL: none */

/* Wordings that are no error of their own but tell who, where and which certificate. */
extern const struct doctor_pattern doctor_context[];

/* The parts of the table: one file each; they end with an id NULL. */
extern const struct doctor_entry doctor_trust_entries[], doctor_client_entries[],
                                 doctor_files_entries[], doctor_talk_entries[],
                                 doctor_hba_entries[], doctor_server_entries[],
                                 doctor_reload_entries[];

#endif

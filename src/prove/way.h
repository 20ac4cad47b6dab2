/*
 * way.h - the ways in, as data; and what becomes of one.
 */
#ifndef PS_WAY_H
#define PS_WAY_H

#include "base/defs.h"

/* Where a way ended. */
enum way_end {
    WAY_UNKNOWN,            /* expected: cannot be worked out; seen: could not be tried */
    WAY_IN_TLS,             /* in, encrypted */
    WAY_IN_PLAIN,           /* in, and anybody could read along */
    WAY_PASSWORD_TLS,       /* TLS and pg_hba.conf let it that far: a password was asked for */
    WAY_PASSWORD_PLAIN,     /* the same on plaintext */
    WAY_REFUSED,
    WAY_ACCEPTED,           /* of a protocol: it was spoken */
    WAY_END_COUNT
};
const char *way_end_word(enum way_end end);     /* "in_tls", for programs */
const char *way_end_text(enum way_end end);     /* for people, translated */
bool way_end_is_plain(enum way_end end);

/* The certificate that the client shows. */
enum way_cert {
    CARD_NONE, CARD_GOOD, CARD_OTHER, CARD_REVOKED, CARD_EXPIRED, CARD_FOREIGN, CARD_SERVER,
    CARD_COUNT
};
const char *way_cert_word(enum way_cert cert);  /* "revoked", for programs */
const char *way_cert_text(enum way_cert cert);  /* for people, translated */

/* The host name that the client believes in. */
enum way_host { HOST_RIGHT, HOST_WRONG };
#define WAY_WRONG_NAME "wrong.invalid"          /* RFC 6761 6.4: never exists */

enum way_group { WAYS_SSLMODES, WAYS_CERTIFICATES, WAYS_NAMES, WAYS_PROTOCOLS, WAYS_GROUPS };

/* A way through libpq. */
struct way {
    enum way_group group;
    const char *key, *label;        /* label: N_(), but of an sslmode, which is not translated */
    const char *sslmode;
    enum way_cert cert;
    enum way_host host;
    const char *words;              /* what a refusal must say to be the right one; NULL: anything */
};
extern const struct way ways[];
extern const size_t ways_len;

/* The six, weakest first. */
enum { SSLMODE_COUNT = 6 };
extern const char *const sslmodes[SSLMODE_COUNT];

/* A way through our own wire code. */
struct protocol_way {
    const char *key, *label;        /* label: N_() */
    int version;                    /* the only one offered; TLS_ANY: any */
    bool plain;                     /* a StartupMessage without TLS */
    bool direct;                    /* no SSLRequest (17+) */
    bool alpn;                      /* offers "postgresql" */
    bool stuffed;                   /* a StartupMessage right behind the SSLRequest */
};
extern const struct protocol_way protocol_ways[];
extern const size_t protocol_ways_len;

/* What the attacker does. */
enum attack { ATTACK_STRIP, ATTACK_SELF_SIGNED, ATTACK_WRONG_NAME, ATTACK_COUNT };
struct attack_kind {
    const char *key, *label;        /* label: N_() */
};
extern const struct attack_kind attack_kinds[ATTACK_COUNT];

/*
 * Does libpq with this sslmode withstand the attack?  `root`: sslrootcert names a file that exists,
 * which turns require into verify-ca.  Source: manual, "SSL Support" in libpq, table of modes.
 */
bool attack_withstood(enum attack attack, const char *sslmode, bool root);

#endif

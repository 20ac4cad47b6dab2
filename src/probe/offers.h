/*
 * offers.h - the hellos of a survey: one table of what is offered, and for which question.
 */
#ifndef PS_OFFERS_H
#define PS_OFFERS_H

#include "base/buf.h"
#include "facts/seen.h"

enum question {
    ASK_TLS13,          /* all suites of TLS 1.3, and groups with shares */
    ASK_TLS12,          /* all that TLS 1.2 has, the best first */
    ASK_OLD,            /* at most TLS 1.1: who speaks less takes less */
    ASK_TLS10, ASK_SSL3,
    ASK_DUBIOUS,        /* all that the next six offer: refused, it answers all of them at once */
    ASK_OBSOLETE,       /* the next two */
    ASK_BROKEN,         /* NULL and anonymous suites alone */
    ASK_WEAK,           /* export, RC4, 64-bit blocks, MD5 */
    ASK_NO_FS,          /* static key exchange */
    ASK_NO_AEAD,        /* CBC with forward secrecy */
    ASK_DHE,            /* for the size of the group */
    ASK_DHE_NAMED,      /* DHE on groups of RFC 7919 alone: some servers take no other */
    ASK_WEAK_GROUPS,    /* ECDHE on nothing but weak curves */
    ASK_REVERSED,       /* ASK_TLS12 with the worst first: whose order counts? */
    ASK_REVERSED13,     /* likewise ASK_TLS13 */
    ASK_HYBRID,         /* TLS 1.3, post-quantum hybrids alone, without a share */
    ASK_GROUPS13,       /* TLS 1.3, every group, without a share: the answer names the one it wants */
    ASK_GROUPS12,       /* ECDHE before TLS 1.3 on every curve */
    ASK_SIGNED,         /* TLS 1.2, the suites whose key exchange the server signs */
    QUESTIONS
};

/* What a survey knows by now. */
struct offer_known {
    const char *host;           /* server_name; NULL: none */
    /* The curve of the server's key; 0: its key has none.  Before TLS 1.3 it must be in the list, or the
     * key cannot be used (RFC 8422 5.1): it stands last wherever curves are offered. */
    uint16_t key_group;
    /* Left out, for they are known. */
    const struct seen_suite *suites;
    size_t suites_len;
    const uint16_t *groups;
    size_t groups_len;
    /* These suites alone, in this order, in place of the question's; none: the question's. */
    const uint16_t *only;
    size_t only_len;
    /* Of the suites that are left at most so many, behind so many that are passed over; 0: all. */
    size_t suites_max, suites_skip;
    /* The schemes of signatures that are offered; none: all. */
    const uint16_t *schemes;
    size_t schemes_len;
};

/* False: nothing is left to be offered. */
bool offers_put(enum question question, const struct offer_known *known, struct buf *out);

/* The version that a question asks for at most. */
uint16_t offers_version(enum question question);

/* The number of a group by its name, in any case; 0: not one of those that are offered. */
uint16_t offers_group(const char *name);

/* The curve of a key as cert_info tells it ("EC P-256"); 0: none. */
uint16_t offers_key_group(const char *key_text);

#endif

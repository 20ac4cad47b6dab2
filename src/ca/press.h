/*
 * press.h - keys and certificates made by all processors at once, in the order they were asked for.
 *
 * Nothing here records or writes anything: it is computation, and the only place with threads.  The
 * caller feeds wishes in and takes finished work out, both from one thread; signals are for that one.
 */
#ifndef PS_PRESS_H
#define PS_PRESS_H

#include "ca/shard.h"
#include "tls/key.h"
#include "tls/template.h"

enum { PRESS_ROOM = 4096, PRESS_NAME_MAX = 255 };   /* works at once; bytes of a common name */

struct press_spec {
    const struct cert_spec *what;       /* everything but CN, dates and serial */
    const struct cert *issuer;
    const struct key *issuer_key;
    const char *crl_url;                /* NULL: no distribution points */
    unsigned shards;                    /* of the issuer's CRL; 1: whole */
    unsigned threads;                   /* 0: one for each processor we may use */
    bool drop_keys;                     /* nobody wants to have them */
};

struct press_wish {
    const char *common_name;
    enum key_type key_type;
    time_t not_before, not_after;
};

struct press_work {
    char common_name[PRESS_NAME_MAX + 1];
    enum key_type key_type;
    time_t not_before, not_after;       /* as wished; the certificate may end with its issuer */
    unsigned shard;
    struct secret key_pem;              /* PKCS#8, plain; empty with drop_keys */
    struct cert_filled cert;
    struct buf cert_pem;                /* likewise */
};

struct press;
/* `spec` and what it points at stay until press_free().  PS_E_CRYPTO, PS_E_PROCESS. */
PS_MUST bool press_new(const struct press_spec *spec, struct press **out, struct ps_err *err);
void press_free(struct press *press);   /* stops at once; what is under way is dropped */
PS_DEFINE_FREEP(struct press, press_free)

size_t press_room(const struct press *press);       /* how many more may be fed now */
/* PS_E_VALUE when the name is longer than PRESS_NAME_MAX; there must be room. */
PS_MUST bool press_feed(struct press *press, const struct press_wish *wish, struct ps_err *err);

/*
 * Wait until the oldest `want` works are finished, or all that were fed, or wait_ms have passed and
 * there is at least one.  *ready may be more than `want`; 0 when nothing was fed.  Works before one
 * that failed are given first; then this fails as that one did.
 */
PS_MUST bool press_wait(struct press *press, size_t want, int wait_ms, size_t *ready,
                        struct ps_err *err);
struct press_work *press_at(const struct press *press, size_t i);   /* of those that are ready */
void press_drop(struct press *press, size_t n);     /* the oldest n, which were ready */

#endif

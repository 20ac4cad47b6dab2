/*
 * siege.h - libpq against the attackers.
 */
#ifndef PS_SIEGE_H
#define PS_SIEGE_H

#include "prove/material.h"
#include "prove/result.h"

#define SIEGE_PASSWORD "pgseal-fake-password"

/* What the attackers show, forged once. */
struct arms {
    struct tls_ctx *ctx[ATTACK_COUNT];      /* NULL for ATTACK_STRIP, or could not be made */
    bool stray;                             /* the wrong name is signed by the stranger, not by the CA */
    char why_not[512];
};
void arms_free(struct arms *arms);          /* for PS_AUTO */
void arms_forge(struct material *material, const char *host, struct arms *out);

/*
 * Send `client` (hostaddr, port, password and passfile are set here; its host name stays) to one
 * attacker.
 */
void siege_one(struct arms *arms, enum attack attack, struct attempt *client,
               const char *nothing, struct arena *arena, struct prove_stand *out);

/* All sslmodes, as a client of `role` has them; PS_E_DECLINED when a signal came. */
PS_MUST bool siege_all(struct material *material, struct prove_result *result, int timeout_ms,
                       struct ps_err *err);

#endif

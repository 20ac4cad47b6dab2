/*
 * material.h - the certificates that a proof shows and its attacker forges, in a private folder.
 *
 * Everything lives ten minutes.  The folder is 0700, the keys 0600; material_free removes it.
 */
#ifndef PS_MATERIAL_H
#define PS_MATERIAL_H

#include "ca/ca.h"
#include "prove/way.h"
#include "tls/ctx.h"

enum { MATERIAL_SECONDS = 600 };
#define MATERIAL_OTHER_ROLE "pgseal-other-role"

struct material {
    char *dir;
    char *nothing;              /* a path where there is nothing: libpq looks nowhere else then */
    char *root, *crl;           /* what a client trusts and checks; NULL without a CA */
    char *stranger_root;        /* of a CA that nobody trusts, made for the occasion */
    struct material_card {
        char *cert, *key;       /* files; NULL: could not be made */
        char why_not[512];      /* and then this is why */
    } cards[CARD_COUNT];
    struct ca *ca;              /* the real one, not ours to free; NULL: none */
    struct ca *stranger;
};
void material_free(struct material *material);      /* for PS_AUTO */

/*
 * Make the folder, a foreign CA with the subject names of `ca`, and the certificates for `role`.  A
 * certificate that cannot be made (no CA, its keys are offline) is noted in its card; false only when
 * there can be no folder or no foreign CA.  Without a role only what an attacker needs is made.
 */
PS_MUST bool material_make(struct ca *ca, const char *role, struct material *out,
                           struct ps_err *err);

/*
 * What an attacker shows to a client that looks for `host`; not for ATTACK_STRIP.  The wrong name is
 * signed by `ca`, or by the stranger with a NULL ca.
 */
PS_MUST bool material_forge(struct material *material, enum attack attack, struct ca *ca,
                            const char *host, struct tls_ctx **out, struct ps_err *err);

#endif

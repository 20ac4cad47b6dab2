/*
 * tlsfiles.h - the certificates and CRLs that a server's settings name: what is in them, until when.
 */
#ifndef INSPECT_TLSFILES_H
#define INSPECT_TLSFILES_H

#include <time.h>

#include "inspect/inforce.h"
#include "inspect/remote.h"
#include "tls/cert.h"

enum tls_item_kind { ITEM_CERT, ITEM_CRL };

/* One certificate or CRL in one file; or, with `why`, a file that could not be examined. */
struct tls_item {
    const char *setting;        /* "ssl_cert_file" */
    const char *path;           /* as the setting has it */
    const char *why;            /* not examined, because; NULL: it was */
    enum remote_origin origin;
    enum tls_item_kind kind;
    const char *subject;        /* NULL for a CRL */
    const char *issuer;
    const char *serial;         /* hex; of a CRL its number, NULL without */
    const char *fingerprint;    /* SHA-256; NULL for a CRL */
    time_t from, until;         /* notBefore and notAfter; thisUpdate and nextUpdate (0: absent) */
};

struct tls_items {
    struct tls_item *at;
    size_t len, cap;
};
void tls_items_free(struct tls_items *items);

/* Never fails: what cannot be examined is an item that says why.  Texts in `arena`. */
void tls_files_read(const struct remote *remote, const struct inforce *settings,
                    struct arena *arena, struct tls_items *out);

enum validity { VALID, VALID_NOT_YET, VALID_SOON_OVER, VALID_OVER };

/*
 * Soon over: less than `warn_days` is left.  CRLs live for days by design, so for them less than a
 * third of the whole lifetime must be left too.  until 0: without end.
 */
enum validity validity_at(enum tls_item_kind kind, time_t now, time_t from, time_t until,
                          long warn_days);

#endif

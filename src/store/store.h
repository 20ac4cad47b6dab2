/*
 * store.h - what must be remembered: today the ledger of a CA.
 *
 * The engine is SQLite, in the CA's folder: WAL, synchronous=FULL, numbered migrations.  Nothing is
 * issued that is not committed here first.  Several processes may work at once: each waits at most
 * STORE_WAIT_MS for the others, then it is PS_E_BUSY.  Every other failure is PS_E_STORE.
 */
#ifndef PS_STORE_H
#define PS_STORE_H

#include "base/err.h"

struct store;
void store_free(struct store *store);
PS_DEFINE_FREEP(struct store, store_free)

enum { STORE_WAIT_MS = 30000 };

/* Open or make the database file (0600).  PS_E_UNSUPPORTED when a newer pgseal has written it. */
PS_MUST bool store_open(const char *path, struct store **out, struct ps_err *err);

struct store_cert {
    const char *serial_hex, *issuer, *subject, *kind;   /* kind: "root", "server", "proof", ... */
    const char *fingerprint;
    time_t not_before, not_after;
    const void *der;
    size_t der_len;
};
/* Committed and synced when it returns true.  PS_E_EXISTS for the same issuer and serial. */
PS_MUST bool store_put_cert(struct store *store, const struct store_cert *cert,
                            struct ps_err *err);

/* PS_E_NOT_FOUND when no such certificate was issued; revoking twice keeps the first. */
PS_MUST bool store_revoke(struct store *store, const char *issuer, const char *serial_hex,
                          time_t when, int reason, struct ps_err *err);

struct store_revoked {
    char serial_hex[41];
    time_t when;
    int reason;
};
/* What one issuer revoked, sorted by serial; *out is the caller's to free(). */
PS_MUST bool store_revoked_list(struct store *store, const char *issuer,
                                struct store_revoked **out, size_t *len, struct ps_err *err);

/* The next CRL number of an issuer: committed before it is given, so it only grows. */
PS_MUST bool store_next_crl_number(struct store *store, const char *issuer, int64_t *out,
                                   struct ps_err *err);

/* How many certificates are recorded, by kind; kind NULL: all. */
PS_MUST bool store_count(struct store *store, const char *kind, int64_t *out, struct ps_err *err);

#endif

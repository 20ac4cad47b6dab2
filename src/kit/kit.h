/*
 * kit.h - what one role needs to connect: a folder with its files, and the strings for each driver.
 *
 * The folder DIR/ROLE (0700; ROLE spelled by kit_folder_name()):
 *     postgresql.crt  0644   the role's certificate, then the client CA's; as libpq wants it
 *     postgresql.key  0600   its private key, PKCS#8 PEM
 *     postgresql.pk8  0600   the same key, PKCS#8 DER, for pgjdbc
 *     root.crt root.crl      what the role trusts, and the revocation lists it checks
 *     pg_service.conf        one entry, for psql "service=ROLE"
 *     README.txt README.html the strings for psql, JDBC, ... and what each driver does not check
 *     .lock                  held while the kit is written
 *
 * A key is 0600 from its first instant.  A folder that belongs to somebody else (an application's
 * user) is written as that user when we are root, so that no link placed in it leads anywhere that
 * this user could not write to; call with no user_guard active.
 */
#ifndef PS_KIT_H
#define PS_KIT_H

#include "base/err.h"
#include "ca/ca.h"
#include "doc/doc.h"
#include "tls/key.h"

enum { KIT_ROLE_MAX = 63 };     /* NAMEDATALEN - 1 */

struct kit_spec {
    struct ca *ca;              /* NULL: only trust_pem is known, no client certificate is made */
    const char *trust_pem;      /* what the client is to trust; used when ca is NULL */
    const char *role;           /* 1 to KIT_ROLE_MAX bytes of UTF-8, no control characters */
    const char *dir;            /* folder that holds the kits; made when absent */
    const char *host;           /* as the clients are to write it: the name that is verified */
    int port;                   /* 0: 5432 */
    const char *database;       /* NULL: the role's name, as libpq has it */
    unsigned server_major;      /* 0: not known */
    enum key_type key_type;     /* of a key that is made now */
    bool renew;                 /* a new key and certificate, whatever is there */
};

enum kit_outcome {
    KIT_MADE,                   /* a new key and certificate (without a CA: a new folder) */
    KIT_RENEWED,                /* a new certificate for the key that was there */
    KIT_KEPT,                   /* everything was there and right; nothing was written */
    KIT_REFRESHED               /* the certificate was kept, another file was out of date */
};
const char *kit_outcome_word(enum kit_outcome outcome);     /* "made", for programs */
const char *kit_outcome_text(enum kit_outcome outcome);     /* for people, translated */

/*
 * Make the kit or bring it up to date; *path is the caller's.  A key is kept when it was closed to
 * others and its certificate fits it, is for this role, and is one that servers accept: not revoked,
 * not expired.  Its certificate is kept as long as it is of the authority that signs today and has
 * more than a third of its life left; else it is renewed for the same key, by one rename, so that no
 * connection that begins meanwhile finds halves of two pairs.
 *
 * Otherwise both are replaced: both are written and synced under other names, then renamed, the key
 * first; a reader between the two renames sees a pair that does not fit, for about the time of one
 * fsync.  A crash there leaves such a pair, and the next run replaces it.  What was replaced is not
 * revoked.
 *
 * PS_E_VALUE for a role, host or port that cannot be; PS_E_PASSPHRASE, PS_E_STORE from the CA;
 * PS_E_BUSY while another run writes it; PS_E_IO.
 */
PS_MUST bool kit_write(const struct kit_spec *spec, enum kit_outcome *outcome, char **path,
                       struct ps_err *err);

/* The files and the connection strings, for a kit that is in `path`. */
void kit_describe(const struct kit_spec *spec, const char *path, struct doc_node *section);

/* When the kit's certificate ends; 0 when it has none that can be read. */
time_t kit_not_after(const char *path);

/*
 * The name of a role's folder, the caller's to free.  What a file system or libpq cannot take is
 * percent-encoded: '/', '\', ':' (sslkey with a colon is "engine:name"), control characters, a
 * leading '.', and '%' itself, so that two roles never share a folder.
 */
char *kit_folder_name(const char *role);

#endif

/*
 * many.h - the files of thousands of roles: a folder for each, synced in groups.
 *
 * A folder DIR/ROLE (kit_folder_name()) has postgresql.crt, postgresql.key, root.crt and root.crl.  It
 * is filled under another name; when the whole group is on disk the folders are renamed: one that has
 * its name is whole, whenever the program or the power was cut.
 */
#ifndef PS_KIT_MANY_H
#define PS_KIT_MANY_H

#include "base/buf.h"
#include "base/err.h"
#include "tls/secret.h"

struct many;
void many_free(struct many *many);      /* folders that were not committed are removed */
PS_DEFINE_FREEP(struct many, many_free)

/* `dir` is made with 0700 when it is absent.  `trust` and `crl` are what each folder gets as root.*. */
PS_MUST bool many_open(const char *dir, const struct buf *trust, const struct buf *crl,
                       struct many **out, struct ps_err *err);

/* Has this role its folder already? */
bool many_has(const struct many *many, const char *role);

PS_MUST bool many_put(struct many *many, const char *role, const char *chain_pem,
                      size_t chain_len, const struct secret *key_pem, struct ps_err *err);
/* All that was put since the last commit: on disk, and under its name. */
PS_MUST bool many_commit(struct many *many, struct ps_err *err);

#endif

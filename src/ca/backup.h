/*
 * backup.h - a whole CA into a folder, and back.
 *
 * The folder is a CA's own, with the ledger of one moment in ledger.db whatever engine it is in.  It has
 * the private keys that are files, as they are: keep it as you keep those.
 */
#ifndef PS_CA_BACKUP_H
#define PS_CA_BACKUP_H

#include "ca/ca.h"

/* Into `dir`, which is absent or empty (PS_E_EXISTS); it appears whole.  Others may go on working. */
PS_MUST bool ca_backup(struct ca *ca, const char *dir, struct ps_err *err);

/*
 * From such a folder into `dir`, likewise.  The ledger goes to where ca.conf of the backup says: it
 * must be new there.  PS_E_UNSAFE when the ledger of the backup was tampered with.
 */
PS_MUST bool ca_restore(const char *backup, const char *dir, struct ps_err *err);

#endif

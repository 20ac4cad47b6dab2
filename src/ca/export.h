/*
 * export.h - what leaves the CA as files: the pair of a leaf with what its holder trusts and checks,
 * bundles for a server, and CRLs as a hashed directory.
 *
 * A leaf is in the ledger before any of its files is written (ca_issue).  Each file is written as a
 * transaction (base/file.h), the key with 0600 from its first instant.
 */
#ifndef PS_CA_EXPORT_H
#define PS_CA_EXPORT_H

#include "ca/ca.h"

/* The names in a folder of a leaf: for a client those that libpq looks for. */
struct export_names {
    const char *crt, *key, *pk8;        /* pk8: the key again as PKCS#8 DER for pgjdbc, or NULL */
    const char *trust, *crl;
};
const struct export_names *export_names(enum cert_use use);

/*
 * May a leaf be written into `dir`?  PS_E_EXISTS when a certificate or key of this use is in it:
 * asked before anything is issued.
 */
PS_MUST bool export_dir_free(const char *dir, enum cert_use use, struct ps_err *err);

/*
 * Write chain, key, trust and CRLs into `dir` (made with 0700 when absent), the key encrypted when
 * `pass` is given; then there is no pk8, which cannot be.  Files that are there are replaced.
 */
PS_MUST bool export_leaf(struct ca *ca, const struct ca_leaf *leaf, enum cert_use use,
                         const char *dir, const struct secret *pass, struct ps_err *err);

/* A private key as a file: 0600, and one that was there and open to others is closed first. */
PS_MUST bool export_key_file(const char *path, const struct secret *bytes, struct ps_err *err);

/* All of a chain as PEM, in its order. */
PS_MUST bool export_chain_pem(const struct cert_list *chain, struct buf *out, struct ps_err *err);

/*
 * The CRLs that `side` checks as a directory for ssl_crl_dir: HASH.r0, HASH.r1, ...  Those of other
 * issuers in it are left alone; what this CA had there beyond its lists of now is removed.  *written
 * says how many lists there are.
 */
PS_MUST bool export_crl_dir(struct ca *ca, enum cert_use side, const char *dir, size_t *written,
                            struct ps_err *err);

#endif

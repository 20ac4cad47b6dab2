/*
 * pkcs12.h - a certificate, its chain and its private key in one encrypted file (RFC 7292): .p12, .pfx.
 *
 * Written with PBES2, AES-256-CBC and a MAC over SHA-256, each with PKCS12_ROUNDS rounds: Windows
 * refuses files that need more than 600,000 in all (KB5025823), and Java before 8u301 cannot read
 * AES.  Read is whatever OpenSSL's default provider decrypts: AES and 3DES, not RC2.
 */
#ifndef PS_PKCS12_H
#define PS_PKCS12_H

#include "tls/cert.h"
#include "tls/key.h"
#include "tls/secret.h"

enum { PKCS12_MAX = 1 << 20, PKCS12_ROUNDS = 100000, PKCS12_ROUNDS_MAX = 10000000 };

/* `name` is what a key store shows, such as the role.  PS_E_CERT when key and chain do not fit. */
PS_MUST bool pkcs12_make(const struct cert_list *chain, const struct key *key, const char *name,
                         const struct secret *pass, struct secret *out, struct ps_err *err);

/*
 * Is this one?  Only its outside is looked at, so that the passphrase is asked for once it is needed.
 */
bool pkcs12_is(const void *bytes, size_t len);

/*
 * The chain (the key's certificate first) and the key; both are appended to or set only on success.
 * PS_E_PASSPHRASE when it is wrong, PS_E_SYNTAX, PS_E_NOT_FOUND without a key and its certificate,
 * PS_E_TOO_BIG beyond PKCS12_MAX bytes, or PKCS12_ROUNDS_MAX rounds of the MAC or of any encryption.
 */
PS_MUST bool pkcs12_read(const void *bytes, size_t len, const char *name,
                         const struct secret *pass, struct cert_list *chain, struct key **key,
                         struct ps_err *err);

#endif

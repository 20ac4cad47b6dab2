/*
 * key.h - private keys: make, read, write, compare.
 *
 * Keys are never written to a file here: the caller gets the bytes in secure memory and writes them
 * through base/file.h with mode 0600.
 */
#ifndef PS_KEY_H
#define PS_KEY_H

#include "base/err.h"
#include "tls/secret.h"

enum key_type { KEY_EC_P256, KEY_EC_P384, KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096, KEY_ED25519 };

/* "ec:p256", "ec:p384", "rsa:2048", "rsa:3072", "rsa:4096", "ed25519"; PS_E_VALUE lists them. */
PS_MUST bool key_type_parse(const char *word, enum key_type *out, struct ps_err *err);
const char *key_type_name(enum key_type type);

struct key;
void key_free(struct key *key);
PS_DEFINE_FREEP(struct key, key_free)

PS_MUST bool key_generate(enum key_type type, struct key **out, struct ps_err *err);

/*
 * Read a PEM private key (PKCS#8, PKCS#1, SEC 1).  `pass` may be NULL; PS_E_PASSPHRASE when the key is
 * encrypted and the passphrase is missing or wrong.  `name` is for messages.
 */
PS_MUST bool key_from_pem(const char *pem, size_t len, const char *name,
                          const struct secret *pass, struct key **out, struct ps_err *err);
/* Is this PEM an encrypted private key?  (PostgreSQL then needs ssl_passphrase_command.) */
bool key_pem_is_encrypted(const char *pem, size_t len);

/* PKCS#8 PEM; with a passphrase encrypted by PBES2, AES-256-CBC, PBKDF2 of 600,000 rounds SHA-256. */
PS_MUST bool key_to_pem(const struct key *key, const struct secret *pass, struct secret *out,
                        struct ps_err *err);
/* PKCS#8 DER without encryption, what pgjdbc reads as .pk8. */
PS_MUST bool key_to_pkcs8_der(const struct key *key, struct secret *out, struct ps_err *err);

int key_bits(const struct key *key);

/* The size of the prime of a PEM file of Diffie-Hellman parameters; PS_E_SYNTAX when it is none. */
PS_MUST bool key_dh_bits(const char *pem, size_t len, const char *name, int *bits, struct ps_err *err);

/* "EC P-256" or "RSA 3072" into out, which it returns. */
const char *key_describe(const struct key *key, char *out, size_t size);

/*
 * Read a key file as PostgreSQL would accept it (be-secure-common.c check_ssl_key_file_permissions):
 * a regular file of `owner`'s with at most 0600, or of root's with at most 0640.  PS_E_KEY_MODE with
 * the command that mends it otherwise.
 */
PS_MUST bool key_file_mode_ok(const char *path, uid_t owner, struct ps_err *err);

#endif

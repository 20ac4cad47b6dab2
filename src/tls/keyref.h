/*
 * keyref.h - keys that are not simply in a file: behind a command that gives the passphrase, or in
 * a token that OpenSSL opens by URI.
 */
#ifndef PS_KEYREF_H
#define PS_KEYREF_H

#include "tls/key.h"

/*
 * The passphrase as PostgreSQL's ssl_passphrase_command gives it (be-secure-common.c,
 * run_ssl_passphrase_command): run by /bin/sh -c, "%p" is replaced by `prompt` and "%%" by "%"; the
 * first line of its output without the line end, at most 1,024 bytes, in secure memory.
 * PS_E_PASSPHRASE when it fails or says nothing; what it says is in no message.  The prompt becomes a
 * part of a shell's command: PS_E_VALUE when it has a character that a shell might take for its own.
 */
PS_MUST bool secret_from_command(const char *command, const char *prompt, struct secret *out,
                                 struct ps_err *err);

/*
 * A key by URI: "pkcs11:token=ca;object=root", "file:...", and whatever else OpenSSL's providers open
 * (OSSL_STORE); for "pkcs11:" also the engine of that name, for OpenSSL 3.0 without a provider.
 * `pin` is asked when the token wants one, at most once; it may be NULL.  The key may be of no use
 * but to sign: it cannot be written.  PS_E_NOT_FOUND when nothing there is a private key.
 */
typedef bool (*key_pin_fn)(void *arg, const char *what, struct secret *out, struct ps_err *err);
PS_MUST bool key_from_uri(const char *uri, key_pin_fn pin, void *arg, struct key **out,
                          struct ps_err *err);

#endif

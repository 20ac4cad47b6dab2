/*
 * ca_cert_in.h - certificates and keys from files of others: PEM, DER, .p7b, .p12.
 */
#ifndef CLI_CA_CERT_IN_H
#define CLI_CA_CERT_IN_H

#include "tls/cert.h"
#include "tls/key.h"
#include "tls/secret.h"

/* Gives the passphrase of the file `path`; as ca_pass_fn. */
typedef bool (*cert_in_pass_fn)(void *arg, const char *path, struct secret *out,
                                struct ps_err *err);

/*
 * The certificates of a file, whatever its form, and the private key when it is a PKCS#12 file (else
 * *key stays NULL).  `pass` is asked when it is encrypted.
 */
PS_MUST bool cert_in_read(const char *path, cert_in_pass_fn pass, void *arg,
                          struct cert_list *certs, struct key **key, struct ps_err *err);

/* A private key, PEM, of a file that only its owner can read. */
PS_MUST bool cert_in_key(const char *path, cert_in_pass_fn pass, void *arg, struct key **key,
                         struct ps_err *err);

#endif

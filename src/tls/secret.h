/*
 * secret.h - passphrases and the bytes of private keys: locked memory, wiped when freed.
 *
 * The memory is OpenSSL's secure heap (OPENSSL_secure_malloc): locked against swapping, left out of
 * core files, wiped by secret_free.  tls_start() makes the heap; without it, or when the heap is full,
 * ordinary memory is used and still wiped.  tls_start() also has every block wiped that OpenSSL
 * frees, because its decoders leave pieces of keys in them.
 */
#ifndef PS_SECRET_H
#define PS_SECRET_H

#include "base/err.h"

struct secret {
    char *p;            /* `len` bytes and a NUL */
    size_t len;
};

#define SECRET_MAX (1u << 20)

void secret_alloc(struct secret *secret, size_t len);   /* `len` zero bytes, to be filled in */
void secret_set(struct secret *secret, const void *bytes, size_t len);
void secret_free(struct secret *secret);    /* for PS_AUTO; wipes */

/*
 * The first line of a descriptor, without its line end (at most 1,024 bytes), as
 * --passphrase-fd wants it.
 */
PS_MUST bool secret_read_fd(int fd, struct secret *out, struct ps_err *err);

/*
 * A whole file, such as a private key, straight into secure memory: at most SECRET_MAX bytes.
 * PS_E_NOT_FOUND, PS_E_TOO_BIG, PS_E_IO.
 */
PS_MUST bool secret_read_file(const char *path, struct secret *out, struct ps_err *err);

/* Ask on /dev/tty without echo; `again` asks twice and compares.  PS_E_PASSPHRASE without a tty. */
PS_MUST bool secret_prompt(const char *question, bool again, struct secret *out,
                           struct ps_err *err);

/* Start OpenSSL, first thing in main(): secure heap, wiped frees, no core files (soft limit 0, not
 * dumpable). */
void tls_start(void);

#endif

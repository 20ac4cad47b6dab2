/*
 * roots.h - the roots that this system trusts: the public CAs, and those that its administrator has added.
 */
#ifndef PS_TLS_ROOTS_H
#define PS_TLS_ROOTS_H

#include "base/defs.h"

/*
 * The file of PEM certificates: what SSL_CERT_FILE names, or OpenSSL's own, or the one of this distribution.
 * The same roots as those of libpq's "sslrootcert=system".  NULL: there is none.
 */
const char *roots_of_system(void);

#endif

/*
 * given.h - what the user gave of the clients' side: --trust and --crl, for the verbs that judge.
 */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "tls/cert.h"
#include "tls/crl.h"

/*
 * Each file may be NULL: not given, and its list stays as it is.  The trust file "system" is that of the system's
 * roots (tls/roots.h).  The error names the file.
 */
PS_MUST bool given_read(const char *trust_file, const char *crl_file, struct cert_list *trust,
                        struct crl_list *crls, struct ps_err *err);

#endif

/*
 * name.h - does a server certificate speak for this host?  Decided as libpq does.
 *
 * Source: fe-secure-common.c and fe-secure-openssl.c of PostgreSQL 15 and later: any dNSName SAN
 * present and the CN is ignored for names; addresses match iPAddress SANs as addresses; a wildcard is
 * the whole first label and covers one label; no case.
 */
#ifndef PS_NAME_H
#define PS_NAME_H

#include "tls/cert.h"

bool name_matches(const char *pattern, const char *host);       /* one dNSName or CN against a name */
bool name_is_address(const char *host);                         /* an IPv4 or IPv6 literal */
bool cert_speaks_for(const struct cert *cert, const char *host);

#endif

/*
 * conninfo.h - write connection strings: libpq's keyword form, URIs, and what drivers want instead.
 *
 * Parsing them is libpq's own work (PQconninfoParse), done where libpq is seen (inspect/, prove/).
 * Source: manual, "Connection Strings"; RFC 3986 for URIs.
 */
#ifndef PS_CONNINFO_H
#define PS_CONNINFO_H

#include "base/buf.h"
#include "base/defs.h"

/* Append " keyword=value" (no blank at the beginning), quoted where it must be. */
void conninfo_add(struct buf *conninfo, const char *keyword, const char *value);
/* Percent-encode for a URI component. */
void conninfo_uri_encode(const char *text, struct buf *out);

#endif

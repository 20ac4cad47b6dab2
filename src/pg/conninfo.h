/*
 * conninfo.h - connection strings: libpq's keyword form, URIs, and what drivers want instead.
 *
 * Whether one is good is libpq's to say (PQconninfoParse), where libpq is asked (inspect/, prove/).
 * Source: manual, "Connection Strings"; RFC 3986 for URIs.
 */
#ifndef PS_CONNINFO_H
#define PS_CONNINFO_H

#include "base/buf.h"
#include "base/defs.h"

/* Append " keyword=value" (no blank at the beginning), quoted where it must be. */
void conninfo_add(struct buf *conninfo, const char *keyword, const char *value);
/*
 * Read the keyword form: the next pair, *at moves behind it.  Every keyword is taken, also those of
 * versions to come.  False at the end, and at what is no pair (then **at is not NUL).
 */
bool conninfo_next(const char **at, struct buf *keyword, struct buf *value);
/* The last value of a keyword, in `value`; false: it is not there. */
bool conninfo_get(const char *conninfo, const char *keyword, struct buf *value);

/* Percent-encode for a URI component. */
void conninfo_uri_encode(const char *text, struct buf *out);

#endif

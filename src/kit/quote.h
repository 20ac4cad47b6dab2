/*
 * quote.h - texts as the languages of connection strings want them written.
 *
 * The texts have no control characters and are UTF-8: kit_write() has refused the rest.
 */
#ifndef PS_QUOTE_H
#define PS_QUOTE_H

#include "base/buf.h"

void quote_string(const char *text, struct buf *out);   /* "..." of Python, JavaScript, Go, Java */
void quote_shell(const char *text, struct buf *out);    /* '...' of sh, when it is needed */
void quote_npgsql(const char *text, struct buf *out);   /* value of an ADO.NET connection string */
void quote_single(const char *text, struct buf *out);   /* '...' with '' inside: PgBouncer's values */

#endif

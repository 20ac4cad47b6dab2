/*
 * redact.h - the text of a statement without the values in it.
 *
 * Strings of every kind (quotes, dollar quotes), numbers and comments become "?"; names and keywords stay.
 * A string that does not end takes the rest with it.  Source: manual, "Lexical Structure".
 */
#ifndef CAPTURE_REDACT_H
#define CAPTURE_REDACT_H

#include "base/buf.h"

enum { REDACT_MAX = 240 };      /* bytes of a statement that are shown */

void redact_sql(const char *sql, size_t len, struct buf *out);

#endif

/*
 * latin1.h - what a server wrote in LATIN1, LATIN9 or WIN1252, as UTF-8, which our wordings are in.
 *
 * A log has the encoding of the database that a message is about: one file may have both.  The letters of Spanish
 * and the quotation marks « » are the same in all three.
 */
#ifndef DOCTOR_LATIN1_H
#define DOCTOR_LATIN1_H

#include "base/buf.h"

/* Into `out`, which is cleared first; false, and nothing in it, for a text that is UTF-8 as it stands. */
bool latin1_to_utf8(const char *text, size_t len, struct buf *out);

#endif

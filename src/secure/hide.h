/*
 * hide.h - passwords that stand in configuration files are not shown with them.
 */
#ifndef PS_HIDE_H
#define PS_HIDE_H

#include "base/buf.h"

/*
 * `text` into `out`, the values of ldapbindpasswd, radiussecrets and password (of a connection
 * string) as "***".  Made for lines of pg_hba.conf and postgresql.conf; what cannot be told apart is
 * hidden up to the end of its line.
 */
void hide_passwords(const char *text, struct buf *out);

#endif

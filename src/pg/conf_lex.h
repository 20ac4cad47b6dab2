/*
 * conf_lex.h - one line of postgresql.conf, as the server's scanner and grammar take it.
 *
 * The server's scanner takes the longest token, and of equally long ones the first rule; a value must be
 * an identifier, a string, a number or an unquoted string.  So `s.crt` is no value (it is a qualified
 * name), `/x` begins no token, and `x+5` sets x to +5.  No token crosses a newline.
 * Source: PostgreSQL 12 to 18, src/backend/utils/misc/guc-file.l (the rules, ParseConfigFp,
 * DeescapeQuotedString).
 */
#ifndef PS_CONF_LEX_H
#define PS_CONF_LEX_H

#include "base/mem.h"
#include "pg/conf.h"

/*
 * Judge the line text[0..len), without its newline: fills in kind, name, value, value_column and why
 * of *out.  Strings are made in the arena.
 */
void conf_lex_line(const char *text, size_t len, struct arena *arena, struct conf_line *out);

#endif

/*
 * roles.h - the list of roles of a batch: one role a line, or CSV with options for each.
 *
 * Plain: every line that is not empty is a role, exactly, with its blanks; line ends are LF or CRLF.
 * CSV (RFC 4180) when the first line is "role" or begins with "role,": further columns are "days" and
 * "key-type"; a quoted role may hold commas, quotes and line ends.  An empty option is the default.
 */
#ifndef PS_KIT_ROLES_H
#define PS_KIT_ROLES_H

#include "base/err.h"
#include "base/mem.h"
#include "tls/key.h"

enum { ROLES_MAX = 2000000, ROLES_BYTES_MAX = 256 << 20 };

struct role_wish {
    const char *role;
    long days;                  /* 0: the default */
    enum key_type key_type;
    unsigned line;              /* of the file, from 1 */
};

struct roles {
    struct role_wish *at;       /* as in the file */
    size_t len, cap;
    struct arena *arena;
};
void roles_free(struct roles *roles);       /* for PS_AUTO */

/*
 * PS_E_VALUE for a role that is empty, longer than 63 bytes or there twice, and for an option that
 * cannot be; PS_E_SYNTAX for broken CSV or a NUL byte; PS_E_TOO_BIG.  `at` has the line.
 */
PS_MUST bool roles_parse(const char *text, size_t len, const char *name, enum key_type key_type,
                         struct roles *out, struct ps_err *err);

#endif

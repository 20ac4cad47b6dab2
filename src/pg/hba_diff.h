/*
 * hba_diff.h - two pg_hba.conf compared as access, not as text.
 *
 * Line order, comments, includes and spelling do not count; what counts is what each connection is
 * asked for.  "No difference" is proven: for every combination of database, role, address and kind of
 * connection that the two files can tell apart, also for memberships and host names that nobody
 * knows here, the deciding lines do the same.
 */
#ifndef PS_HBA_DIFF_H
#define PS_HBA_DIFF_H

#include "base/mem.h"
#include "pg/hba_reach.h"

#define DIFF_WORK_MAX (256u << 20)      /* steps; then diff->sure is false */
#define DIFF_ROWS_MAX 10000

enum diff_change {
    DIFF_GAINS,             /* was refused, may try now */
    DIFF_LOSES,
    DIFF_TO_PLAIN,          /* TLS was needed, plaintext is enough now */
    DIFF_TO_TLS,            /* plaintext was enough, TLS is needed now */
    DIFF_WEAKER,            /* is asked for less */
    DIFF_STRONGER,
    DIFF_OTHER              /* another method or option, not to be compared in strength */
};
const char *diff_change_word(enum diff_change change);      /* "gains", never translated */
const char *diff_change_text(enum diff_change change);      /* translated */

struct diff_row {
    enum diff_change change;
    enum reach_kind kind;
    const struct hba_rule *before, *after;      /* that decide; NULL: no line */
    const char *databases, *roles;      /* "shop, erp", "all", "+dba"; "all others" beside names */
    const char *nets;                   /* "10.0.0.0/8"; "" for local */
    const char *given;                  /* NULL, or under which unknown: "member of dba" */
};

struct diff {
    struct diff_row *rows;
    size_t len;
    bool sure;              /* false: a bound was reached, or the unknown are too many: what is in
                               rows is true, but there may be more */
};

/* Both of one major.  Rows and texts live in the arena. */
void hba_diff(const struct hba *before, const struct hba *after, const struct reach_world *world,
              struct arena *arena, struct diff *out);

#endif

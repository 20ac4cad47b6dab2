/*
 * hba_diff_rows.h - the differences as few rows that a person reads; for hba_diff.c alone.
 *
 * Cases that differ only in the net, the role or the database are one row.  What stands in all of them is "all",
 * the word of pg_hba.conf; "all others" is said only beside somebody to whom it does not apply.
 */
#ifndef PS_HBA_DIFF_ROWS_H
#define PS_HBA_DIFF_ROWS_H

#include "pg/hba_cases.h"
#include "pg/hba_diff.h"
#include "pg/hba_pairs.h"

struct row_keys {               /* whom a row is about, as in struct hba_case */
    uint32_t *at;
    size_t len, cap;
};

struct row_names {
    struct row_keys databases, roles;
};

struct diff_rows {
    struct arena *arena;
    const struct sets *sets;    /* that know the names of both files */
    const struct pairs *done;   /* the pairs of names that were compared; the rest are as the other names */
    struct diff_row *at;
    size_t len, cap;
    struct row_names *names;    /* of each row */
    size_t names_len, names_cap;
    bool full;                  /* DIFF_ROWS_MAX were reached */
};
void diff_rows_free(struct diff_rows *rows);

/* `row` without its names: they are those of the case. */
void diff_rows_add(struct diff_rows *rows, const struct hba_case *which, const struct diff_row *row);

/* Into `out`, in the arena. */
void diff_rows_finish(struct diff_rows *rows, struct diff *out);

#endif

/*
 * nearest.h - for a text that is not known: the entries whose wordings have most of its words.
 *
 * This is a help to go on searching, never an answer: `pgseal explain` says so.
 */
#ifndef DOCTOR_NEAREST_H
#define DOCTOR_NEAREST_H

#include "doctor/entry.h"

enum { NEAREST_MAX = 3 };

struct nearest {
    const struct doctor_entry *entry;
    const struct doctor_pattern *pattern;
    double likeness;            /* 0 to 1; what is below NEAREST_LEAST is not given */
};
#define NEAREST_LEAST 0.35

/*
 * Compares words of three letters and more; a word counts the more the rarer it is in the table, and an
 * SQLSTATE in the text that an entry has counts too.  Only the first 16 KiB of the text are looked at.
 * Returns how many were found, the most alike first.
 */
size_t doctor_nearest(const char *text, size_t len, struct nearest out[NEAREST_MAX]);

#endif

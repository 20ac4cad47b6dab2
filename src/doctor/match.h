/*
 * match.h - which known errors a text has, and the names in it.
 *
 * One pass over the text for all wordings at once.  Nothing is allocated while matching, and the time
 * is linear in the text: a capture is one line of at most DOCTOR_CAPTURE_MAX bytes.
 */
#ifndef DOCTOR_MATCH_H
#define DOCTOR_MATCH_H

#include "doctor/entry.h"

/* What a wording may capture. */
enum doctor_what {
    WHAT_HOST, WHAT_ADDRESS, WHAT_PORT, WHAT_ROLE, WHAT_DATABASE, WHAT_FILE, WHAT_LINE, WHAT_SETTING,
    WHAT_VALUE, WHAT_NAME, WHAT_SUBJECT, WHAT_ISSUER, WHAT_SERIAL, WHAT_DEPTH, WHAT_REASON,
    WHAT_MAP, WHAT_IDENTITY, WHAT_LOW, WHAT_HIGH, WHAT_COMMAND, WHAT_COUNT
};
const char *doctor_what_name(enum doctor_what what);        /* "host", as in the templates */

enum { DOCTOR_HITS_MAX = 16, DOCTOR_CAPTURE_MAX = 1024 };

struct doctor_text {
    const char *p;
    size_t len;
};

struct doctor_hit {
    const struct doctor_entry *entry;       /* NULL: context only */
    const struct doctor_pattern *pattern;
    size_t begin, end, fixed;               /* place in the text; bytes of fixed text */
};

struct doctor_match {
    struct doctor_hit hits[DOCTOR_HITS_MAX];    /* of entries, each entry once, best first */
    size_t len;
    struct doctor_text got[WHAT_COUNT];         /* inside the text; p NULL: not said */
};

struct doctor;      /* the wordings, compiled */
struct doctor *doctor_new(void);
void doctor_free(struct doctor *doctor);
PS_DEFINE_FREEP(struct doctor, doctor_free)

/*
 * A hit that lies inside of a longer one is part of it and does not count.  Of the rest the more precise
 * stand first, and of equals the one that is said first.
 */
void doctor_match(const struct doctor *doctor, const char *text, size_t len,
                  struct doctor_match *out);

#endif

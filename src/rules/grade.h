/*
 * grade.h - one letter for a server, and what holds it down.
 *
 * The worst of five areas, as SSL Labs does: A+, A, B, C, F; T for a certificate that cannot be trusted and M for
 * one of another name.  Each finding caps the letter of its area.  An area that was not examined could be
 * anything: then there is no letter, unless what was seen is an F already.
 */
#ifndef PS_RULES_GRADE_H
#define PS_RULES_GRADE_H

#include "facts/finding.h"

enum grade_area { AREA_TRANSPORT, AREA_PROTOCOL, AREA_CIPHER, AREA_CERTIFICATE, AREA_AUTHENTICATION,
                  GRADE_AREAS };
const char *grade_area_word(enum grade_area area);      /* "transport", for programs */
const char *grade_area_text(enum grade_area area);      /* translated */

/* From best to worst. */
enum grade_letter { GRADE_A_PLUS, GRADE_A, GRADE_B, GRADE_C, GRADE_M, GRADE_T, GRADE_F };
const char *grade_letter_word(enum grade_letter letter);
enum doc_mark grade_letter_mark(enum grade_letter letter);

struct grade_reason {
    enum grade_area area;
    bool unseen;                /* the area was not examined: `letter` says nothing */
    enum grade_letter letter;   /* the cap */
    const char *id;             /* of the rule */
    const char *text;           /* translated: the finding's message, or why it was not examined */
};

struct grade {
    bool graded;
    enum grade_letter letter;
    struct grade_reason *reasons;       /* worst first, one for a rule */
    size_t len, cap;
};
void grade_free(struct grade *grade);   /* for PS_AUTO */

/*
 * `findings` are sorted.  `partial`: not all rules were run, so there is no letter.  Texts are those of the findings.
 */
void grade_of(const struct findings *findings, bool partial, struct grade *out);

#endif

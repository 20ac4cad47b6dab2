/*
 * confirm.h - is a cause the one on this server?  Looked at in its files or by SQL.
 *
 * What the error text says (the role, the address, the name that was asked for, the issuer of the
 * certificate that failed) is held against what is known of the server.  What cannot be seen is not
 * guessed: the verdict is then LOOK_UNDECIDED, with what was seen, if anything was.
 */
#ifndef DOCTOR_CONFIRM_H
#define DOCTOR_CONFIRM_H

#include "doctor/match.h"
#include "facts/posture.h"

enum doctor_verdict { LOOK_UNDECIDED, LOOK_CONFIRMED, LOOK_RULED_OUT };

struct doctor_look {
    const struct posture *posture;
    const struct doctor_match *match;   /* NULL: no text was given */
    enum doctor_verdict verdict;
    char evidence[1024];                /* translated, a sentence; "": nothing was seen */
};

/* Fills in verdict and evidence of a look whose posture and match are set. */
void doctor_confirm(enum doctor_test test, struct doctor_look *look);

#endif

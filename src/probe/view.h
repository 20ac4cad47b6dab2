/*
 * view.h - what a survey saw, as the posture that the rules judge.
 */
#ifndef PS_VIEW_H
#define PS_VIEW_H

#include "facts/posture.h"
#include "facts/seen.h"

/* The posture borrows `seen`, `trust` and `crls` (both may be NULL). */
struct posture *view_posture(const struct seen *seen, const struct cert_list *trust,
                             const struct crl_list *crls);

#endif

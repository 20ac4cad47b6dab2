/*
 * describe.h - an entry, an answer and the list of all entries as parts of a document.
 */
#ifndef DOCTOR_DESCRIBE_H
#define DOCTOR_DESCRIBE_H

#include "doc/doc.h"
#include "doctor/confirm.h"
#include "doctor/nearest.h"

/*
 * Everything about an entry, in `section`.  `match` gives the names for the commands; NULL: none were
 * said.  With a posture (NULL: none) each cause is looked at; returns how many of them were confirmed.
 */
size_t doctor_describe_entry(const struct doctor_entry *entry, const struct doctor_match *match,
                             const struct posture *posture, struct doc_node *section);

/* The answer to a text that `match` was made from; returns how many causes were confirmed. */
size_t doctor_describe_match(const struct doctor_match *match, const struct posture *posture,
                             struct doc_node *root);

/* "Not known", with what is nearest. */
void doctor_describe_unknown(const char *text, size_t len, struct doc_node *root);

/*
 * One row for each entry: id, title, who says it, how we know it; and, aside, everything about each: the
 * page pgseal-errors(7) is made of it.
 */
void doctor_describe_list(struct doc_node *root);

#endif

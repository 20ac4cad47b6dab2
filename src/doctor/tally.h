/*
 * tally.h - a log summed up: which error how often, from when to when, by which role, database and address.
 *
 * Memory does not grow with the log: at most TALLY_KEYS_MAX different keys and TALLY_UNKNOWN_MAX unknown
 * messages are kept apart; what comes after that is counted, and the count is shown.
 */
#ifndef DOCTOR_TALLY_H
#define DOCTOR_TALLY_H

#include "doc/doc.h"
#include "doctor/logs.h"
#include "facts/posture.h"

enum { TALLY_KEYS_MAX = 20000, TALLY_UNKNOWN_MAX = 100, TALLY_NAME_MAX = 128, TALLY_TIME_MAX = 48 };

struct tally;
struct tally *tally_new(const struct doctor *doctor);
void tally_free(struct tally *tally);
PS_DEFINE_FREEP(struct tally, tally_free)

/* The message is looked at, and counted when it is an error that is known or one that should be. */
void tally_take(struct tally *tally, const struct logs *logs, const struct logs_message *message);

/* `top`: rows of a table at most. */
/* With a posture (NULL: none) the causes are looked at; returns how many were confirmed. */
size_t tally_describe(const struct tally *tally, const struct logs_count *count, size_t top,
                      const struct posture *posture, struct doc_node *root);

/* How often an entry was the first answer. */
uint64_t tally_count(const struct tally *tally, const struct doctor_entry *entry);
uint64_t tally_not_kept_apart(const struct tally *tally);

#endif

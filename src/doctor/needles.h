/*
 * needles.h - find many words in a text at once, one step for each byte (Aho and Corasick 1975).
 *
 * The automaton is a table: bytes that are in no word share one column.  It is read only once made, and
 * may serve several threads.
 */
#ifndef DOCTOR_NEEDLES_H
#define DOCTOR_NEEDLES_H

#include "base/defs.h"

#define NEEDLES_MAX_BYTES 60000u    /* of all words together; more is a mistake of the caller's */

struct needles;
/* Words are not empty, may be equal to each other, and are not kept. */
struct needles *needles_new(const char *const *words, const size_t *lens, size_t len);
void needles_free(struct needles *needles);
PS_DEFINE_FREEP(struct needles, needles_free)

/* Called for each place where word number `word` ends: `end` is the offset behind it. */
typedef void (*needles_fn)(void *arg, size_t word, size_t end);
void needles_find(const struct needles *needles, const char *text, size_t len, needles_fn found,
                  void *arg);

#endif

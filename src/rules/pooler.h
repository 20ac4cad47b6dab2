/*
 * pooler.h - what a pooler's own file has for a line of postgresql.conf or pg_hba.conf.
 */
#ifndef PS_POOLER_H
#define PS_POOLER_H

#include "facts/posture.h"

/* Does something other than PostgreSQL answer there? */
bool pooler_answers(const struct posture *posture);

/* The line for who answers there: of PostgreSQL the same; NULL: there is none, or none is known. */
const char *pooler_line(const struct posture *posture, const char *line);

#endif

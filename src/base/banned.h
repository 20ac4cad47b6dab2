/*
 * banned.h - functions that do not compile here, each with a better one beside it.
 *
 * The idea is git's banned.h: a mistake that cannot be written needs no review.
 */
#ifndef PS_BANNED_H
#define PS_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* the C library may have made macros of them, and clang poisons no macro */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef atoll
#undef gmtime
#undef localtime
#undef ctime
#undef asctime

#pragma GCC poison strcpy strcat strncpy strncat    /* ps_strdup, buf_puts, snprintf */
#pragma GCC poison sprintf vsprintf                 /* snprintf, ps_asprintf */
#pragma GCC poison strtok                           /* strsep, str_split */
#pragma GCC poison atoi atol atoll                  /* num_parse */
#pragma GCC poison gmtime localtime ctime asctime   /* the _r forms, clock_rfc3339 */

#endif

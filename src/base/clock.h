/*
 * clock.h - wall clock for people and certificates, monotonic clock for time limits.
 */
#ifndef PS_CLOCK_H
#define PS_CLOCK_H

#include "base/defs.h"

time_t clock_now(void);                 /* seconds since 1970, UTC */
int64_t clock_mono_ms(void);            /* for differences only */
int64_t clock_mono_us(void);
void clock_sleep_ms(int ms);

#define CLOCK_TEXT 32
/* "2026-11-21T09:30:00Z" into out, which it returns (RFC 3339, UTC). */
const char *clock_rfc3339(time_t when, char out[CLOCK_TEXT]);

/* Whole days from now until then, rounded down; negative when it has passed. */
long clock_days_until(time_t then);

#endif

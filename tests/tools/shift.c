/*
 * shift.c - preloaded into pgseal, it makes today another day: SHIFT_DAYS from now.
 */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out)
{
    const char *days = getenv("SHIFT_DAYS");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += (days ? strtol(days, NULL, 10) : 0) * 24 * 60 * 60;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* clock.c - see clock.h. */
#include "base/clock.h"

#include <errno.h>

time_t clock_now(void)
{
    return time(NULL);
}

int64_t clock_mono_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

void clock_sleep_ms(int ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

const char *clock_rfc3339(time_t when, char out[CLOCK_TEXT])
{
    struct tm tm;

    if (!gmtime_r(&when, &tm) || !strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, CLOCK_TEXT, "?");
    return out;
}

long clock_days_until(time_t then)
{
    const long day = 24 * 60 * 60;
    long left = (long)(then - clock_now());

    return left >= 0 ? left / day : -((-left + day - 1) / day);
}

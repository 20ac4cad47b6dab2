/* histogram.c - see histogram.h. */
#include "capture/histogram.h"

enum { STEPS_BITS = 5, STEPS = 1 << STEPS_BITS, OCTAVES = 1024 / STEPS };

void histogram_add(struct histogram *histogram, double ms)
{
    uint64_t us = ms < 0 ? 0 : (uint64_t)(ms * 1000);
    int octave = 0;

    if (ms < 0)
        return;
    if (us >= 2 * STEPS)
        octave = 63 - __builtin_clzll(us) - STEPS_BITS;
    if (octave > OCTAVES - 2)
        octave = OCTAVES - 2;

    /* below 2 * STEPS microseconds each has a slot; above, STEPS slots for each doubling */
    size_t slot = octave == 0 ? (size_t)us
                              : (size_t)(octave + 1) * STEPS + (size_t)((us >> octave) - STEPS);
    histogram->slot[slot < PS_COUNT(histogram->slot) ? slot : PS_COUNT(histogram->slot) - 1]++;
    histogram->count++;
    if (ms > histogram->most_ms)
        histogram->most_ms = ms;
}

double histogram_percentile(const struct histogram *histogram, double percent)
{
    uint64_t before = 0;
    double want = (double)histogram->count * percent / 100;

    for (size_t i = 0; i < PS_COUNT(histogram->slot); i++) {
        before += histogram->slot[i];
        if (histogram->slot[i] && (double)before >= want) {
            size_t octave = i < 2 * STEPS ? 0 : i / STEPS - 1;
            double us = octave == 0 ? (double)i
                                    : (double)((uint64_t)(i % STEPS + STEPS) << octave);
            return us / 1000;
        }
    }
    return histogram->most_ms;
}

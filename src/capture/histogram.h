/* histogram.h - times, each counted within 3 of 100, and their percentiles. */
#ifndef CAPTURE_HISTOGRAM_H
#define CAPTURE_HISTOGRAM_H

#include "base/defs.h"

struct histogram {
    uint64_t count, slot[1024];
    double most_ms;
};

void histogram_add(struct histogram *histogram, double ms);     /* a negative time is none */
double histogram_percentile(const struct histogram *histogram, double percent);     /* in ms */

#endif

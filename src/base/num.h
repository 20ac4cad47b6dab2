/*
 * num.h - numbers from text, all of it or nothing.
 */
#ifndef PS_NUM_H
#define PS_NUM_H

#include "base/defs.h"

/* A decimal number with min <= value <= max and nothing around it. */
PS_MUST bool num_parse(const char *text, long min, long max, long *out);
PS_MUST bool num_parse_n(const char *text, size_t len, long min, long max, long *out);

#endif

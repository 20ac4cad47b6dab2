/*
 * defs.h - the small words every file uses: ownership, must-check, counting, translation.
 *
 * Included by every header of base/, so nobody includes it by hand except a file that needs it alone.
 */
#ifndef PS_DEFS_H
#define PS_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libintl.h>

#include "base/banned.h"

/* Free on every way out of the scope: PS_AUTO(cert_freep) struct cert *cert = NULL; */
#define PS_AUTO(freep) __attribute__((cleanup(freep)))

/* Hand a pointer over: the value, and the variable no longer owns it. */
#define PS_TAKE(var) (__extension__({ __typeof__(var) ps_taken_ = (var); (var) = NULL; ps_taken_; }))

/* The function fails; its answer is looked at. */
#define PS_MUST __attribute__((warn_unused_result))

/* fmt is argument number f, the first of its values number a (counting from 1). */
#define PS_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define PS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Defines void NAMEp(TYPE **), what PS_AUTO wants, from void NAME(TYPE *). */
#define PS_DEFINE_FREEP(type, name)                     \
    static inline void name##p(type **p)                \
    {                                                   \
        if (*p)                                         \
            name(*p);                                   \
        *p = NULL;                                      \
    }

/* gettext: _() translates now, N_() marks a string in a table for later. */
#define _(text) gettext(text)
#define N_(text) text

#endif

/*
 * fuzz_doctor.c - any text given to the matcher, and to the search for what is near.
 *
 * Promises: hits and captures lie inside of the text; no entry is there twice; the more precise stand
 * first; a capture is one line of at most DOCTOR_CAPTURE_MAX bytes.
 */
#include "doctor/match.h"
#include "doctor/nearest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hits(const struct doctor_match *match, size_t size)
{
    for (size_t i = 0; i < match->len; i++) {
        const struct doctor_hit *hit = &match->hits[i];

        if (hit->begin >= hit->end || hit->end > size || !hit->entry)
            abort();
        if (i > 0 && match->hits[i - 1].entry->rank < hit->entry->rank)
            abort();
        for (size_t j = 0; j < i; j++)
            if (match->hits[j].entry == hit->entry)
                abort();
    }
}

static void check_captures(const struct doctor_match *match, const char *text, size_t size)
{
    for (int i = 0; i < WHAT_COUNT; i++) {
        const struct doctor_text *got = &match->got[i];

        if (got->p && (got->p < text || got->p + got->len > text + size
                       || got->len > DOCTOR_CAPTURE_MAX || memchr(got->p, '\n', got->len)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct doctor *doctor;
    struct doctor_match match;
    struct nearest nearest[NEAREST_MAX];
    size_t found;

    if (!doctor)
        doctor = doctor_new();
    doctor_match(doctor, (const char *)data, size, &match);
    check_hits(&match, size);
    check_captures(&match, (const char *)data, size);
    found = doctor_nearest((const char *)data, size, nearest);
    for (size_t i = 0; i < found; i++)
        if (nearest[i].likeness < NEAREST_LEAST || nearest[i].likeness > 1
            || (i > 0 && nearest[i].likeness > nearest[i - 1].likeness))
            abort();
    return 0;
}

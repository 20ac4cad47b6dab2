/*
 * fuzz_capfile.c - promises: frames lie inside what was fed and within their bound, and in whatever pieces a
 * file is fed, the same packets come out.
 */
#include "base/mem.h"
#include "capture/capfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    const uint8_t *from, *until;        /* of the piece */
    uint64_t packets, sum;
};

static void take(void *of, int link_type, const struct frame *frame)
{
    struct tally *tally = of;

    if (frame->bytes < tally->from || frame->captured > (size_t)(tally->until - frame->bytes)
        || frame->captured > CAPFILE_PACKET_MAX)
        abort();
    tally->packets++;
    tally->sum = tally->sum * 31 + (uint64_t)frame->when_us + frame->len + (uint64_t)link_type;
    for (size_t i = 0; i < frame->captured; i++)
        tally->sum = tally->sum * 31 + frame->bytes[i];
}

/* Each piece in memory of its own, so that a sanitizer sees its end. */
static struct tally read_all(const uint8_t *data, size_t size, size_t piece, const char **why)
{
    PS_AUTO(capfile_free) struct capfile file = { 0 };
    struct tally tally = { 0 };
    int count = 0;

    for (size_t from = 0, until = 0; until < size && !file.why; ) {
        until = piece < size - until ? until + piece : size;
        PS_AUTO(ps_freep) uint8_t *bytes = ps_memdup(data + from, until - from);
        size_t n;

        tally.from = bytes;
        tally.until = bytes + (until - from);
        n = capfile_feed(&file, bytes, until - from, 1000000, take, &tally, &count);
        if (n > until - from)
            abort();
        from += n;
    }
    if ((uint64_t)count != tally.packets || file.interfaces_len > CAPFILE_INTERFACES_MAX)
        abort();
    *why = file.why;
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 7, 64 };
    const char *why, *other_why;
    struct tally whole = read_all(data, size, SIZE_MAX, &why);

    for (size_t i = 0; i < PS_COUNT(pieces); i++) {
        struct tally other = read_all(data, size, pieces[i], &other_why);

        if (other.packets != whole.packets || other.sum != whole.sum || other_why != why)
            abort();
    }
    return 0;
}

/*
 * fuzz_startup.c - what a server answers to a startup.  Promises: what decides is read the same with bytes
 * behind it; what does not decide says nothing; an error of somebody has an end, and texts that were there.
 */
#include "base/mem.h"
#include "probe/startup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum wire_parse enough, const struct startup_seen *out, size_t size)
{
    if ((enough == WIRE_DONE) < (out->end != STARTUP_UNKNOWN))
        abort();
    if (out->kind != KIND_UNKNOWN && out->end == STARTUP_UNKNOWN)
        abort();
    if (out->kind == KIND_POSTGRES && (!out->sqlstate || !out->file || !out->line || !out->routine))
        abort();
    if ((out->message && strlen(out->message) > size) || out->newest_minor < -1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    PS_AUTO(ps_freep) char *copy = ps_malloc(size + 16);
    struct startup_seen out, more;

    memcpy(copy, data, size);
    memset(copy + size, 'R', 16);
    enum wire_parse enough = startup_enough(data, size);
    startup_read(data, size, arena, &out);
    check(enough, &out, size);
    if (enough != WIRE_DONE)
        return 0;
    startup_read(copy, size + 16, arena, &more);
    if (more.end != out.end || more.kind != out.kind || more.auth != out.auth
        || more.newest_minor != out.newest_minor)
        abort();
    return 0;
}

/*
 * fuzz_wire.c - the first byte chooses the parser.  Promises: what was parsed lies within the bytes;
 * cut anywhere, it wants more; bytes behind it change nothing.
 */
#include "base/mem.h"
#include "pg/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wire_parse first(const void *bytes, size_t len, size_t *used)
{
    struct wire_first out;
    enum wire_parse parse = wire_first_parse(bytes, len, &out);
    const char *const texts[] = { out.user, out.database, out.application, out.replication };

    for (size_t i = 0; parse == WIRE_DONE && i < PS_COUNT(texts); i++)
        if (texts[i] && texts[i] + strlen(texts[i]) >= (const char *)bytes + out.len)
            abort();
    *used = out.len;
    return parse;
}

static enum wire_parse message(const void *bytes, size_t len, size_t *used)
{
    struct wire_message out;
    enum wire_parse parse = wire_message_parse(bytes, len, &out);

    if (parse == WIRE_DONE
        && (strlen(out.error.message) > out.len || strlen(out.error.routine) > out.len))
        abort();
    *used = out.len;
    return parse;
}

static enum wire_parse password(const void *bytes, size_t len, size_t *used)
{
    const char *text;
    enum wire_parse parse = wire_password_parse(bytes, len, &text);

    *used = parse == WIRE_DONE ? 5 + strlen(text) + 1 : 0;
    return parse;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static enum wire_parse (*const parsers[])(const void *, size_t, size_t *) = { first, message,
                                                                                  password };
    size_t used, again;

    if (size < 1)
        return 0;
    enum wire_parse (*parse)(const void *, size_t, size_t *) = parsers[data[0] % PS_COUNT(parsers)];
    PS_AUTO(ps_freep) uint8_t *bytes = ps_memdup(data + 1, size - 1);   /* its end is watched */

    if (parse(bytes, size - 1, &used) != WIRE_DONE)
        return 0;
    if (used > size - 1 || parse(bytes, used, &again) != (used ? WIRE_DONE : WIRE_MORE))
        abort();
    for (size_t len = 0; len < used; len++)
        if (parse(bytes, len, &again) != WIRE_MORE)
            abort();
    return 0;
}

/*
 * fuzz_openssl_conf.c - promises: any bytes end in an answer, also when they include themselves; every
 * command has a name, a value without variables, and a line of the file.
 */
#include "inspect/openssl_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static bool read_same(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct bytes *bytes = arg;

    (void)path;
    return buf_put(out, bytes->data, bytes->size) || ps_fail(err, PS_E_TOO_BIG, "too big");
}

static bool list_none(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    (void)arg;
    (void)names;
    (void)len;
    return ps_fail(err, PS_E_IO, "no folder %s", dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = { data, size };
    const struct pg_source source = { &bytes, read_same, list_none };
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct openssl_command *commands = NULL;
    struct ps_err err;
    size_t len = 0, lines = 1;

    if (!openssl_conf_read(&source, "fuzz", arena, &commands, &len, &err))
        return 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    for (size_t i = 0; i < len; i++)
        if (!commands[i].name || strchr(commands[i].value, '$') || commands[i].line == 0
            || commands[i].line > lines)
            abort();
    return 0;
}

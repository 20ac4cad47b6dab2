/*
 * fuzz_process.c - promises: a postmaster.pid that is taken names a process and a port that can be, and
 * texts of its own lines; of a postmaster.opts come no more settings than it has words, each with a
 * name as PostgreSQL writes it and a value.
 */
#include "base/mem.h"
#include "inspect/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pidfile(struct server *server, const char *text)
{
    if (!pidfile_parse(server, text))
        return;
    if (server->pid < 1 || server->port < 1 || server->port > 65535 || !server->listen
        || strchr(server->listen, '\n') || !strstr(text, server->listen)
        || (server->socket_dir && !strstr(text, server->socket_dir)))
        abort();
}

static void check_optsfile(struct server *server, const char *text)
{
    const char *program = "not set";
    size_t len = strlen(text);

    optsfile_parse(server, text, &program);
    if (program && !strstr(text, program))
        abort();
    if (server->args_len > len)
        abort();
    for (size_t i = 0; i < server->args_len; i++) {
        const struct server_arg *arg = &server->args[i];

        if (!arg->name || !arg->value || strchr(arg->name, '-') || strchr(arg->name, '=')
            || strlen(arg->value) > len + 3)        /* "off", "true": of a letter */
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(ps_freep) char *text = ps_strndup((const char *)data, size);
    struct arena *arena = arena_new();
    struct server server = { .arena = arena };

    check_pidfile(&server, text);
    check_optsfile(&server, text);
    arena_free(arena);
    return 0;
}

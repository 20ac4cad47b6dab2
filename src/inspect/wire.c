/* wire.c - see wire.h. */
#include "inspect/wire.h"

#include "base/clock.h"
#include "net/dial.h"
#include "pg/wire.h"

char *server_tcp_address(const struct server *server)
{
    static const char *const any[] = { "*", "0.0.0.0", "localhost" };
    const char *list = server->listen_first ? server->listen_first : server->listen;
    size_t skip = strspn(list, ", "), len = strcspn(list + skip, ", ");
    PS_AUTO(ps_freep) char *first = ps_strndup(list + skip, len);

    if (!len)
        return NULL;
    for (size_t i = 0; i < PS_COUNT(any); i++)
        if (strcmp(first, any[i]) == 0)
            return ps_strdup("127.0.0.1");
    return strcmp(first, "::") == 0 ? ps_strdup("::1") : PS_TAKE(first);
}

bool knock_tls(const char *address, int port, struct tls_ctx *ctx, int64_t deadline_ms,
               struct io **out, struct ps_err *err)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    PS_AUTO(buf_free) struct buf request = BUF(64);
    char answer = 0;

    wire_put_ssl_request(&request);
    if (!dial(address, port, deadline_ms, &io, err)
        || !io_write(io, request.p, request.len, deadline_ms, err)
        || !io_read_exact(io, &answer, 1, deadline_ms, err))
        return false;
    if (answer != 'S')
        return ps_fail(err, PS_E_UNSUPPORTED, _("the server refuses TLS"));
    if (!io_tls_client(io, ctx, NULL, deadline_ms, err))
        return false;
    *out = PS_TAKE(io);
    return true;
}

bool wire_look(const struct server *server, int timeout_ms, struct arena *arena,
               struct wire_fact *out, struct ps_err *err)
{
    const struct tls_client_spec spec = { 0 };
    PS_AUTO(ps_freep) char *address = server_tcp_address(server);
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = NULL;
    PS_AUTO(io_freep) struct io *io = NULL;
    struct io_tls_info info;

    if (!address)
        return ps_fail(err, PS_E_UNSUPPORTED, _("the server does not listen on TCP"));
    *out = (struct wire_fact){ .host = arena_strdup(arena, address), .port = server->port };
    if (!tls_ctx_client(&spec, &ctx, err))
        return false;
    if (!knock_tls(address, server->port, ctx, clock_mono_ms() + timeout_ms, &io, err)) {
        out->tls = err->code == PS_E_UNSUPPORTED ? FACT_NO : FACT_UNKNOWN;
        return err->code == PS_E_UNSUPPORTED;
    }
    io_tls_info(io, &info);
    out->tls = FACT_YES;
    out->version = arena_strdup(arena, tls_version_name(info.version));
    out->cipher = info.cipher ? arena_strdup(arena, info.cipher) : NULL;
    io_tls_peer_chain(io, &out->served);
    io_tls_close_notify(io);
    return true;
}

/* knock.c - see knock.h. */
#include "secure/knock.h"

#include "base/clock.h"
#include "inspect/wire.h"

enum { LIMIT_MS = 5000, SILENCE_MS = 1000 };

/* Any version of OpenSSL, at either end, has these words in its text of the alert. */
static enum knock_end judge(const struct ps_err *err, struct buf *why)
{
    buf_printf(why, "%s%s%s", err->message, *err->detail ? ": " : "", err->detail);
    return strstr(err->detail, "certificate revoked") ? KNOCK_REVOKED : KNOCK_FAILED;
}

enum knock_end knock_revoked(const char *address, int port, const struct cert_list *chain,
                             const struct key *key, struct buf *why)
{
    const struct tls_client_spec spec = { .chain = chain, .key = key };
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = NULL;
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err = { 0 };
    char byte;
    size_t got = 0;

    if (!tls_ctx_client(&spec, &ctx, &err)
        || !knock_tls(address, port, ctx, clock_mono_ms() + LIMIT_MS, &io, &err))
        return judge(&err, why);
    if (io_read(io, &byte, 1, &got, clock_mono_ms() + SILENCE_MS, &err)) {
        buf_puts(why, _("the server closed the connection"));
        return KNOCK_FAILED;
    }
    if (err.code != PS_E_TIMEOUT)
        return judge(&err, why);
    io_tls_close_notify(io);
    buf_puts(why, _("the handshake succeeded"));
    return KNOCK_ACCEPTED;
}

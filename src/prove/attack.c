/* attack.c - see attack.h. */
#include "prove/attack.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/dial.h"
#include "pg/wire.h"

enum { NEGOTIATIONS_MAX = 2 };      /* one SSLRequest and one GSSENCRequest on a connection */

struct attacker {
    struct tls_ctx *ctx;
    int timeout_ms;
    int fd;
    pthread_t thread;
    struct attack_seen seen;        /* the thread's until it has ended */
};

/* Read until `parse` of what came is done; 0 when the client left or sent nonsense. */
static bool read_first(struct io *io, struct buf *in, struct wire_first *first, int64_t deadline)
{
    struct ps_err err;

    for (;;) {
        char bytes[1024];
        size_t got;

        enum wire_parse parse = wire_first_parse(in->p, in->len, first);
        if (parse != WIRE_MORE)
            return parse == WIRE_DONE;
        if (!io_read(io, bytes, sizeof(bytes), &got, deadline, &err) || got == 0
            || !buf_put(in, bytes, got))
            return false;
    }
}

static void keep(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static void take_password(struct attacker *attacker, struct io *io, int64_t deadline)
{
    PS_AUTO(buf_free) struct buf out = BUF(1024);
    PS_AUTO(buf_free) struct buf in = BUF(WIRE_STARTUP_MAX);
    struct ps_err err;
    const char *password;

    wire_put_auth(&out, WIRE_AUTH_CLEARTEXT);
    if (!io_write(io, out.p, out.len, deadline, &err))
        return;
    while (wire_password_parse(in.p, in.len, &password) == WIRE_MORE) {
        char bytes[1024];
        size_t got;

        if (!io_read(io, bytes, sizeof(bytes), &got, deadline, &err) || got == 0
            || !buf_put(&in, bytes, got))
            return;
    }
    if (wire_password_parse(in.p, in.len, &password) != WIRE_DONE)
        return;
    keep(attacker->seen.password, sizeof(attacker->seen.password), password);
    buf_clear(&out);
    wire_put_error(&out, "28P01", "password authentication failed");
    if (io_write(io, out.p, out.len, deadline, &err))
        io_tls_close_notify(io);
}

static void take_startup(struct attacker *attacker, struct io *io, const struct wire_first *first,
                         bool tls, int64_t deadline)
{
    struct attack_seen *seen = &attacker->seen;

    seen->tried = true;
    if (!seen->startup) {           /* what a client that comes again says adds nothing */
        seen->startup = true;
        seen->tls = tls;
        keep(seen->user, sizeof(seen->user), first->user);
        keep(seen->database, sizeof(seen->database),
             first->database ? first->database : first->user);
    }
    take_password(attacker, io, deadline);
}

/* Answer a request for encryption; true when the conversation goes on. */
static bool negotiate(struct attacker *attacker, struct io *io, enum wire_first_kind kind, bool *tls,
                      int64_t deadline)
{
    struct ps_err err;
    bool yes = kind == WIRE_FIRST_SSL && attacker->ctx && !*tls;

    if (!io_write(io, yes ? "S" : "N", 1, deadline, &err))
        return false;
    if (!yes) {
        attacker->seen.tried = attacker->seen.tried || (kind == WIRE_FIRST_SSL && !attacker->ctx);
        return true;
    }
    *tls = true;
    if (!io_wait(io, deadline, &err))
        return false;               /* it went away before its ClientHello: a file that it lacks */
    attacker->seen.tried = true;
    return io_tls_server(io, attacker->ctx, deadline, &err);
}

static void converse(struct attacker *attacker, struct io *io)
{
    int64_t deadline = clock_mono_ms() + attacker->timeout_ms;
    PS_AUTO(buf_free) struct buf in = BUF(2 * WIRE_STARTUP_MAX);
    struct wire_first first;
    bool tls = false;

    for (int round = 0; round <= NEGOTIATIONS_MAX; round++) {
        buf_clear(&in);
        if (!read_first(io, &in, &first, deadline))
            return;
        if (first.kind == WIRE_FIRST_STARTUP) {
            take_startup(attacker, io, &first, tls, deadline);
            return;
        }
        if (first.kind == WIRE_FIRST_TLS || first.kind == WIRE_FIRST_CANCEL)
            return;
        if (!negotiate(attacker, io, first.kind, &tls, deadline))
            return;
    }
}

static void *attacker_main(void *arg)
{
    struct attacker *attacker = arg;
    struct ps_err err;

    for (;;) {
        PS_AUTO(io_freep) struct io *io = NULL;

        /* attacker_stop ends this by shutting the listener down */
        if (!listen_accept(attacker->fd, INT64_MAX, &io, &err))
            return NULL;
        converse(attacker, io);
    }
}

bool attacker_start(struct tls_ctx *ctx, int timeout_ms, struct attacker **out, int *port,
                    struct ps_err *err)
{
    struct attacker *attacker = ps_calloc(1, sizeof(*attacker));
    sigset_t all, before;

    attacker->ctx = ctx;
    attacker->timeout_ms = timeout_ms;
    if (!listen_loopback(&attacker->fd, port, err)) {
        free(attacker);
        return false;
    }
    sigfillset(&all);               /* signals are for the thread that knows what to tidy */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&attacker->thread, NULL, attacker_main, attacker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        close(attacker->fd);
        free(attacker);
        return ps_fail(err, PS_E_PROCESS, _("could not start a thread"));
    }
    *out = attacker;
    return true;
}

void attacker_stop(struct attacker *attacker, struct attack_seen *out)
{
    shutdown(attacker->fd, SHUT_RDWR);
    pthread_join(attacker->thread, NULL);
    close(attacker->fd);
    *out = attacker->seen;
    free(attacker);
}

/* handshake.c - see handshake.h. */
#include "probe/handshake.h"

#include <errno.h>

#include "base/clock.h"
#include "net/dial.h"
#include "probe/binding.h"
#include "probe/startup.h"
#include "tls/answer.h"

enum { LISTEN_MS = 1000 };

void handshake_free(struct handshake *hand)
{
    cert_list_free(&hand->chain);
    buf_free(&hand->flight);
}

struct talk {
    const struct handshake_spec *spec;
    struct arena *arena;
    struct handshake *out;
    struct io *io;
    int64_t deadline;
};

static bool failed(struct talk *talk, const struct ps_err *err)
{
    talk->out->timeout = err->code == PS_E_TIMEOUT;
    talk->out->why = arena_strdup(talk->arena, *err->detail ? err->detail : err->message);
    return false;
}

/* The letter; what an 'E' brings with it is of no use before TLS (CVE-2024-10977). */
static bool ask_letter(struct talk *talk)
{
    const struct buf *hello = talk->spec->hello;
    struct ps_err err = { 0 };

    if (!hello)
        return true;
    errno = 0;
    if (!io_write(talk->io, hello->p, hello->len, talk->deadline, &err)
        || !io_read_exact(talk->io, &talk->out->letter, 1, talk->deadline, &err)) {
        talk->out->letter = 0;
        talk->out->lost = errno == ECONNRESET || errno == EPIPE;
        return failed(talk, &err);
    }
    talk->out->talks_on = io_wait(talk->io, 0, &err);
    return talk->out->letter == 'S';
}

static void note_agreed(struct talk *talk)
{
    struct handshake *out = talk->out;
    struct io_tls_info info;

    io_tls_info(talk->io, &info);
    out->done = true;
    out->version = (uint16_t)info.version;
    out->suite = info.suite;
    out->scheme = info.scheme;
    out->group = info.group ? arena_strdup(talk->arena, info.group) : NULL;
    out->alpn = info.alpn != NULL;
    out->asks_certificate = info.client_cert_requested;
    out->authorities = io_tls_authorities(talk->io, talk->arena);
    io_tls_peer_chain(talk->io, &out->chain);
}

/* In TLS 1.3 a server that cannot do without a certificate says so only after our side is done. */
static bool is_certificate_alert(const struct ps_err *err)
{
    return strstr(err->detail, "certificate required") || strstr(err->detail, "handshake failure");
}

/* The next message that decides; false: none came. */
static bool hear_message(struct talk *talk, struct startup_seen *said)
{
    PS_AUTO(buf_free) struct buf in = BUF(WIRE_MESSAGE_MAX);
    struct ps_err err = { 0 };
    char bytes[4096];
    size_t got = 0;

    while (startup_enough(buf_text(&in), in.len) == WIRE_MORE) {
        if (!io_read(talk->io, bytes, sizeof(bytes), &got, talk->deadline, &err)) {
            if (is_certificate_alert(&err))
                talk->out->demands_certificate = FACT_YES;
            return false;
        }
        if (got == 0 || !buf_put(&in, bytes, got))
            break;
    }
    startup_read(buf_text(&in), in.len, talk->arena, said);
    return in.len > 0;
}

/* See binding.h. */
static void bind_password(struct talk *talk)
{
    PS_AUTO(buf_free) struct buf first = BUF(512), last = BUF(512);
    struct handshake *out = talk->out;
    struct startup_seen *said = &out->binding;
    struct ps_err err = { 0 };

    if (!out->startup.scram_plus || !out->chain.len || !binding_put_last(out->chain.at[0], &last))
        return;
    binding_put_first(&first);
    const bool goes_on = io_write(talk->io, first.p, first.len, talk->deadline, &err) && hear_message(talk, said)
                         && said->auth == WIRE_AUTH_SASL_CONTINUE;
    const char *salt = said->salt;
    if (goes_on && (!io_write(talk->io, last.p, last.len, talk->deadline, &err) || !hear_message(talk, said)))
        said->end = STARTUP_UNKNOWN;
    said->salt = salt;
    /* no proof was sent: who says that we are in asks for none */
    if (said->end == STARTUP_IN)
        out->startup.end = STARTUP_IN;
}

static void hear(struct talk *talk)
{
    struct ps_err err = { 0 };

    /* who has nothing to say is not waited for as long as who was asked */
    if (talk->spec->listen && talk->deadline > clock_mono_ms() + LISTEN_MS)
        talk->deadline = clock_mono_ms() + LISTEN_MS;
    if (talk->spec->startup
        && !io_write(talk->io, talk->spec->startup->p, talk->spec->startup->len, talk->deadline, &err))
        return;
    if (hear_message(talk, &talk->out->startup)) {
        struct io_tls_info info;
        io_tls_info(talk->io, &info);
        talk->out->ticket = info.ticket_len ? FACT_YES : FACT_NO;
        talk->out->ticket_len = info.ticket_len;
    }
    if (startup_is_open(&talk->out->startup))
        talk->out->demands_certificate = FACT_NO;
    if (talk->spec->bind)
        bind_password(talk);
}

/* In TLS 1.2 it says so at once: after it has asked for one, and seen that there is none. */
static void note_demand(struct talk *talk, const struct ps_err *err)
{
    struct io_tls_info info;

    io_tls_info(talk->io, &info);
    talk->out->asks_certificate = info.client_cert_requested;
    if (info.client_cert_requested && is_certificate_alert(err))
        talk->out->demands_certificate = FACT_YES;
}

static bool shake(struct talk *talk)
{
    const char *host = talk->spec->host;
    struct ps_err err = { 0 };

    if (!io_tls_client(talk->io, talk->spec->ctx, host, talk->deadline, &err)) {
        talk->out->alerted = strstr(err.detail, "alert") != NULL;
        note_demand(talk, &err);
        return failed(talk, &err);
    }
    note_agreed(talk);
    return true;
}

void handshake_run(const struct handshake_spec *spec, struct arena *arena, struct handshake *out)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err = { 0 };
    struct talk talk = { .spec = spec, .arena = arena, .out = out };

    *out = (struct handshake){ .flight = BUF(ANSWER_FLIGHT_MAX) };
    if (!dial(spec->address, spec->port, clock_mono_ms() + spec->connect_ms, &io, &err)) {
        out->lost = err.code == PS_E_TIMEOUT || errno == ECONNRESET || errno == EHOSTUNREACH;
        failed(&talk, &err);
        return;
    }
    out->connected = true;
    talk.io = io;
    talk.deadline = clock_mono_ms() + spec->answer_ms;
    if (spec->keep_flight)
        io_tls_keep_flight(io, &out->flight);
    if (!ask_letter(&talk) || !shake(&talk))
        return;
    io_tls_keep_flight(io, NULL);
    if (spec->renegotiate)
        out->renegotiated = io_tls_renegotiate(io, talk.deadline) ? FACT_YES : FACT_NO;
    else if (spec->startup || spec->listen)
        hear(&talk);
    io_tls_close_notify(io);
}

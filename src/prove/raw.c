/* raw.c - see raw.h. */
#include "prove/raw.h"

#include "base/clock.h"
#include "net/dial.h"
#include "pg/wire.h"

enum { WORDS_MAX = 4096, STUFFED_WAIT_MS = 250 };

/* One conversation. */
struct talk {
    const struct raw_spec *spec;
    const struct protocol_way *way;
    struct io *io;
    int64_t deadline;
    struct buf *words;
};

static enum way_end failed(struct talk *talk, enum way_end end, const struct ps_err *err)
{
    buf_printf(talk->words, "%s%s%s", err->message, *err->detail ? ": " : "", err->detail);
    return err->code == PS_E_TIMEOUT ? WAY_UNKNOWN : end;
}

static bool send_startup(struct talk *talk, struct ps_err *err)
{
    const char *const pairs[] = { "user", talk->spec->role, "database", talk->spec->database,
                                  "application_name", "pgseal_prove", NULL };
    PS_AUTO(buf_free) struct buf out = BUF(WIRE_STARTUP_MAX);

    wire_put_startup(&out, WIRE_PROTOCOL_3_0, pairs);
    return io_write(talk->io, out.p, out.len, talk->deadline, err);
}

/* The first message that decides; NegotiateProtocolVersion and notices do not. */
static bool read_message(struct talk *talk, int64_t deadline, struct buf *in,
                         struct wire_message *message, struct ps_err *err)
{
    size_t at = 0;

    for (;;) {
        char bytes[2048];
        size_t got;

        enum wire_parse parse = wire_message_parse(buf_text(in) + at, in->len - at, message);
        if (parse == WIRE_BAD)
            return ps_fail(err, PS_E_PROTOCOL, _("the answer is not PostgreSQL's"));
        if (parse == WIRE_DONE && message->type != 'v' && message->type != 'N')
            return true;
        if (parse == WIRE_DONE) {
            at += message->len;
            continue;
        }
        if (!io_read(talk->io, bytes, sizeof(bytes), &got, deadline, err))
            return false;
        if (got == 0)
            return ps_fail(err, PS_E_NET, _("the server closed the connection"));
        if (!buf_put(in, bytes, got))
            return ps_fail(err, PS_E_TOO_BIG, _("the answer is too long"));
    }
}

static void put_message(struct talk *talk, const struct wire_message *message)
{
    if (message->type == 'E')
        buf_printf(talk->words, "%s: %s%s%s", message->error.severity, message->error.message,
                   *message->error.sqlstate ? " " : "", message->error.sqlstate);
    else if (message->type == 'R')
        buf_printf(talk->words, _("authentication asked: %s"), wire_auth_name(message->auth));
}

/* ---- endings ---- */

/* A StartupMessage without TLS: how far does it come? */
static enum way_end say_plain(struct talk *talk)
{
    PS_AUTO(buf_free) struct buf in = BUF(WIRE_MESSAGE_MAX);
    struct wire_message message;
    struct ps_err err;

    if (!send_startup(talk, &err)
        || !read_message(talk, talk->deadline, &in, &message, &err))
        return failed(talk, WAY_REFUSED, &err);
    put_message(talk, &message);
    if (message.type != 'R')
        return message.type == 'E' && attempt_is_trouble(message.error.sqlstate) ? WAY_UNKNOWN
                                                                                 : WAY_REFUSED;
    return message.auth == WIRE_AUTH_OK ? WAY_IN_PLAIN : WAY_PASSWORD_PLAIN;
}

/* TLS is up: does the server go on to talk PostgreSQL inside it?  An error is talk too. */
static enum way_end say_inside(struct talk *talk)
{
    PS_AUTO(buf_free) struct buf in = BUF(WIRE_MESSAGE_MAX);
    struct wire_message message;
    struct ps_err err;

    if (!send_startup(talk, &err)
        || !read_message(talk, talk->deadline, &in, &message, &err))
        return failed(talk, WAY_REFUSED, &err);
    return WAY_ACCEPTED;
}

/*
 * Bytes stood between request and handshake: an answer to a startup that we never sent inside TLS
 * means they were used.  08P01 is the server's refusal (CVE-2021-23214), closing or silence is fine.
 */
static enum way_end listen_inside(struct talk *talk)
{
    PS_AUTO(buf_free) struct buf in = BUF(WIRE_MESSAGE_MAX);
    struct wire_message message;
    struct ps_err err;
    int64_t until = clock_mono_ms() + STUFFED_WAIT_MS;

    if (!read_message(talk, until, &in, &message, &err)) {
        if (err.code == PS_E_TIMEOUT) {
            buf_puts(talk->words, _("the bytes were thrown away"));
            return WAY_REFUSED;
        }
        return failed(talk, WAY_REFUSED, &err);
    }
    put_message(talk, &message);
    bool refused = message.type == 'E'
                   && (!*message.error.sqlstate || strcmp(message.error.sqlstate, "08P01") == 0);
    return refused ? WAY_REFUSED : WAY_ACCEPTED;
}

static void put_tls(struct talk *talk)
{
    struct io_tls_info info;

    io_tls_info(talk->io, &info);
    buf_printf(talk->words, "%s %s%s%s", tls_version_name(info.version),
               info.cipher ? info.cipher : "", info.alpn ? " ALPN " : "",
               info.alpn ? info.alpn : "");
}

/* ---- the beginning ---- */

/* SSLRequest and its answer; true on S. */
static bool ask_for_tls(struct talk *talk, bool stuffed, struct ps_err *err)
{
    const char *const pairs[] = { "user", talk->spec->role, "database", talk->spec->database, NULL };
    PS_AUTO(buf_free) struct buf out = BUF(2 * WIRE_STARTUP_MAX);
    char answer;

    wire_put_ssl_request(&out);
    if (stuffed)
        wire_put_startup(&out, WIRE_PROTOCOL_3_0, pairs);
    if (!io_write(talk->io, out.p, out.len, talk->deadline, err)
        || !io_read_exact(talk->io, &answer, 1, talk->deadline, err))
        return false;
    if (answer == 'S')
        return true;
    return ps_fail(err, PS_E_PROTOCOL, answer == 'N' ? _("the server does not speak TLS (N)")
                                                     : _("the answer to SSLRequest is an error"));
}

static enum way_end go(struct talk *talk)
{
    const struct protocol_way *way = talk->way;
    struct tls_client_spec tls = { .min = (enum tls_version)way->version,
                                   .max = (enum tls_version)way->version,
                                   .alpn_postgresql = way->alpn };
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = NULL;
    struct ps_err err;

    if (way->plain)
        return say_plain(talk);
    if (!tls_ctx_client(&tls, &ctx, &err))
        return failed(talk, WAY_UNKNOWN, &err);
    if (!way->direct && !ask_for_tls(talk, way->stuffed, &err))
        return failed(talk, WAY_REFUSED, &err);
    if (!io_tls_client(talk->io, ctx, NULL, talk->deadline, &err))
        return failed(talk, WAY_REFUSED, &err);

    put_tls(talk);
    enum way_end end = WAY_ACCEPTED;
    if (way->stuffed || way->direct) {
        buf_puts(talk->words, "; ");
        end = way->stuffed ? listen_inside(talk) : say_inside(talk);
    }
    io_tls_close_notify(talk->io);
    return end;
}

void raw_run(const struct raw_spec *spec, const struct protocol_way *way,
             struct attempt_result *out)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    int64_t begin = clock_mono_us();
    struct ps_err err;

    *out = (struct attempt_result){ .words = BUF(WORDS_MAX) };
    struct talk talk = { .spec = spec, .way = way, .words = &out->words,
                         .deadline = clock_mono_ms() + spec->timeout_ms };
    if (dial(spec->address, spec->port, talk.deadline, &io, &err)) {
        talk.io = io;
        attempt_port_add(&out->ports, io_local_port(io));
        out->end = go(&talk);
    } else {
        out->end = failed(&talk, WAY_UNKNOWN, &err);
    }
    out->ms = (double)(clock_mono_us() - begin) / 1000;
}

void raw_server_chain(const struct raw_spec *spec, struct cert_list *out)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = NULL;
    struct tls_client_spec tls = { 0 };
    struct talk talk = { .spec = spec, .deadline = clock_mono_ms() + spec->timeout_ms };
    struct ps_err err;

    if (!dial(spec->address, spec->port, talk.deadline, &io, &err))
        return;
    talk.io = io;
    if (!ask_for_tls(&talk, false, &err) || !tls_ctx_client(&tls, &ctx, &err)
        || !io_tls_client(io, ctx, NULL, talk.deadline, &err))
        return;
    io_tls_peer_chain(io, out);
    io_tls_close_notify(io);
}

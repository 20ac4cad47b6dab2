/* TLS over a connection: both sides agree, tell what they agreed on, and fail with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/io.h"

/* A fixed date far on both sides: OpenSSL looks at dates only where chains are verified. */
enum { BORN = 1600000000 };

static struct tls_ctx *server_ctx;
static struct cert_list server_chain;
static struct key *server_key;

static int make_server(void **state)
{
    const char *const hosts[] = { "db.example.net", "192.0.2.1", NULL };
    struct cert_spec spec = { .subject.cn = "db.example.net", .hosts = hosts, .path_len = -1,
                              .uses = CERT_USE_SERVER, .not_before = BORN,
                              .not_after = (time_t)BORN * 2 };
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct ps_err err;

    (void)state;
    if (!key_generate(KEY_EC_P256, &server_key, &err)
        || !cert_make(&spec, server_key, NULL, server_key, &cert, &err))
        return -1;
    cert_list_add(&server_chain, cert);
    struct tls_server_spec server = { .chain = &server_chain, .key = server_key,
                                      .alpn_postgresql = true };
    return tls_ctx_server(&server, &server_ctx, &err) ? 0 : -1;
}

static int free_server(void **state)
{
    (void)state;
    tls_ctx_freep(&server_ctx);
    key_freep(&server_key);
    cert_list_free(&server_chain);
    return 0;
}

enum { PATIENCE_MS = 60000 };       /* for what is done at once, on a machine that may be busy */

struct serving {
    struct io *io;
    pthread_t thread;
    bool shaken;
};

/* Greets inside TLS, echoes one byte, says goodbye. */
static void *serve(void *arg)
{
    struct serving *serving = arg;
    int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    struct ps_err err;
    char byte;

    serving->shaken = io_tls_server(serving->io, server_ctx, deadline, &err);
    if (serving->shaken && io_write(serving->io, "hello", 5, deadline, &err)
        && io_read_exact(serving->io, &byte, 1, deadline, &err)
        && io_write(serving->io, &byte, 1, deadline, &err))
        io_tls_close_notify(serving->io);
    io_free(serving->io);
    return NULL;
}

static struct io *serve_one(struct serving *serving)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    serving->io = io_from_fd(fds[0]);
    assert_int_equal(pthread_create(&serving->thread, NULL, serve, serving), 0);
    return io_from_fd(fds[1]);
}

static struct tls_ctx *client_ctx(int version, bool alpn, const struct cert_list *anchors)
{
    struct tls_client_spec spec = { .min = (enum tls_version)version,
                                    .max = (enum tls_version)version,
                                    .anchors = anchors, .alpn_postgresql = alpn };
    struct tls_ctx *ctx = NULL;
    struct ps_err err;

    assert_true(tls_ctx_client(&spec, &ctx, &err));
    return ctx;
}

static void both_sides_talk_and_say_what_they_agreed_on(void **state)
{
    static const struct { int version; bool alpn; } cases[] = {
        { TLS_1_2, false }, { TLS_1_2, true }, { TLS_1_3, false }, { TLS_1_3, true },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct serving serving = { 0 };
        PS_AUTO(io_freep) struct io *io = serve_one(&serving);
        PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = client_ctx(cases[i].version, cases[i].alpn,
                                                                NULL);
        PS_AUTO(cert_list_free) struct cert_list chain = { 0 };
        int64_t deadline = clock_mono_ms() + PATIENCE_MS;
        struct io_tls_info info;
        struct ps_err err;
        char got[6];
        size_t len;

        assert_true(io_tls_client(io, ctx, "db.example.net", deadline, &err));
        assert_true(io_read_exact(io, got, 5, deadline, &err));
        assert_memory_equal(got, "hello", 5);
        io_tls_info(io, &info);
        assert_int_equal(info.version, cases[i].version);
        assert_non_null(info.cipher);
        assert_false(info.client_cert_requested);
        if (cases[i].alpn)
            assert_string_equal(info.alpn, "postgresql");
        else
            assert_null(info.alpn);

        io_tls_peer_chain(io, &chain);
        assert_int_equal(chain.len, 1);
        assert_true(cert_same(chain.at[0], server_chain.at[0]));

        assert_true(io_write(io, "x", 1, deadline, &err));
        assert_true(io_read_exact(io, got, 1, deadline, &err));
        assert_int_equal(got[0], 'x');
        assert_true(io_read(io, got, 1, &len, deadline, &err));
        assert_int_equal(len, 0);       /* close_notify is the end of the stream */
        pthread_join(serving.thread, NULL);
        assert_true(serving.shaken);
    }
}

static void a_certificate_that_nobody_vouches_for_ends_the_handshake(void **state)
{
    PS_AUTO(cert_list_free) struct cert_list strangers = { 0 };
    PS_AUTO(key_freep) struct key *key = NULL;
    PS_AUTO(cert_freep) struct cert *cert = NULL;
    struct cert_spec spec = { .subject.cn = "somebody else", .is_ca = true, .path_len = -1,
                              .not_before = BORN, .not_after = (time_t)BORN * 2 };
    struct serving serving = { 0 };
    struct ps_err err;

    (void)state;
    assert_true(key_generate(KEY_EC_P256, &key, &err));
    assert_true(cert_make(&spec, key, NULL, key, &cert, &err));
    cert_list_add(&strangers, cert);

    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = client_ctx(TLS_ANY, false, &strangers);
    PS_AUTO(io_freep) struct io *io = serve_one(&serving);
    assert_false(io_tls_client(io, ctx, NULL, clock_mono_ms() + PATIENCE_MS, &err));
    assert_int_equal(err.code, PS_E_NET);
    assert_non_null(strstr(err.detail, "certificate verify failed"));
    io_freep(&io);
    pthread_join(serving.thread, NULL);
}

static void a_peer_that_hangs_up_or_talks_plaintext_fails_the_handshake(void **state)
{
    static const char *const said[] = { "", "HTTP/1.1 400 Bad Request\r\n\r\n", "N" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(said); i++) {
        PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = client_ctx(TLS_ANY, false, NULL);
        struct ps_err err;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        PS_AUTO(io_freep) struct io *io = io_from_fd(fds[0]);
        struct io *peer = io_from_fd(fds[1]);
        assert_true(io_write(peer, said[i], strlen(said[i]), clock_mono_ms() + PATIENCE_MS, &err));
        assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
        assert_false(io_tls_client(io, ctx, NULL, clock_mono_ms() + PATIENCE_MS, &err));
        assert_int_equal(err.code, PS_E_NET);
        assert_true(*err.detail);
        io_free(peer);
    }
}

static void a_silent_peer_cannot_hold_the_handshake(void **state)
{
    PS_AUTO(tls_ctx_freep) struct tls_ctx *ctx = client_ctx(TLS_ANY, false, NULL);
    int64_t begin = clock_mono_ms();
    struct ps_err err;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    PS_AUTO(io_freep) struct io *io = io_from_fd(fds[0]);
    assert_false(io_tls_client(io, ctx, NULL, begin + 80, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    assert_in_range(clock_mono_ms() - begin, 80, PATIENCE_MS);
    assert_int_equal(close(fds[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_talk_and_say_what_they_agreed_on),
        cmocka_unit_test(a_certificate_that_nobody_vouches_for_ends_the_handshake),
        cmocka_unit_test(a_peer_that_hangs_up_or_talks_plaintext_fails_the_handshake),
        cmocka_unit_test(a_silent_peer_cannot_hold_the_handshake),
    };

    return cmocka_run_group_tests(tests, make_server, free_server);
}

/* What counts as a refusal: somebody who was there and judged who came, nothing less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"
#include "pg/libpq.h"
#include "pg/wire.h"
#include "prove/attempt.h"

enum { LIMIT_MS = 60000 };

/* A server that answers a StartupMessage without TLS with one error. */
struct server {
    int fd, port;
    const char *sqlstate;
    pthread_t thread;
};

static void *answer(void *arg)
{
    struct server *server = arg;
    int64_t deadline = clock_mono_ms() + LIMIT_MS;
    PS_AUTO(io_freep) struct io *io = NULL;
    PS_AUTO(buf_free) struct buf out = BUF(1024);
    char bytes[1024];
    struct ps_err err;
    size_t got;

    wire_put_error(&out, server->sqlstate, "go away: now");
    if (listen_accept(server->fd, deadline, &io, &err)
        && io_read(io, bytes, sizeof(bytes), &got, deadline, &err)
        && io_write(io, out.p, out.len, deadline, &err))
        return server;
    return NULL;
}

static void go(int number, struct attempt_result *result)
{
    struct attempt attempt = { .timeout_ms = LIMIT_MS };
    char port[8];

    snprintf(port, sizeof(port), "%d", number);
    attempt_set(&attempt, "hostaddr", "127.0.0.1");
    attempt_set(&attempt, "port", port);
    attempt_set(&attempt, "user", "app");
    attempt_set(&attempt, "dbname", "shop");
    attempt_set(&attempt, "sslmode", "disable");
    attempt_set(&attempt, "gssencmode", "disable");
    attempt_run(&attempt, result);
}

static const struct { const char *sqlstate; enum way_end want; } refusals[] = {
    { "28000", WAY_REFUSED },       /* no rule, no certificate */
    { "28P01", WAY_REFUSED },
    { "3D000", WAY_REFUSED },
    { "42501", WAY_REFUSED },
    { "53300", WAY_UNKNOWN },       /* too many connections */
    { "57P03", WAY_UNKNOWN },       /* starting up, shutting down */
    { "57P01", WAY_UNKNOWN },
    { "58000", WAY_UNKNOWN },
    { "XX000", WAY_UNKNOWN },
};

static void a_server_in_trouble_refuses_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(refusals); i++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
        struct server server = { .sqlstate = refusals[i].sqlstate };
        struct ps_err err;
        void *answered;

        assert_true(listen_loopback(&server.fd, &server.port, &err));
        assert_int_equal(pthread_create(&server.thread, NULL, answer, &server), 0);
        go(server.port, &result);
        pthread_join(server.thread, &answered);
        close(server.fd);
        assert_non_null(answered);
        assert_string_equal(way_end_word(result.end), way_end_word(refusals[i].want));
        /* the words are those that an application would see: no code, no place in the server */
        assert_non_null(strstr(buf_text(&result.words), "failed: FATAL:  go away: now"));
        assert_null(strstr(buf_text(&result.words), refusals[i].sqlstate));
        assert_null(strstr(buf_text(&result.words), "LOCATION"));
    }
}

static void where_nobody_listens_nothing_is_refused(void **state)
{
    PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
    enum { TCPMUX = 1 };        /* a port that was free a moment ago may be somebody's now */

    (void)state;
    go(TCPMUX, &result);
    assert_int_equal(result.end, WAY_UNKNOWN);
    assert_non_null(strstr(buf_text(&result.words), "Connection refused"));
}

static void a_string_that_libpq_does_not_take_refuses_nothing(void **state)
{
    PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
    struct attempt attempt = { .timeout_ms = LIMIT_MS };

    (void)state;
    attempt_set(&attempt, "host", "db.example.net");
    attempt_set(&attempt, "hostaddr", "127.0.0.1");
    attempt_set(&attempt, "sslmode", "requir");
    attempt_run(&attempt, &result);
    assert_int_equal(result.end, WAY_UNKNOWN);
    assert_non_null(strstr(buf_text(&result.words), "invalid sslmode"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_in_trouble_refuses_nobody),
        cmocka_unit_test(where_nobody_listens_nothing_is_refused),
        cmocka_unit_test(a_string_that_libpq_does_not_take_refuses_nothing),
    };
    struct ps_err err = { 0 };

    if (!pq_load(&err))
        return 1;
    return cmocka_run_group_tests_name("prove/attempt", tests, NULL, NULL);
}

/* Our own wire code against servers that answer rightly, wrongly, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"
#include "pg/wire.h"
#include "prove/raw.h"

enum { PATIENCE_MS = 60000 };       /* for what is done at once, on a machine that may be busy */

/* A server that reads something, says its piece and leaves. */
struct stage {
    const char *says;
    size_t len;
    bool silent;            /* keeps the connection instead */
    int fd, port;
    pthread_t thread;
};

static void *play(void *arg)
{
    struct stage *stage = arg;
    int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err;
    char bytes[512];
    size_t got;

    if (!listen_accept(stage->fd, deadline, &io, &err)
        || !io_read(io, bytes, sizeof(bytes), &got, deadline, &err)
        || !io_write(io, stage->says, stage->len, deadline, &err))
        return NULL;
    while (stage->silent && io_read(io, bytes, sizeof(bytes), &got, deadline, &err) && got > 0)
        ;
    return NULL;
}

static enum way_end go(const char *key, const char *says, size_t len, bool silent,
                       struct attempt_result *result)
{
    struct stage stage = { .says = says, .len = len, .silent = silent };
    const struct protocol_way *way = protocol_ways;
    struct ps_err err;

    while (strcmp(way->key, key) != 0)
        way++;
    assert_true(listen_loopback(&stage.fd, &stage.port, &err));
    assert_int_equal(pthread_create(&stage.thread, NULL, play, &stage), 0);
    struct raw_spec spec = { .address = "127.0.0.1", .port = stage.port, .role = "app",
                             .database = "shop", .timeout_ms = silent ? 400 : PATIENCE_MS };
    raw_run(&spec, way, result);
    pthread_join(stage.thread, NULL);
    close(stage.fd);
    return result->end;
}

static void plaintext_ends_where_the_server_says(void **state)
{
    PS_AUTO(buf_free) struct buf trust = BUF(1000), password = BUF(1000), reject = BUF(1000);
    (void)state;

    wire_put_auth(&trust, WIRE_AUTH_OK);
    wire_put_auth(&password, WIRE_AUTH_CLEARTEXT);
    wire_put_error(&reject, "28000", "no pg_hba.conf entry");
    const struct { const struct buf *says; enum way_end want; const char *words; } rows[] = {
        { &trust, WAY_IN_PLAIN, "" },
        { &password, WAY_PASSWORD_PLAIN, "" },
        { &reject, WAY_REFUSED, "no pg_hba.conf entry 28000" },
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };

        assert_int_equal(go("plaintext", rows[i].says->p, rows[i].says->len, false, &result),
                         rows[i].want);
        assert_non_null(strstr(buf_text(&result.words), rows[i].words));
    }
}

static void a_server_without_tls_accepts_no_version(void **state)
{
    static const char *const keys[] = { "tls_1_0", "tls_1_2", "tls_1_3", "stuffed" };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };

        assert_int_equal(go(keys[i], "N", 1, false, &result), WAY_REFUSED);
    }
}

static void nonsense_is_never_taken_for_a_way_in(void **state)
{
    static const struct { const char *p; size_t len; } says[] = {
        { "", 0 }, { "HTTP/1.1 400 Bad Request\r\n\r\n", 28 }, { "R\0\0\0\x01", 5 },
        { "R\xff\xff\xff\xff", 5 }, { "S", 1 }, { "SSSSSSSS", 8 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(says); i++)
        for (size_t j = 0; j < protocol_ways_len; j++) {
            PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };

            assert_int_equal(go(protocol_ways[j].key, says[i].p, says[i].len, false, &result),
                             WAY_REFUSED);
            assert_true(result.words.len > 0);
        }
}

static void silence_is_not_an_answer(void **state)
{
    (void)state;
    for (size_t j = 0; j < protocol_ways_len; j++) {
        PS_AUTO(attempt_result_free) struct attempt_result result = { 0 };
        int64_t begin = clock_mono_ms();

        assert_int_equal(go(protocol_ways[j].key, "", 0, true, &result), WAY_UNKNOWN);
        assert_in_range(clock_mono_ms() - begin, 300, PATIENCE_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plaintext_ends_where_the_server_says),
        cmocka_unit_test(a_server_without_tls_accepts_no_version),
        cmocka_unit_test(nonsense_is_never_taken_for_a_way_in),
        cmocka_unit_test(silence_is_not_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A connection keeps its promises with a peer that is silent, slow, gone or talkative. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/io.h"

struct pair {
    struct io *ours;
    int theirs;
};

static struct pair pair_make(void)
{
    struct pair pair;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pair.ours = io_from_fd(fds[0]);
    pair.theirs = fds[1];
    return pair;
}

static void pair_end(struct pair *pair)
{
    io_free(pair->ours);
    if (pair->theirs >= 0)
        close(pair->theirs);
}

enum { PATIENCE_MS = 60000 };       /* for what is done at once, on a machine that may be busy */

static int64_t soon(void)
{
    return clock_mono_ms() + PATIENCE_MS;
}

static void bytes_go_both_ways(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    char got[8] = "";
    size_t len;

    (void)state;
    assert_true(io_write(pair.ours, "ping", 4, soon(), &err));
    assert_int_equal(read(pair.theirs, got, sizeof(got)), 4);
    assert_memory_equal(got, "ping", 4);

    assert_int_equal(write(pair.theirs, "pong!", 5), 5);
    assert_true(io_read(pair.ours, got, sizeof(got), &len, soon(), &err));
    assert_int_equal(len, 5);
    assert_memory_equal(got, "pong!", 5);
    pair_end(&pair);
}

static void a_silent_peer_costs_the_deadline_and_no_more(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    char byte;
    size_t len;
    int64_t begin = clock_mono_ms();

    (void)state;
    assert_false(io_read(pair.ours, &byte, 1, &len, begin + 60, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    assert_in_range(clock_mono_ms() - begin, 60, PATIENCE_MS);
    pair_end(&pair);
}

static void a_deadline_that_has_passed_does_not_wait(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    char byte;
    size_t len;

    (void)state;
    assert_false(io_read(pair.ours, &byte, 1, &len, clock_mono_ms() - 1, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    pair_end(&pair);
}

/* One byte every two milliseconds. */
static void *trickle(void *arg)
{
    const int *fd = arg;

    for (int i = 0; i < 10; i++) {
        clock_sleep_ms(2);
        if (write(*fd, &"0123456789"[i], 1) != 1)
            break;
    }
    return NULL;
}

static void one_byte_at_a_time_makes_the_whole(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    pthread_t thread;
    char got[10];

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, trickle, &pair.theirs), 0);
    assert_true(io_read_exact(pair.ours, got, sizeof(got), soon(), &err));
    assert_memory_equal(got, "0123456789", 10);
    pthread_join(thread, NULL);
    pair_end(&pair);
}

static void a_slow_peer_cannot_stretch_the_deadline(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    pthread_t thread;
    char got[11];
    int64_t begin = clock_mono_ms();

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, trickle, &pair.theirs), 0);
    assert_false(io_read_exact(pair.ours, got, sizeof(got), begin + 80, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    assert_in_range(clock_mono_ms() - begin, 80, PATIENCE_MS);
    pthread_join(thread, NULL);
    pair_end(&pair);
}

static void the_end_of_the_stream_is_zero_bytes(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    char byte;
    size_t len = 99;

    (void)state;
    close(pair.theirs);
    pair.theirs = -1;
    assert_true(io_read(pair.ours, &byte, 1, &len, soon(), &err));
    assert_int_equal(len, 0);
    pair_end(&pair);
}

static void an_end_in_the_middle_says_how_far_it_came(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    char got[8];

    (void)state;
    assert_int_equal(write(pair.theirs, "abc", 3), 3);
    close(pair.theirs);
    pair.theirs = -1;
    assert_false(io_read_exact(pair.ours, got, sizeof(got), soon(), &err));
    assert_int_equal(err.code, PS_E_NET);
    assert_non_null(strstr(err.message, "3 of 8"));
    pair_end(&pair);
}

static void writing_to_a_peer_that_left_is_an_error_not_a_signal(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;

    (void)state;
    close(pair.theirs);
    pair.theirs = -1;
    assert_false(io_write(pair.ours, "x", 1, soon(), &err));
    assert_int_equal(err.code, PS_E_NET);
    pair_end(&pair);
}

static void a_peer_that_does_not_read_ends_in_a_timeout(void **state)
{
    struct pair pair = pair_make();
    struct ps_err err;
    size_t len = 16u << 20;
    PS_AUTO(ps_freep) char *much = ps_calloc(1, len);

    (void)state;
    assert_false(io_write(pair.ours, much, len, clock_mono_ms() + 60, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    pair_end(&pair);
}

static void a_plain_connection_has_no_tls_to_tell_of(void **state)
{
    struct pair pair = pair_make();
    struct io_tls_info info;
    PS_AUTO(cert_list_free) struct cert_list chain = { 0 };

    (void)state;
    io_tls_info(pair.ours, &info);
    io_tls_peer_chain(pair.ours, &chain);
    io_tls_close_notify(pair.ours);
    assert_int_equal(info.version, 0);
    assert_null(info.cipher);
    assert_null(info.alpn);
    assert_int_equal(chain.len, 0);
    pair_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(a_silent_peer_costs_the_deadline_and_no_more),
        cmocka_unit_test(a_deadline_that_has_passed_does_not_wait),
        cmocka_unit_test(one_byte_at_a_time_makes_the_whole),
        cmocka_unit_test(a_slow_peer_cannot_stretch_the_deadline),
        cmocka_unit_test(the_end_of_the_stream_is_zero_bytes),
        cmocka_unit_test(an_end_in_the_middle_says_how_far_it_came),
        cmocka_unit_test(writing_to_a_peer_that_left_is_an_error_not_a_signal),
        cmocka_unit_test(a_peer_that_does_not_read_ends_in_a_timeout),
        cmocka_unit_test(a_plain_connection_has_no_tls_to_tell_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connections are opened, or it is said in time why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/dial.h"

enum { PATIENCE_MS = 60000 };       /* for what is done at once, on a machine that may be busy */

static int64_t soon(void)
{
    return clock_mono_ms() + PATIENCE_MS;
}

static void expect_greeting(const char *host, int port, int listener)
{
    PS_AUTO(io_freep) struct io *here = NULL;
    PS_AUTO(io_freep) struct io *there = NULL;
    struct ps_err err;
    char got[2];

    assert_true(dial(host, port, soon(), &here, &err));
    assert_true(listen_accept(listener, soon(), &there, &err));
    assert_true(io_write(here, "hi", 2, soon(), &err));
    assert_true(io_read_exact(there, got, 2, soon(), &err));
    assert_memory_equal(got, "hi", 2);
}

static void tcp_is_reached_by_address_and_by_name(void **state)
{
    struct ps_err err;
    int fd, port;

    (void)state;
    assert_true(listen_loopback(&fd, &port, &err));
    expect_greeting("127.0.0.1", port, fd);
    expect_greeting("localhost", port, fd);     /* tries ::1 first where there is one */
    close(fd);
}

static void a_unix_socket_is_reached_by_its_folder(void **state)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    PS_AUTO(ps_freep) char *folder = NULL;
    struct ps_err err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)state;
    assert_true(dir_temp(&folder, &err));
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/.s.PGSQL.5432", folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 4), 0);
    expect_greeting(folder, 5432, fd);
    close(fd);
    dir_remove_all(folder);
}

static void a_closed_port_is_refused_at_once(void **state)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err;
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);       /* ours, so that nobody else listens there */

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    assert_false(dial("127.0.0.1", ntohs(addr.sin_port), soon(), &io, &err));
    assert_int_equal(err.code, PS_E_NET);           /* and no timeout */
    assert_null(io);
    close(fd);
}

static void what_cannot_be_a_place_is_refused(void **state)
{
    static const struct { const char *host; int port; } cases[] = {
        { "127.0.0.1", 0 }, { "127.0.0.1", 65536 }, { "127.0.0.1", -1 },
        { "host.invalid", 5432 }, { "/no/such/folder", 5432 },
    };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        struct io *io = NULL;
        struct ps_err err = { 0 };

        assert_false(dial(cases[i].host, cases[i].port, soon(), &io, &err));
        assert_null(io);
        assert_true(err.message[0]);
    }
}

static void a_folder_too_long_for_a_socket_is_refused(void **state)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err;
    char folder[300];

    (void)state;
    memset(folder, 'x', sizeof(folder) - 1);
    folder[0] = '/';
    folder[sizeof(folder) - 1] = '\0';
    assert_false(dial(folder, 5432, soon(), &io, &err));
    assert_int_equal(err.code, PS_E_VALUE);
}

static void nobody_comes_and_the_listener_stops_waiting(void **state)
{
    PS_AUTO(io_freep) struct io *io = NULL;
    struct ps_err err;
    int fd, port;
    int64_t begin = clock_mono_ms();

    (void)state;
    assert_true(listen_loopback(&fd, &port, &err));
    assert_false(listen_accept(fd, begin + 50, &io, &err));
    assert_int_equal(err.code, PS_E_TIMEOUT);
    assert_in_range(clock_mono_ms() - begin, 50, PATIENCE_MS);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_is_reached_by_address_and_by_name),
        cmocka_unit_test(a_unix_socket_is_reached_by_its_folder),
        cmocka_unit_test(a_closed_port_is_refused_at_once),
        cmocka_unit_test(what_cannot_be_a_place_is_refused),
        cmocka_unit_test(a_folder_too_long_for_a_socket_is_refused),
        cmocka_unit_test(nobody_comes_and_the_listener_stops_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

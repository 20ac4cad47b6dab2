/* dial.c - see dial.h. */
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

static void close_fdp(int *fd)
{
    int error = errno;

    if (*fd >= 0)
        close(*fd);
    errno = error;
}

/* Wait until the socket is ready; what an unfinished connect came to is then in SO_ERROR. */
static bool wait_ready(int fd, short events, int64_t deadline_ms, struct ps_err *err)
{
    struct pollfd one = { .fd = fd, .events = events };
    int n;

    do {
        int64_t left = deadline_ms - clock_mono_ms();
        n = poll(&one, 1, left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return ps_fail(err, PS_E_TIMEOUT, _("nobody answered in time"));
    return n > 0 || ps_fail(err, PS_E_NET, _("could not wait for the connection: %m"));
}

static bool connect_to(const struct sockaddr *addr, socklen_t len, int64_t deadline_ms,
                       struct io **out, struct ps_err *err)
{
    int failed = 0, on = 1;
    socklen_t size = sizeof(failed);
    PS_AUTO(close_fdp) int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                       0);

    if (fd < 0)
        return ps_fail(err, PS_E_NET, _("could not make a socket: %m"));
    if (connect(fd, addr, len) != 0 && errno != EINPROGRESS)
        return ps_fail(err, PS_E_NET, _("could not connect: %m"));
    if (!wait_ready(fd, POLLOUT, deadline_ms, err))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed) {
        errno = failed ? failed : errno;
        return ps_fail(err, PS_E_NET, _("could not connect: %m"));
    }
    if (addr->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *out = io_from_fd(fd);
    fd = -1;
    return true;
}

static bool dial_unix(const char *folder, int port, int64_t deadline_ms, struct io **out,
                      struct ps_err *err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/.s.PGSQL.%d", folder, port);

    if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
        return ps_fail(err, PS_E_VALUE, _("the name of the socket is too long: \"%s\""), folder);
    if (!connect_to((struct sockaddr *)&addr, sizeof(addr), deadline_ms, out, err))
        return ps_while(err, _("could not reach the server at \"%s\""), addr.sun_path);
    return true;
}

static void free_addresses(struct addrinfo **list)
{
    int error = errno;

    if (*list)
        freeaddrinfo(*list);
    errno = error;
}

static bool dial_tcp(const char *host, int port, int64_t deadline_ms, struct io **out,
                     struct ps_err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    PS_AUTO(free_addresses) struct addrinfo *list = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%d", port);
    int failed = getaddrinfo(host, service, &hints, &list);
    if (failed)
        return ps_fail(err, PS_E_NET, _("could not resolve host name \"%s\": %s"), host,
                       gai_strerror(failed));
    for (const struct addrinfo *one = list; one; one = one->ai_next)
        if (connect_to(one->ai_addr, one->ai_addrlen, deadline_ms, out, err))
            return true;
    return ps_while(err, _("could not reach the server at %s port %d"), host, port);
}

bool dial(const char *host, int port, int64_t deadline_ms, struct io **out, struct ps_err *err)
{
    if (port < 1 || port > 65535)
        return ps_fail(err, PS_E_VALUE, _("not a port: %d"), port);
    return host[0] == '/' ? dial_unix(host, port, deadline_ms, out, err)
                          : dial_tcp(host, port, deadline_ms, out, err);
}

bool listen_loopback(int *fd, int *port, struct ps_err *err)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    PS_AUTO(close_fdp) int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (sock < 0 || bind(sock, (struct sockaddr *)&addr, len) != 0 || listen(sock, 16) != 0
        || getsockname(sock, (struct sockaddr *)&addr, &len) != 0)
        return ps_fail(err, PS_E_NET, _("could not listen on 127.0.0.1: %m"));
    *port = ntohs(addr.sin_port);
    *fd = sock;
    sock = -1;
    return true;
}

bool listen_accept(int fd, int64_t deadline_ms, struct io **out, struct ps_err *err)
{
    for (;;) {
        int sock = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (sock >= 0) {
            *out = io_from_fd(sock);
            return true;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            return ps_fail(err, PS_E_NET, _("could not accept a connection: %m"));
        if (!wait_ready(fd, POLLIN, deadline_ms, err))
            return false;
    }
}

/*
 * loopback.c - preloaded into a server that can only listen everywhere, it makes it listen on loopback.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    int (*next)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
    const struct sockaddr_in6 *asked = (const struct sockaddr_in6 *)addr;
    /* IPv4 on a socket of IPv6 has its own form; who wants both gets this one */
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    if (addr->sa_family == AF_INET6 && len >= sizeof(six)) {
        six.sin6_port = asked->sin6_port;
        six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
        six.sin6_addr.s6_addr[12] = 127;
        six.sin6_addr.s6_addr[15] = 1;
        if (next(fd, (const struct sockaddr *)&six, sizeof(six)) == 0)
            return 0;
        six.sin6_addr = in6addr_loopback;       /* it takes IPv6 alone */
        return next(fd, (const struct sockaddr *)&six, sizeof(six));
    }
    if (addr->sa_family == AF_INET && len >= sizeof(four)) {
        four.sin_port = ((const struct sockaddr_in *)addr)->sin_port;
        return next(fd, (const struct sockaddr *)&four, sizeof(four));
    }
    return next(fd, addr, len);
}

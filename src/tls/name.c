/* name.c - see name.h. */
#include "tls/name.h"

#include <arpa/inet.h>
#include <strings.h>

/* wildcard_certificate_match of fe-secure-common.c */
static bool wildcard_matches(const char *pattern, const char *host)
{
    size_t pattern_len = strlen(pattern), host_len = strlen(host);

    if (pattern_len < 3 || pattern[0] != '*' || pattern[1] != '.' || pattern_len > host_len)
        return false;
    if (strcasecmp(pattern + 1, host + host_len - pattern_len + 1) != 0)
        return false;

    const char *dot = strchr(host, '.');        /* the wildcard covers one label */
    return dot && dot >= host + host_len - pattern_len;
}

bool name_matches(const char *pattern, const char *host)
{
    return *pattern && (strcasecmp(pattern, host) == 0 || wildcard_matches(pattern, host));
}

/* is_ip_address of fe-secure-openssl.c: inet_aton, so "127.1" is an address too */
bool name_is_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    return inet_aton(host, &v4) || inet_pton(AF_INET6, host, &v6) == 1;
}

static bool address_matches(const char *san, const char *host)
{
    struct in_addr san4, host4;
    struct in6_addr san6, host6;

    if (inet_pton(AF_INET, san, &san4) == 1)
        return inet_aton(host, &host4) && memcmp(&san4, &host4, sizeof(san4)) == 0;
    return inet_pton(AF_INET6, san, &san6) == 1 && inet_pton(AF_INET6, host, &host6) == 1
        && memcmp(&san6, &host6, sizeof(san6)) == 0;
}

/* pgtls_verify_peer_name_matches_certificate_guts of PostgreSQL 15 */
bool cert_speaks_for(const struct cert *cert, const char *host)
{
    const struct cert_info *info = cert_info(cert);
    bool address = name_is_address(host);

    for (const char *const *dns = info->dns; *dns; dns++)
        if (name_matches(*dns, host))
            return true;
    for (const char *const *ip = info->ip; *ip; ip++)
        if (address_matches(*ip, host))
            return true;
    return !(address ? info->ip[0] : info->dns[0]) && name_matches(info->common_name, host);
}

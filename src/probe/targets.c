/* targets.c - see targets.h. */
#include "probe/targets.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/num.h"

enum { HOST_MAX = 253, PORTS_MAX = 64 };

void targets_free(struct targets *targets)
{
    free(targets->at);
    targets->at = NULL;
    targets->len = targets->cap = 0;
}

static bool add_one(struct targets *targets, const char *host, int port, struct ps_err *err)
{
    size_t n = port ? 1 : targets->ports_len;

    for (size_t i = 0; i < n; i++) {
        if (targets->len == TARGETS_MAX) {
            ps_fail(err, PS_E_TOO_BIG, _("more than %u targets"), TARGETS_MAX);
            return ps_hint(err, _("Split the networks, and scan one part after the other."));
        }
        PS_PUSH(targets->at, targets->len, targets->cap) =
            (struct target){ host, port ? port : targets->ports[i] };
    }
    return true;
}

/* ---- networks ---- */

struct network {
    int family;
    size_t bytes;               /* of an address */
    unsigned char addr[16];
    unsigned bits;
};

static bool network_parse(const char *word, struct network *out, struct ps_err *err)
{
    char addr[INET6_ADDRSTRLEN];
    const char *slash = strchr(word, '/');
    size_t len = (size_t)(slash - word);
    long bits;

    *out = (struct network){ .family = strchr(word, ':') ? AF_INET6 : AF_INET };
    out->bytes = out->family == AF_INET ? 4 : 16;
    if (len < sizeof(addr)) {
        memcpy(addr, word, len);
        addr[len] = '\0';
        if (inet_pton(out->family, addr, out->addr) == 1
            && num_parse(slash + 1, 0, (long)out->bytes * 8, &bits)) {
            out->bits = (unsigned)bits;
            return true;
        }
    }
    ps_fail(err, PS_E_VALUE, _("\"%s\" is not a network"), word);
    return ps_hint(err, _("Write an address and the bits of its network, such as 10.0.0.0/24."));
}

static void mask_host(struct network *net)
{
    for (size_t i = 0; i < net->bytes; i++) {
        unsigned keep = net->bits > i * 8 ? net->bits - (unsigned)i * 8 : 0;
        net->addr[i] &= keep >= 8 ? 0xff : (unsigned char)(0xff00 >> keep);
    }
}

static void next_address(struct network *net)
{
    for (size_t i = net->bytes; i-- > 0; )
        if (++net->addr[i])
            return;
}

static bool add_network(struct targets *targets, const char *word, struct ps_err *err)
{
    struct network net;

    if (!network_parse(word, &net, err))
        return false;

    unsigned host_bits = (unsigned)net.bytes * 8 - net.bits;
    if (host_bits > 20) {
        ps_fail(err, PS_E_TOO_BIG, _("network \"%s\" has more than %u addresses"), word, TARGETS_MAX);
        return ps_hint(err, _("Scan smaller networks, or give the hosts in a list with --input."));
    }
    mask_host(&net);
    bool edges = net.family == AF_INET && host_bits >= 2;
    for (size_t i = 0; i < (size_t)1 << host_bits; i++, next_address(&net)) {
        char text[INET6_ADDRSTRLEN];

        if (edges && (i == 0 || i == ((size_t)1 << host_bits) - 1))
            continue;
        inet_ntop(net.family, net.addr, text, sizeof(text));
        if (!add_one(targets, arena_strdup(targets->arena, text), 0, err))
            return false;
    }
    return true;
}

/* ---- words ---- */

/*
 * What a name may have; anything else would be a mistake, or a trick on who reads the report.  Figures and dots
 * alone are an address, or nothing: the resolver would take "10.1" for 10.0.0.1.
 */
static bool host_ok(const char *host, size_t len)
{
    static const char figures[] = "0123456789.-";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-";
    char name[HOST_MAX + 1];
    unsigned char bytes[4];

    if (len == 0 || len > HOST_MAX)
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    if (strspn(name, figures) == len)
        return inet_pton(AF_INET, name, bytes) == 1;
    return strspn(name, letters) == len && *name != '-';
}

static bool is_v6(const char *text, size_t len)
{
    char addr[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (len >= sizeof(addr))
        return false;
    memcpy(addr, text, len);
    addr[len] = '\0';
    return inet_pton(AF_INET6, addr, bytes) == 1;
}

/* "postgresql://...", "host=...", a line of .pgpass: there may be a password in it, and no message repeats it. */
static bool is_secretive(const char *word)
{
    const char *colon = strchr(word, ':');

    return strchr(word, '@') || strchr(word, '=') || strstr(word, "://")
        || (*word != '[' && !is_v6(word, strlen(word)) && colon && strchr(colon + 1, ':'));
}

static bool fail_host(const char *word, struct ps_err *err)
{
    if (is_secretive(word)) {
        ps_fail(err, PS_E_VALUE, _("this is not a host to scan"));
        return ps_hint(err, _("Write HOST or HOST:PORT, an IPv6 address in brackets before a port; a scan takes "
                              "no connection strings and needs no password."));
    }
    ps_fail(err, PS_E_VALUE, _("\"%s\" is not a host to scan"), word);
    if (strchr(word, '/'))
        return ps_hint(err, _("Give a list of targets with --input FILE."));
    return ps_hint(err, _("Write a name or an address, with :PORT if it is not the usual one, or a "
                          "network such as 10.0.0.0/24; several with blanks between them."));
}

/* "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 address: host and port apart. */
static bool split(const char *word, const char **host, size_t *len, const char **port)
{
    *port = NULL;
    if (*word == '[') {
        const char *close = strchr(word, ']');
        if (!close || !is_v6(word + 1, (size_t)(close - word) - 1) || (close[1] && close[1] != ':'))
            return false;
        *host = word + 1;
        *len = (size_t)(close - word) - 1;
        *port = close[1] ? close + 2 : NULL;
        return true;
    }
    *host = word;
    *len = strlen(word);
    if (is_v6(word, *len))
        return true;

    const char *colon = strchr(word, ':');
    if (colon) {
        *len = (size_t)(colon - word);
        *port = colon + 1;
    }
    return host_ok(word, *len);
}

bool targets_add(struct targets *targets, const char *word, struct ps_err *err)
{
    const char *host, *port_text;
    size_t len;
    long port = 0;

    /* what stands before the slash of a network is an address; of a path or a URL, it is not */
    if (isxdigit((unsigned char)*word) && word[strspn(word, "0123456789abcdefABCDEF.:")] == '/')
        return add_network(targets, word, err);
    if (!split(word, &host, &len, &port_text) || is_secretive(word))
        return fail_host(word, err);
    if (port_text && !num_parse(port_text, 1, 65535, &port)) {
        ps_fail(err, PS_E_VALUE, _("\"%s\" has no possible port"), word);
        return ps_hint(err, _("A port is a number from 1 to 65535."));
    }
    return add_one(targets, arena_strndup(targets->arena, host, len), (int)port, err);
}

/* ---- lists ---- */

/* The word of one line, without blanks and comment, to `out`; false: it is no word. */
static bool word_of(const char *line, size_t len, char *out, size_t size, unsigned *column)
{
    const char *comment = memchr(line, '#', len);
    const char *end = comment ? comment : line + len, *begin = line;

    while (begin < end && strchr(" \t\r", *begin))
        begin++;
    while (begin < end && strchr(" \t\r", end[-1]))
        end--;
    *column = (unsigned)(begin - line) + 1;
    if ((size_t)(end - begin) >= size || memchr(begin, '\0', (size_t)(end - begin)))
        return false;
    memcpy(out, begin, (size_t)(end - begin));
    out[end - begin] = '\0';
    return true;
}

bool targets_add_list(struct targets *targets, const char *text, size_t len, const char *name,
                      struct ps_err *err)
{
    const char *end = text + len;

    for (unsigned line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        char word[512];
        unsigned column;

        if (!stop)
            stop = end;
        if (!word_of(text, (size_t)(stop - text), word, sizeof(word), &column)) {
            ps_fail(err, PS_E_VALUE, _("this is not a host to scan"));
            return ps_at(err, name, line, column);
        }
        if (*word && !targets_add(targets, word, err))
            return ps_at(err, name, line, column);
        text = stop + 1;
    }
    return true;
}

bool targets_ports(const char *text, struct arena *arena, const int **ports, size_t *len,
                   struct ps_err *err)
{
    int *out = arena_alloc(arena, PORTS_MAX * sizeof(*out));
    size_t n = 0;

    for (const char *p = text; ; p++) {
        char word[8];
        size_t size = strcspn(p, ",");
        long port;

        memcpy(word, p, size < sizeof(word) ? size : sizeof(word) - 1);
        word[size < sizeof(word) ? size : sizeof(word) - 1] = '\0';
        if (n == PORTS_MAX || size >= sizeof(word) || !num_parse(word, 1, 65535, &port)) {
            ps_fail(err, PS_E_VALUE, _("\"%s\" is not a list of ports"), text);
            return ps_hint(err, _("Write numbers from 1 to 65535 with commas, at most %d of them."),
                           PORTS_MAX);
        }
        out[n++] = (int)port;
        p += size;
        if (!*p)
            break;
    }
    *ports = out;
    *len = n;
    return true;
}

/* ---- once each ---- */

struct numbered {
    struct target target;
    size_t at;
};

static int by_target(const void *left, const void *right)
{
    const struct numbered *a = left, *b = right;
    int diff = strcasecmp(a->target.host, b->target.host);

    if (!diff)
        diff = a->target.port - b->target.port;
    return diff ? diff : (a->at > b->at) - (a->at < b->at);
}

static int by_number(const void *left, const void *right)
{
    const struct numbered *a = left, *b = right;

    return (a->at > b->at) - (a->at < b->at);
}

void targets_unique(struct targets *targets)
{
    if (targets->len < 2)
        return;

    PS_AUTO(ps_freep) struct numbered *list = ps_calloc(targets->len, sizeof(*list));
    size_t kept = 0;
    for (size_t i = 0; i < targets->len; i++)
        list[i] = (struct numbered){ targets->at[i], i };
    qsort(list, targets->len, sizeof(*list), by_target);
    for (size_t i = 0; i < targets->len; i++)
        if (!kept || strcasecmp(list[i].target.host, list[kept - 1].target.host) != 0
            || list[i].target.port != list[kept - 1].target.port)
            list[kept++] = list[i];
    qsort(list, kept, sizeof(*list), by_number);
    for (size_t i = 0; i < kept; i++)
        targets->at[i] = list[i].target;
    targets->len = kept;
}

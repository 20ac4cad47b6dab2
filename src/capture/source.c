/* source.c - see source.h. */
#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <pcap/pcap.h>

#include "base/buf.h"
#include "base/mem.h"
#include "capture/capfile.h"
#include "capture/link.h"

enum { SNAPLEN = 262144, RING_BYTES = 32 << 20, RING_HELD_BYTES = 8 << 20,
       FILE_BUFFER = CAPFILE_PIECE_MAX + (256 << 10) };     /* as much as stays in a cache of the processor */

struct source {
    char *name;
    int link_type;
    bool live;
    pcap_t *pcap;               /* of an interface, and of a file that is not for capfile.h */
    struct capfile file;
    int fd;                     /* of the file, -1: none */
    uint8_t *buffer;            /* FILE_BUFFER bytes of the file */
    size_t from, until;         /* what is not read of them */
    uint64_t before;            /* bytes of the file in front of the buffer */
};

void source_close(struct source *source)
{
    if (source->pcap)
        pcap_close(source->pcap);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    capfile_free(&source->file);
    free(source->buffer);
    free(source->name);
    free(source);
}

int source_link_type(const struct source *source)
{
    return source->link_type;
}

const char *source_link_name(int link_type)
{
    return pcap_datalink_val_to_name(link_type);
}

int source_fd(const struct source *source)
{
    return pcap_get_selectable_fd(source->pcap);
}

static bool check_link_type(struct source *source, int link_type, struct ps_err *err)
{
    const char *name = source_link_name(link_type);

    source->link_type = link_type;
    if (link_type_known(link_type))
        return true;
    if (name)
        ps_fail(err, PS_E_UNSUPPORTED, _("\"%s\" has packets of link type %s (%s), which cannot be read"),
                source->name, name, pcap_datalink_val_to_description(link_type));
    else
        ps_fail(err, PS_E_UNSUPPORTED, _("\"%s\" has packets of link type %d, which cannot be read"),
                source->name, link_type);
    return ps_hint(err, _("Ethernet (VLAN, MPLS, PPPoE), cooked (-i any), PPP, HDLC, loopback and raw IP are "
                          "known."));
}

/* ---- files ---- */

/* More bytes behind those that are left.  How many; 0 at the end of the file, -1 with errno. */
static ssize_t fill(struct source *source)
{
    ssize_t n;

    memmove(source->buffer, source->buffer + source->from, source->until - source->from);
    source->until -= source->from;
    source->before += source->from;
    source->from = 0;
    n = read(source->fd, source->buffer + source->until, FILE_BUFFER - source->until);
    if (n > 0)
        source->until += (size_t)n;
    return n;
}

static void feed(struct source *source, int most, frame_fn to, void *of, int *count)
{
    source->from += capfile_feed(&source->file, source->buffer + source->from,
                                 source->until - source->from, most, to, of, count);
}

static bool is_no_capture(const struct source *source, const char *why, struct ps_err *err)
{
    ps_fail(err, PS_E_SYNTAX, _("\"%s\" is not a capture of packets"), source->name);
    if (why)
        ps_detail(err, "%s", why);
    return ps_hint(err, _("It is to be pcap or pcapng, as tcpdump and Wireshark write them."));
}

static bool open_older(struct source *source, struct ps_err *err)
{
    FILE *file = lseek(source->fd, 0, SEEK_SET) == 0 ? fdopen(source->fd, "rb") : NULL;
    char why[PCAP_ERRBUF_SIZE];

    if (!file)
        return is_no_capture(source, NULL, err);
    source->fd = -1;
    source->pcap = pcap_fopen_offline(file, why);   /* it closes the file, but for one that it refuses */
    if (!source->pcap) {
        (void)fclose(file);
        return is_no_capture(source, why, err);
    }
    return check_link_type(source, pcap_datalink(source->pcap), err);
}

/* Everything before the first packet. */
static bool read_head(struct source *source, struct ps_err *err)
{
    int none = 0;

    do {
        ssize_t n = fill(source);

        if (n < 0)
            return ps_fail(err, PS_E_IO, _("could not open capture \"%s\": %m"), source->name);
        if (n == 0)
            break;
        feed(source, 0, NULL, NULL, &none);
    } while (!source->file.has_link_type && !source->file.why
             && source->file.format != CAPFILE_FOREIGN
             && source->until - source->from < FILE_BUFFER);
    if (source->file.format == CAPFILE_FOREIGN)
        return open_older(source, err);
    if (!source->file.has_link_type)
        return is_no_capture(source, source->file.why ? _(source->file.why) : NULL, err);
    return check_link_type(source, source->file.link_type, err);
}

bool source_open_file(const char *path, struct source **out, struct ps_err *err)
{
    PS_AUTO(source_closep) struct source *source = ps_calloc(1, sizeof(*source));

    source->name = ps_strdup(path);
    source->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                       _("could not open capture \"%s\": %m"), path);
    (void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    source->buffer = ps_malloc(FILE_BUFFER);
    if (!read_head(source, err))
        return false;
    *out = PS_TAKE(source);
    return true;
}

static int fail_read(const struct source *source, const char *why, struct ps_err *err)
{
    ps_fail(err, source->live ? PS_E_IO : PS_E_SYNTAX, _("could not read packets of \"%s\""),
            source->name);
    ps_detail(err, "%s", why);
    return -1;
}

static int fail_file(const struct source *source, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *why = ps_asprintf(_("%s  It stands at byte %llu."), _(source->file.why),
                                              (unsigned long long)(source->before + source->from));

    return fail_read(source, why, err);
}

static int read_file(struct source *source, int most, frame_fn to, void *of, bool *cut_short,
                     struct ps_err *err)
{
    int count = 0;

    for (;;) {
        ssize_t n;

        feed(source, most, to, of, &count);
        if (source->file.why)
            return fail_file(source, err);
        if (count > 0)
            return count;
        n = fill(source);
        if (n < 0 && errno == EINTR)        /* by a signal that ends the capture */
            return 0;
        if (n < 0)
            return fail_read(source, strerror(errno), err);
        if (n == 0) {
            *cut_short |= !capfile_is_whole(&source->file, source->until - source->from);
            return 0;
        }
    }
}

/* ---- live ---- */

static bool fail_live(const struct source *source, int status, struct ps_err *err)
{
    const char *why = pcap_geterr(source->pcap);

    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) {
        ps_fail(err, PS_E_IO, _("could not capture on \"%s\": no permission"), source->name);
        ps_detail(err, "%s", why);
        return ps_hint(err, _("Run it as root, or give the program CAP_NET_RAW: it drops all privileges "
                              "as soon as the interface is open."));
    }
    ps_fail(err, status == PCAP_ERROR_NO_SUCH_DEVICE ? PS_E_NOT_FOUND : PS_E_IO,
            _("could not capture on \"%s\": %s"), source->name, pcap_statustostr(status));
    return ps_detail(err, "%s", why);
}

/* IPv6 with extension headers, which the filter language does not look through, is let in. */
static void put_filter(const uint16_t *ports, size_t count, bool vlan, struct buf *out)
{
    PS_AUTO(buf_free) struct buf one = BUF(BUF_TEXT_MAX);

    /* what routers and mirrors wrap packets in is taken as it is: their ports are inside (link.c) */
    buf_puts(&one, "ether proto 0x8847 or ether proto 0x8848 or ether proto 0x8864 or ip proto 4 or ip proto 41 or "
                   "ip proto 47 or udp dst port 4789 or udp dst port 6081 or ");
    buf_puts(&one, "(ip6 and not ip6 proto 6 and not ip6 proto 17 and not ip6 proto 58)");
    if (!count)
        buf_puts(&one, " or tcp");
    else    /* only the first of the fragments has the ports */
        buf_puts(&one, " or (ip proto 6 and ip[6:2] & 0x1fff != 0) or ip6[6] = 44");
    for (size_t i = 0; i < count; i++)
        buf_printf(&one, " or tcp port %u", ports[i]);
    buf_printf(out, "%s", buf_text(&one));
    if (vlan)
        buf_printf(out, " or (vlan and (%s)) or (vlan and (%s))", buf_text(&one), buf_text(&one));
}

static bool set_filter(struct source *source, const struct live_spec *spec)
{
    for (int vlan = 1; vlan >= 0; vlan--) {
        PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
        struct bpf_program program;

        put_filter(spec->ports, spec->ports_count, vlan, &text);
        if (pcap_compile(source->pcap, &program, buf_text(&text), 1, PCAP_NETMASK_UNKNOWN) != 0)
            continue;
        int status = pcap_setfilter(source->pcap, &program);
        pcap_freecode(&program);
        if (status == 0)
            return true;
    }
    return false;
}

/* Behind libpcap's back: what it is told to filter, it filters once more in what it has not read yet. */
static bool hold(const struct source *source, struct ps_err *err)
{
    struct sock_filter nothing = { .code = BPF_RET | BPF_K, .k = 0 };
    const struct sock_fprog program = { .len = 1, .filter = &nothing };

    return setsockopt(pcap_fileno(source->pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof(program)) == 0
        || ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %m"), source->name);
}

bool source_go(struct source *source, const struct live_spec *spec, struct ps_err *err)
{
    return set_filter(source, spec)
        || ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %s"), source->name,
                   pcap_geterr(source->pcap));
}

bool source_open_live(const struct live_spec *spec, struct source **out, struct ps_err *err)
{
    const char *interface = spec->interface;
    PS_AUTO(source_closep) struct source *source = ps_calloc(1, sizeof(*source));
    char why[PCAP_ERRBUF_SIZE];
    int status;

    source->live = true;
    source->fd = -1;
    source->name = ps_strdup(interface);
    source->pcap = pcap_create(interface, why);
    if (!source->pcap)
        return ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %s"), interface, why);
    pcap_set_snaplen(source->pcap, SNAPLEN);
    /* neither of these has packets that are not for this machine */
    pcap_set_promisc(source->pcap, strcmp(interface, "any") != 0 && strcmp(interface, "lo") != 0);
    pcap_set_timeout(source->pcap, spec->wait_ms);
    /* a tenth of a second at 300 MB/s; beside a proof there are few packets, and it takes time to make */
    pcap_set_buffer_size(source->pcap, spec->held ? RING_HELD_BYTES : RING_BYTES);
    status = pcap_activate(source->pcap);
    if (status < 0)
        return fail_live(source, status, err);
    if (pcap_setnonblock(source->pcap, 1, why) != 0)
        return ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %s"), interface, why);
    /* Without a filter everything is read and sorted out here; it only saves work. */
    (void)set_filter(source, spec);
    if (!check_link_type(source, pcap_datalink(source->pcap), err) || (spec->held && !hold(source, err)))
        return false;
    *out = PS_TAKE(source);
    return true;
}

/* ---- both ---- */

struct reading {
    int link_type;
    frame_fn to;
    void *of;
};

static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    const struct reading *reading = (const void *)user;
    struct frame frame = {
        .when_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec,
        .bytes = bytes, .captured = header->caplen, .len = header->len,
    };

    reading->to(reading->of, reading->link_type, &frame);
}

int source_read(struct source *source, int count, frame_fn to, void *of, bool *cut_short,
                struct ps_err *err)
{
    struct reading reading = { source->link_type, to, of };
    int n;

    if (!source->pcap)
        return read_file(source, count, to, of, cut_short, err);
    n = pcap_dispatch(source->pcap, count, take_packet, (u_char *)&reading);
    if (n >= 0)
        return n;
    if (n == PCAP_ERROR_BREAK)
        return 0;
    /* libpcap says "truncated dump file" in several ways, and nothing but words */
    if (!source->live && strstr(pcap_geterr(source->pcap), "truncated")) {
        *cut_short = true;
        return 0;
    }
    return fail_read(source, pcap_geterr(source->pcap), err);
}

void source_drops(const struct source *source, uint64_t *kernel, uint64_t *interface)
{
    struct pcap_stat stat = { 0 };

    *kernel = *interface = 0;
    if (source->live && pcap_stats(source->pcap, &stat) == 0) {
        *kernel = stat.ps_drop;
        *interface = stat.ps_ifdrop;
    }
}

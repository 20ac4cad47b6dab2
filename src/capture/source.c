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

enum { FILE_BUFFER = 256 << 10, SNAPLEN = 262144, RING_BYTES = 16 << 20 };

struct source {
    pcap_t *pcap;
    char *name;
    int link_type;
    bool live;
    FILE *file;
    char *file_buffer;
};

void source_close(struct source *source)
{
    if (source->pcap)
        pcap_close(source->pcap);   /* and the FILE with it */
    else if (source->file && source->file != stdin)
        fclose(source->file);
    free(source->file_buffer);
    free(source->name);
    free(source);
}

int source_link_type(const struct source *source)
{
    return source->link_type;
}

int source_fd(const struct source *source)
{
    return pcap_get_selectable_fd(source->pcap);
}

static bool check_link_type(struct source *source, struct ps_err *err)
{
    const char *name;

    source->link_type = pcap_datalink(source->pcap);
    if (link_type_known(source->link_type))
        return true;
    name = pcap_datalink_val_to_name(source->link_type);
    ps_fail(err, PS_E_UNSUPPORTED, _("\"%s\" has packets of link type %s, which cannot be read"),
            source->name, name ? name : "?");
    return ps_hint(err, _("Ethernet, VLAN, cooked (-i any), loopback and raw IP are known."));
}

bool source_open_file(const char *path, struct source **out, struct ps_err *err)
{
    PS_AUTO(source_closep) struct source *source = ps_calloc(1, sizeof(*source));
    char why[PCAP_ERRBUF_SIZE];

    source->name = ps_strdup(path);
    source->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (!source->file)
        return ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                       _("could not open capture \"%s\": %m"), path);
    /* The 4 kB of stdio cost as much as all the reading. */
    source->file_buffer = ps_malloc(FILE_BUFFER);
    setvbuf(source->file, source->file_buffer, _IOFBF, FILE_BUFFER);
    source->pcap = pcap_fopen_offline(source->file, why);
    if (!source->pcap) {
        ps_fail(err, PS_E_SYNTAX, _("\"%s\" is not a capture of packets"), path);
        ps_detail(err, "%s", why);
        return ps_hint(err, _("It is to be pcap or pcapng, as tcpdump and Wireshark write them."));
    }
    if (!check_link_type(source, err))
        return false;
    *out = PS_TAKE(source);
    return true;
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
    source->name = ps_strdup(interface);
    source->pcap = pcap_create(interface, why);
    if (!source->pcap)
        return ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %s"), interface, why);
    pcap_set_snaplen(source->pcap, SNAPLEN);
    /* neither of these has packets that are not for this machine */
    pcap_set_promisc(source->pcap, strcmp(interface, "any") != 0 && strcmp(interface, "lo") != 0);
    pcap_set_timeout(source->pcap, spec->wait_ms);
    pcap_set_buffer_size(source->pcap, RING_BYTES);
    status = pcap_activate(source->pcap);
    if (status < 0)
        return fail_live(source, status, err);
    if (pcap_setnonblock(source->pcap, 1, why) != 0)
        return ps_fail(err, PS_E_IO, _("could not capture on \"%s\": %s"), interface, why);
    /* Without a filter everything is read and sorted out here; it only saves work. */
    (void)set_filter(source, spec);
    if (!check_link_type(source, err) || (spec->held && !hold(source, err)))
        return false;
    *out = PS_TAKE(source);
    return true;
}

/* ---- reading ---- */

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
        .bytes = bytes, .captured = header->caplen, .len = header->len, .header = header,
    };

    reading->to(reading->of, reading->link_type, &frame);
}

int source_read(struct source *source, int count, frame_fn to, void *of, bool *cut_short,
                struct ps_err *err)
{
    struct reading reading = { source->link_type, to, of };
    int n = pcap_dispatch(source->pcap, count, take_packet, (u_char *)&reading);

    if (n >= 0)
        return n;
    if (n == PCAP_ERROR_BREAK)
        return 0;
    /* libpcap says "truncated dump file" in several ways, and nothing but words */
    if (!source->live && strstr(pcap_geterr(source->pcap), "truncated")) {
        *cut_short = true;
        return 0;
    }
    ps_fail(err, source->live ? PS_E_IO : PS_E_SYNTAX, _("could not read packets of \"%s\""),
            source->name);
    ps_detail(err, "%s", pcap_geterr(source->pcap));
    return -1;
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

/* ---- writing ---- */

struct dump {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    int link_type;
};

bool dump_open(const char *path, int link_type, struct dump **out, struct ps_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    PS_AUTO(dump_closep) struct dump *dump = NULL;

    if (!file)
        return ps_fail(err, PS_E_IO, _("could not create \"%s\": %m"), path);
    dump = ps_calloc(1, sizeof(*dump));
    dump->link_type = link_type;
    dump->pcap = pcap_open_dead(link_type, SNAPLEN);
    dump->dumper = pcap_dump_fopen(dump->pcap, file);
    if (!dump->dumper) {
        fclose(file);
        return ps_fail(err, PS_E_IO, _("could not create \"%s\": %s"), path,
                       pcap_geterr(dump->pcap));
    }
    *out = PS_TAKE(dump);
    return true;
}

int dump_link_type(const struct dump *dump)
{
    return dump->link_type;
}

_Static_assert(sizeof(struct pcap_pkthdr) == 24, "flow.c keeps headers of this size");

void dump_packet(struct dump *dump, const void *header, const uint8_t *bytes)
{
    pcap_dump((u_char *)dump->dumper, header, bytes);
}

bool dump_finish(struct dump *dump, struct ps_err *err)
{
    if (pcap_dump_flush(dump->dumper) == 0)
        return true;
    return ps_fail(err, PS_E_IO, _("could not write packets: %m"));
}

void dump_close(struct dump *dump)
{
    if (dump->dumper)
        pcap_dump_close(dump->dumper);
    if (dump->pcap)
        pcap_close(dump->pcap);
    free(dump);
}

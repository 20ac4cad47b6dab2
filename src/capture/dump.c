/* dump.c - see dump.h. */
#include "capture/dump.h"

#include <fcntl.h>

#include <pcap/pcap.h>

#include "base/buf.h"
#include "base/mem.h"
#include "capture/link.h"

enum { SNAPLEN = 262144 };

/* Heads of packets that had another one: how long, and where the EtherType stands. */
static const struct head {
    int link_type;
    uint8_t len;
    int8_t type_at;             /* -1: there is none */
} heads[] = {
    { DLT_RAW, 0, -1 }, { DLT_EN10MB, 14, 12 }, { DLT_LINUX_SLL, 16, 14 }, { DLT_LINUX_SLL2, 20, 0 },
};
enum { HEAD_MAX = 20 };

struct dump {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    const struct head *head;
    struct buf made;
};

static const struct head *head_of(int link_type)
{
    for (size_t i = 0; i < PS_COUNT(heads); i++)
        if (heads[i].link_type == link_type)
            return &heads[i];
    return &heads[0];
}

bool dump_open(const char *path, int link_type, struct dump **out, struct ps_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    PS_AUTO(dump_closep) struct dump *dump = NULL;

    if (!file)
        return ps_fail(err, PS_E_IO, _("could not create \"%s\": %m"), path);
    dump = ps_calloc(1, sizeof(*dump));
    dump->head = head_of(link_type);
    dump->made = BUF(SNAPLEN + HEAD_MAX);
    dump->pcap = pcap_open_dead(dump->head->link_type, SNAPLEN);
    dump->dumper = pcap_dump_fopen(dump->pcap, file);
    if (!dump->dumper) {
        fclose(file);
        return ps_fail(err, PS_E_IO, _("could not create \"%s\": %s"), path,
                       pcap_geterr(dump->pcap));
    }
    *out = PS_TAKE(dump);
    return true;
}

/* False: it has no IP head. */
static bool make_frame(struct dump *dump, int link_type, const struct frame *frame, struct frame *made)
{
    static const uint8_t types[][2] = { { 0x08, 0x00 }, { 0x86, 0xDD } };       /* of IPv4 and IPv6 */
    uint8_t head[HEAD_MAX] = { 0 };
    struct packet packet;
    size_t at;

    if (link_parse(link_type, frame->bytes, frame->captured, frame->len, &packet) != LINK_TCP)
        return false;
    at = (size_t)(packet.ip - frame->bytes);
    if (dump->head->type_at >= 0)
        memcpy(head + dump->head->type_at, types[packet.v6], sizeof(types[0]));
    buf_clear(&dump->made);
    if (!buf_put(&dump->made, head, dump->head->len)
        || !buf_put(&dump->made, frame->bytes + at, frame->captured - at))
        return false;
    *made = (struct frame){ .when_us = frame->when_us, .bytes = (const uint8_t *)dump->made.p,
                            .captured = dump->made.len, .len = dump->head->len + frame->len - at };
    return true;
}

void dump_packet(struct dump *dump, int link_type, const struct frame *frame)
{
    struct frame made;

    if (link_type != dump->head->link_type) {
        if (!make_frame(dump, link_type, frame, &made))
            return;
        frame = &made;
    }

    const struct pcap_pkthdr header = {
        .ts = { .tv_sec = frame->when_us / 1000000, .tv_usec = frame->when_us % 1000000 },
        .caplen = (bpf_u_int32)frame->captured, .len = (bpf_u_int32)frame->len,
    };

    pcap_dump((u_char *)dump->dumper, &header, frame->bytes);
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
    buf_free(&dump->made);
    free(dump);
}

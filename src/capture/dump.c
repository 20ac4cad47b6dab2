/* dump.c - see dump.h. */
#include "capture/dump.h"

#include <fcntl.h>

#include <pcap/pcap.h>

#include "base/mem.h"

enum { SNAPLEN = 262144 };

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

void dump_packet(struct dump *dump, const struct frame *frame)
{
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
    free(dump);
}

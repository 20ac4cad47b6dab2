/* The ceiling of `pgseal capture`: libpcap alone, which reads every packet and looks at one byte of it. */
#include <pcap/pcap.h>
#include <stdio.h>

static unsigned long long packets, bytes, sum;

static void take(u_char *user, const struct pcap_pkthdr *header, const u_char *p)
{
    (void)user;
    packets++;
    bytes += header->caplen;
    sum += header->caplen ? p[header->caplen - 1] : 0;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;

    if (!pcap || pcap_loop(pcap, 0, take, NULL) < 0)
        return 1;
    printf("%llu packets, %llu bytes, %llu\n", packets, bytes, sum & 1);
    pcap_close(pcap);
    return 0;
}

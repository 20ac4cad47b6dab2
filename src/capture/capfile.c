/* capfile.c - see capfile.h. */
#include "capture/capfile.h"

#include <pcap/dlt.h>

#include "base/mem.h"
#include "capture/link.h"

enum { LINKTYPE_RAW = 101 };    /* the one whose DLT_ number is another, of those that are understood here */

struct capfile_interface {      /* of pcapng: how its times are to be read */
    int link_type;
    uint8_t resolution;         /* of if_tsresol: a power of ten, or of two with the high bit */
    int64_t offset_s;
    uint32_t snaplen;
};

/* What is left of the bytes, and of the packets that are wanted. */
struct feed {
    struct capfile *file;
    const uint8_t *p;
    size_t len;
    int left;
    frame_fn to;
    void *of;
};

static uint16_t u16(const struct capfile *file, const uint8_t *p)
{
    uint16_t value;

    memcpy(&value, p, sizeof(value));
    return file->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t u32(const struct capfile *file, const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return file->swapped ? __builtin_bswap32(value) : value;
}

static void pass(struct feed *feed, size_t bytes)
{
    feed->p += bytes;
    feed->len -= bytes;
}

/* Each of these ends the reading. */
static bool refuse(struct feed *feed, const char *why)
{
    feed->file->why = why;
    return false;
}

/* The number that libpcap has for it. */
static int note_link_type(struct capfile *file, int link_type)
{
    if (link_type == LINKTYPE_RAW)
        link_type = DLT_RAW;
    if (!file->has_link_type || !link_type_known(file->link_type))
        file->link_type = link_type;
    file->has_link_type = true;
    return link_type;
}

/* The packet stands behind `head` bytes. */
static void take_packet(struct feed *feed, int link_type, size_t head, int64_t when_us, uint32_t captured,
                        uint32_t len)
{
    const struct frame frame = { .when_us = when_us, .bytes = feed->p + head, .captured = captured,
                                 .len = len };

    feed->left--;
    feed->file->last_us = when_us;
    feed->to(feed->of, link_type, &frame);
    pass(feed, head + captured);
}

/* ---- pcap: a head, then packets with a head each ---- */

enum { PCAP_HEAD = 24, PCAP_PACKET_HEAD = 16 };

static const struct { uint8_t magic[4]; bool big_endian, nano; } pcap_magics[] = {
    { { 0xD4, 0xC3, 0xB2, 0xA1 }, false, false }, { { 0x4D, 0x3C, 0xB2, 0xA1 }, false, true },
    { { 0xA1, 0xB2, 0xC3, 0xD4 }, true, false },  { { 0xA1, 0xB2, 0x3C, 0x4D }, true, true },
};

static bool begin_pcap(struct feed *feed, size_t row)
{
    struct capfile *file = feed->file;

    if (feed->len < PCAP_HEAD)
        return false;
    file->nano = pcap_magics[row].nano;
    file->swapped = pcap_magics[row].big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    if (u16(file, feed->p + 4) != 2 || u16(file, feed->p + 6) != 4) {
        file->format = CAPFILE_FOREIGN;
        return false;
    }
    file->format = CAPFILE_PCAP;
    /* the six bits above it tell of a checksum behind each packet, which IP's own length leaves out */
    (void)note_link_type(file, (int)(u32(file, feed->p + 20) & 0x03FFFFFF));
    pass(feed, PCAP_HEAD);
    return true;
}

static bool take_pcap(struct feed *feed)
{
    const struct capfile *file = feed->file;
    const uint8_t *p = feed->p;
    uint32_t captured, fraction;

    if (feed->len < PCAP_PACKET_HEAD || feed->left == 0)
        return false;
    captured = u32(file, p + 8);
    if (captured > CAPFILE_PACKET_MAX)
        return refuse(feed, N_("A packet is longer than packets can be."));
    if (feed->len - PCAP_PACKET_HEAD < captured)
        return false;
    fraction = u32(file, p + 4);
    take_packet(feed, file->link_type, PCAP_PACKET_HEAD,
                (int64_t)u32(file, p) * 1000000 + (file->nano ? fraction / 1000 : fraction), captured,
                u32(file, p + 12));
    return true;
}

/* ---- pcapng: blocks ---- */

enum { NG_SECTION = 0x0A0D0D0A, NG_INTERFACE = 1, NG_OLD_PACKET = 2, NG_SIMPLE = 3, NG_PACKET = 6 };
enum { NG_BYTE_ORDER = 0x1A2B3C4D, NG_SECTION_MIN = 28, NG_INTERFACE_MIN = 20, NG_PACKET_MIN = 32,
       NG_SIMPLE_MIN = 16, NG_BLOCK_MIN = 12 };

static bool take_section(struct feed *feed)
{
    struct capfile *file = feed->file;

    if (feed->len < 16)
        return false;
    file->swapped = false;
    file->swapped = u32(file, feed->p + 8) != NG_BYTE_ORDER;
    if (u32(file, feed->p + 8) != NG_BYTE_ORDER || u16(file, feed->p + 12) != 1)
        return refuse(feed, N_("A section of it has a version that is not known."));
    if (u32(file, feed->p + 4) < NG_SECTION_MIN)
        return refuse(feed, N_("A block of it has a length that cannot be."));
    file->format = CAPFILE_PCAPNG;
    file->interfaces_len = 0;
    file->skip = u32(file, feed->p + 4);
    return true;
}

/* Options: a code, a length, and as many bytes, filled up to a multiple of four. */
static void read_options(const struct capfile *file, const uint8_t *p, size_t len,
                         struct capfile_interface *interface)
{
    enum { IF_TSRESOL = 9, IF_TSOFFSET = 14 };

    while (len >= 4) {
        uint16_t code = u16(file, p), size = u16(file, p + 2);
        size_t whole = 4 + ((size_t)size + 3) / 4 * 4;

        if (code == 0 || whole > len)
            return;
        if (code == IF_TSRESOL && size == 1)
            interface->resolution = p[4];
        if (code == IF_TSOFFSET && size == 8)
            interface->offset_s = (int64_t)((uint64_t)u32(file, p + (file->swapped ? 4 : 8)) << 32
                                            | u32(file, p + (file->swapped ? 8 : 4)));
        p += whole;
        len -= whole;
    }
}

static bool take_interface(struct feed *feed, uint32_t total)
{
    enum { YEARS_S = 1u << 31, TEN_MAX = 18, TWO_MAX = 62 };
    struct capfile *file = feed->file;
    struct capfile_interface interface = { .resolution = 6, .snaplen = u32(file, feed->p + 12) };
    int power;

    interface.link_type = note_link_type(file, u16(file, feed->p + 8));
    if (file->interfaces_len == CAPFILE_INTERFACES_MAX)
        return refuse(feed, N_("It has too many interfaces."));
    read_options(file, feed->p + 16, total - NG_INTERFACE_MIN, &interface);
    power = interface.resolution & 0x7F;
    if (power > (interface.resolution & 0x80 ? TWO_MAX : TEN_MAX)
        || interface.offset_s > (int64_t)YEARS_S || interface.offset_s < -(int64_t)YEARS_S)
        return refuse(feed, N_("The times of an interface cannot be."));
    PS_PUSH(file->interfaces, file->interfaces_len, file->interfaces_cap) = interface;
    pass(feed, total);
    return true;
}

static int64_t time_of(const struct capfile_interface *interface, uint64_t ticks)
{
    enum { TEN_US = 6 };        /* 10^6 ticks of a second are microseconds */
    int power = interface->resolution & 0x7F;
    uint64_t us = ticks;

    if (interface->resolution & 0x80) {
        uint64_t part = ticks & ((1ull << power) - 1);

        us = (ticks >> power) * 1000000
           + (uint64_t)((__extension__ (unsigned __int128)part * 1000000) >> power);
    }
    for (; !(interface->resolution & 0x80) && power > TEN_US; power--)
        us /= 10;
    for (; !(interface->resolution & 0x80) && power < TEN_US; power++)
        us *= 10;
    /* what is beyond any year is not worth an error, but it must not overflow later */
    return (int64_t)(us & INT64_MAX >> 1) + interface->offset_s * 1000000;
}

static bool take_ng_packet(struct feed *feed, uint32_t type, uint32_t total)
{
    struct capfile *file = feed->file;
    const uint8_t *p = feed->p;
    uint32_t number, captured;

    if (feed->len < NG_PACKET_MIN - 4)
        return false;
    number = type == NG_PACKET ? u32(file, p + 8) : u16(file, p + 8);
    captured = u32(file, p + 20);
    if (number >= file->interfaces_len)
        return refuse(feed, N_("A packet belongs to an interface that is not described."));
    if (captured > CAPFILE_PACKET_MAX || captured > total - NG_PACKET_MIN)
        return refuse(feed, N_("A packet is longer than packets can be."));
    if (feed->left == 0 || feed->len - (NG_PACKET_MIN - 4) < captured)
        return false;
    file->skip = total - (NG_PACKET_MIN - 4) - captured;
    take_packet(feed, file->interfaces[number].link_type, NG_PACKET_MIN - 4,
                time_of(&file->interfaces[number],
                        (uint64_t)u32(file, p + 12) << 32 | u32(file, p + 16)),
                captured, u32(file, p + 24));
    return true;
}

/* It has no time of its own, and is of the first interface. */
static bool take_simple(struct feed *feed, uint32_t total)
{
    struct capfile *file = feed->file;
    uint32_t len, captured = total - NG_SIMPLE_MIN, snaplen;

    if (file->interfaces_len == 0)
        return refuse(feed, N_("A packet belongs to an interface that is not described."));
    len = u32(file, feed->p + 8);
    snaplen = file->interfaces[0].snaplen;
    captured = len < captured ? len : captured;
    captured = snaplen && snaplen < captured ? snaplen : captured;
    if (captured > CAPFILE_PACKET_MAX)
        return refuse(feed, N_("A packet is longer than packets can be."));
    if (feed->left == 0 || feed->len - NG_BLOCK_MIN < captured)
        return false;
    file->skip = total - NG_BLOCK_MIN - captured;
    take_packet(feed, file->interfaces[0].link_type, NG_BLOCK_MIN, file->last_us, captured, len);
    return true;
}

static bool take_block(struct feed *feed)
{
    static const uint32_t least[] = { [NG_INTERFACE] = NG_INTERFACE_MIN, [NG_OLD_PACKET] = NG_PACKET_MIN,
                                      [NG_SIMPLE] = NG_SIMPLE_MIN, [NG_PACKET] = NG_PACKET_MIN };
    struct capfile *file = feed->file;
    uint32_t type, total;

    if (feed->len < NG_BLOCK_MIN)
        return false;
    type = u32(file, feed->p);
    total = u32(file, feed->p + 4);
    if (type == NG_SECTION)
        return take_section(feed);
    if (total % 4 || total < NG_BLOCK_MIN || (type < PS_COUNT(least) && total < least[type])
        || (type == NG_INTERFACE && total > CAPFILE_PIECE_MAX))
        return refuse(feed, N_("A block of it has a length that cannot be."));
    if (type == NG_PACKET || type == NG_OLD_PACKET)
        return take_ng_packet(feed, type, total);
    if (type == NG_SIMPLE)
        return take_simple(feed, total);
    if (type != NG_INTERFACE) {
        file->skip = total;
        return true;
    }
    return feed->len >= total && take_interface(feed, total);
}

/* ---- both ---- */

static bool begin(struct feed *feed)
{
    uint32_t first;

    if (feed->len < sizeof(first))
        return false;
    memcpy(&first, feed->p, sizeof(first));
    if (first == NG_SECTION)
        return take_section(feed);
    for (size_t i = 0; i < PS_COUNT(pcap_magics); i++)
        if (memcmp(feed->p, pcap_magics[i].magic, sizeof(first)) == 0)
            return begin_pcap(feed, i);
    feed->file->format = CAPFILE_FOREIGN;
    return false;
}

static bool skip(struct feed *feed)
{
    size_t bytes = feed->file->skip < feed->len ? (size_t)feed->file->skip : feed->len;

    pass(feed, bytes);
    feed->file->skip -= bytes;
    return feed->file->skip == 0;
}

size_t capfile_feed(struct capfile *file, const uint8_t *p, size_t len, int most, frame_fn to, void *of,
                    int *count)
{
    struct feed feed = { file, p, len, most, to, of };
    bool more = !file->why && file->format != CAPFILE_FOREIGN;

    while (more) {
        if (file->skip)
            more = skip(&feed);
        else if (file->format == CAPFILE_PCAP)
            more = take_pcap(&feed);
        else
            more = file->format == CAPFILE_PCAPNG ? take_block(&feed) : begin(&feed);
    }
    *count += most - feed.left;
    return len - feed.len;
}

bool capfile_is_whole(const struct capfile *file, size_t left)
{
    return left == 0 && file->skip == 0;
}

void capfile_free(struct capfile *file)
{
    free(file->interfaces);
    *file = (struct capfile){ 0 };
}

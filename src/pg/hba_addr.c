/* hba_addr.c - addresses of rules; see hba_words.h. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "pg/hba_words.h"

/*
 * An IPv6 address may name its interface behind '%'; the server resolves it and then compares the
 * address alone.
 */
static bool parse_inet6(const char *word, size_t len, unsigned char out[16])
{
    char text[INET6_ADDRSTRLEN];
    const char *zone = memchr(word, '%', len);
    size_t bare = zone ? (size_t)(zone - word) : len;

    if (bare >= sizeof(text) || (zone && bare + 1 == len))
        return false;
    memcpy(text, word, bare);
    text[bare] = '\0';
    return inet_pton(AF_INET6, text, out) == 1;
}

/* As getaddrinfo() with AI_NUMERICHOST: IPv4 also as inet_aton() takes it, such as 127.1 and 0x7f.1. */
static bool parse_numeric(const char *word, size_t len, int *family, unsigned char out[16])
{
    char text[64];
    struct in_addr inet;

    if (len > 0 && len < sizeof(text)) {
        memcpy(text, word, len);
        text[len] = '\0';
        if (!strpbrk(text, " \t\n\v\f\r") && inet_aton(text, &inet)) {
            memcpy(out, &inet, sizeof(inet));
            *family = AF_INET;
            return true;
        }
    }
    if (len == 0 || !parse_inet6(word, len, out))
        return false;
    *family = AF_INET6;
    return true;
}

static bool parse_bits(const char *word, int family, unsigned char mask[16])
{
    char *end;
    long bits = strtol(word, &end, 10);     /* pg_sockaddr_cidr_mask(): blanks and signs are taken */

    if (word[0] == '\0' || *end != '\0' || bits < 0 || bits > (family == AF_INET ? 32 : 128))
        return false;
    memset(mask, 0, 16);
    for (long i = 0; i < bits; i++)
        mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
    return true;
}

static bool parse_keyword(const char *word, struct hba_addr *addr)
{
    static const struct { const char *word; enum hba_addr_kind kind; } keywords[] = {
        { "all", HBA_ADDR_ALL }, { "samehost", HBA_ADDR_SAMEHOST }, { "samenet", HBA_ADDR_SAMENET },
    };

    for (size_t i = 0; i < PS_COUNT(keywords); i++)
        if (strcmp(word, keywords[i].word) == 0) {
            addr->kind = keywords[i].kind;
            return true;
        }
    return false;
}

enum hba_addr_trouble hba_addr_parse(const char *word, bool quoted, struct hba_addr *addr,
                                     bool *wants_mask)
{
    const char *slash = strchr(word, '/');
    size_t len = slash ? (size_t)(slash - word) : strlen(word);

    *wants_mask = false;
    if (!quoted && parse_keyword(word, addr))
        return HBA_ADDR_FINE;
    if (!parse_numeric(word, len, &addr->family, addr->net)) {
        addr->kind = HBA_ADDR_NAME;
        addr->name = word;
        return slash ? HBA_ADDR_NAME_AND_MASK : HBA_ADDR_FINE;
    }
    addr->kind = HBA_ADDR_NET;
    *wants_mask = slash == NULL;
    if (slash && !parse_bits(slash + 1, addr->family, addr->mask))
        return HBA_ADDR_BAD_CIDR;
    return HBA_ADDR_FINE;
}

bool hba_mask_parse(const char *word, int *family, unsigned char mask[16])
{
    return parse_numeric(word, strlen(word), family, mask);
}

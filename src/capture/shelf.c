/* shelf.c - see shelf.h. */
#include "capture/shelf.h"

#include "base/hash.h"
#include "base/mem.h"

struct cert_shelf {
    struct span *at;
    uint64_t *sums;             /* of each, so that few are compared byte by byte */
    size_t len, cap, sums_len, sums_cap, bytes;
    uint64_t refused;
};

struct cert_shelf *cert_shelf_new(void)
{
    return ps_calloc(1, sizeof(struct cert_shelf));
}

void cert_shelf_free(struct cert_shelf *shelf)
{
    for (size_t i = 0; i < shelf->len; i++) {
        void *der = (void *)(uintptr_t)shelf->at[i].p;

        free(der);
    }
    free(shelf->at);
    free(shelf->sums);
    free(shelf);
}

size_t cert_shelf_len(const struct cert_shelf *shelf)
{
    return shelf->len;
}

uint64_t cert_shelf_refused(const struct cert_shelf *shelf)
{
    return shelf->refused;
}

struct span cert_shelf_at(const struct cert_shelf *shelf, size_t i)
{
    return shelf->at[i];
}

uint32_t cert_shelf_put(struct cert_shelf *shelf, const void *der, size_t len)
{
    uint64_t sum;

    if (len > CERT_BYTES_MAX) {
        shelf->refused++;
        return 0;
    }
    sum = ps_hash(0, der, len);
    for (size_t i = 0; i < shelf->len; i++)
        if (shelf->sums[i] == sum && shelf->at[i].len == len
            && memcmp(shelf->at[i].p, der, len) == 0)
            return (uint32_t)i + 1;
    if (shelf->len == SHELF_MAX || shelf->bytes + len > SHELF_BYTES_MAX) {
        shelf->refused++;
        return 0;
    }
    shelf->bytes += len;
    PS_PUSH(shelf->sums, shelf->sums_len, shelf->sums_cap) = sum;
    PS_PUSH(shelf->at, shelf->len, shelf->cap) = (struct span){ ps_memdup(der, len), len };
    return (uint32_t)shelf->len;
}

/* places.c - see places.h. */
#include "capture/places.h"

#include "base/mem.h"

enum { KEPT = 512, TEXT = CONN_ADDRESS + 10 };

struct place {
    uint64_t address[2];
    uint32_t port;
    bool any, v6;
    char text[TEXT];
};

struct places {
    struct place endpoints[KEPT], networks[KEPT];
};

struct places *places_new(void)
{
    return ps_calloc(1, sizeof(struct places));
}

void places_free(struct places *places)
{
    free(places);
}

/* Where this one is, or what makes room for it. */
static struct place *place_in(struct place *places, const struct place *key)
{
    uint64_t hash = (key->address[0] ^ key->address[1] * 31 ^ key->port) * 0x9E3779B97F4A7C15ull;

    return &places[hash >> 32 & (KEPT - 1)];
}

static bool is_same(const struct place *a, const struct place *b)
{
    return a->any && a->address[0] == b->address[0] && a->address[1] == b->address[1] && a->port == b->port
        && a->v6 == b->v6;
}

const char *place_endpoint(struct places *places, const struct conn *conn)
{
    struct place key = { .any = true, .v6 = conn->v6, .port = conn->port[SIDE_SERVER] };
    struct place *place;
    char address[CONN_ADDRESS];

    memcpy(key.address, conn->address[SIDE_SERVER], sizeof(key.address));
    place = place_in(places->endpoints, &key);
    if (is_same(place, &key))
        return place->text;
    *place = key;
    conn_address(conn, SIDE_SERVER, address);
    snprintf(place->text, sizeof(place->text), conn->v6 ? "[%s]:%u" : "%s:%u", address,
             conn->port[SIDE_SERVER]);
    return place->text;
}

const char *place_network(struct places *places, const struct conn *conn)
{
    struct place key = { .any = true, .v6 = conn->v6 };
    struct conn base;
    struct place *place;
    char address[CONN_ADDRESS];

    memcpy(key.address, conn->address[SIDE_CLIENT], conn->v6 ? 8 : 3);
    place = place_in(places->networks, &key);
    if (is_same(place, &key))
        return place->text;
    *place = key;
    base = (struct conn){ .v6 = conn->v6 };
    memcpy(base.address[SIDE_CLIENT], key.address, sizeof(key.address));
    conn_address(&base, SIDE_CLIENT, address);
    snprintf(place->text, sizeof(place->text), "%s/%d", address, conn->v6 ? 64 : 24);
    return place->text;
}

/* hba_nets.c - see hba_nets.h. */
#include "pg/hba_nets.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/mem.h"

/* ---- bits ---- */

static unsigned bit_at(const unsigned char addr[16], unsigned bit)
{
    return addr[bit / 8] >> (7 - bit % 8) & 1u;
}

/* How many bits, at most `max`, are the same from the left. */
static unsigned same_bits(const unsigned char a[16], const unsigned char b[16], unsigned max)
{
    unsigned bits = 0;

    while (bits < max && a[bits / 8] == b[bits / 8])
        bits += 8;
    if (bits >= max)
        return max;
    while (bits < max && bit_at(a, bits) == bit_at(b, bits))
        bits++;
    return bits;
}

static unsigned family_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

bool nets_contain(const struct reach_net *outer, const struct reach_net *inner)
{
    return outer->family == inner->family && outer->bits <= inner->bits
           && same_bits(outer->addr, inner->addr, outer->bits) == outer->bits;
}

bool nets_meet(const struct reach_net *a, const struct reach_net *b)
{
    return nets_contain(a, b) || nets_contain(b, a);
}

bool nets_equal(const struct reach_net *a, const struct reach_net *b)
{
    return a->bits == b->bits && nets_contain(a, b);
}

bool nets_join(struct reach_net *left, const struct reach_net *right)
{
    if (left->family != right->family || left->bits != right->bits || left->bits == 0
        || same_bits(left->addr, right->addr, left->bits) != left->bits - 1
        || bit_at(left->addr, left->bits - 1))
        return false;
    left->bits--;
    return true;
}

static const struct reach_net loopback_v4 = { AF_INET, { 127 }, 8 };
static const struct reach_net loopback_v6 = { AF_INET6, { [15] = 1 }, 128 };

bool nets_is_loopback(const struct reach_net *net)
{
    return nets_contain(&loopback_v4, net) || nets_contain(&loopback_v6, net);
}

bool nets_meet_loopback(const struct reach_net *net)
{
    return nets_meet(&loopback_v4, net) || nets_meet(&loopback_v6, net);
}

bool reach_nets_have(const struct reach_net *nets, size_t len, const struct sockaddr_storage *addr)
{
    struct reach_net one = { .family = addr->ss_family, .bits = family_bits(addr->ss_family) };

    if (addr->ss_family == AF_INET)
        memcpy(one.addr, &((const struct sockaddr_in *)addr)->sin_addr, 4);
    else if (addr->ss_family == AF_INET6)
        memcpy(one.addr, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
    for (size_t i = 0; i < len; i++)
        if (nets_contain(&nets[i], &one))
            return true;
    return false;
}

void reach_net_text(const struct reach_net *net, char out[REACH_NET_TEXT_MAX])
{
    char addr[INET6_ADDRSTRLEN] = "";

    inet_ntop(net->family, net->addr, addr, sizeof(addr));
    snprintf(out, REACH_NET_TEXT_MAX, "%s/%u", addr, net->bits);
}

/* ---- masks ---- */

static struct reach_net prefix(int family, const unsigned char addr[16], unsigned bits)
{
    struct reach_net net = { .family = family, .bits = bits };

    for (unsigned i = 0; i < bits; i++)
        net.addr[i / 8] |= (unsigned char)(addr[i / 8] & 0x80 >> i % 8);
    return net;
}

struct reach_net nets_around_mask(int family, const unsigned char addr[16],
                                  const unsigned char mask[16])
{
    unsigned bits = 0;

    while (bits < family_bits(family) && bit_at(mask, bits))
        bits++;
    return prefix(family, addr, bits);
}

size_t nets_of_mask(int family, const unsigned char addr[16], const unsigned char mask[16],
                    struct reach_net out[NETS_SPREAD_MAX])
{
    struct reach_net around = nets_around_mask(family, addr, mask);
    unsigned last = family_bits(family), holes[6];
    size_t holes_len = 0, count;

    while (last > around.bits && !bit_at(mask, last - 1))
        last--;
    for (unsigned i = around.bits; i < last; i++) {
        if (bit_at(mask, i))
            continue;
        if (holes_len == PS_COUNT(holes))
            return 0;
        holes[holes_len++] = i;
    }
    count = (size_t)1 << holes_len;
    for (size_t n = 0; n < count; n++) {
        out[n] = prefix(family, addr, last);
        for (size_t h = 0; h < holes_len; h++) {
            unsigned char mark = (unsigned char)(0x80 >> holes[h] % 8);

            out[n].addr[holes[h] / 8] &= (unsigned char)~mark;
            if (n >> h & 1)
                out[n].addr[holes[h] / 8] |= mark;
        }
    }
    return count;
}

/* ---- taking ---- */

static uint32_t new_node(struct nets_pool *pool, const unsigned char addr[16], unsigned bits)
{
    struct nets_node node = { .bits = (unsigned char)bits };

    if (pool->len == 0)
        PS_PUSH(pool->at, pool->len, pool->cap) = node;
    memcpy(node.addr, addr, 16);
    memset(node.by, 0xff, sizeof(node.by));
    memset(node.full, 0xff, sizeof(node.full));
    PS_PUSH(pool->at, pool->len, pool->cap) = node;
    return (uint32_t)pool->len - 1;
}

static void set_full(struct nets_pool *pool, uint32_t number)
{
    struct nets_node *node = &pool->at[number];
    const struct nets_node *left = &pool->at[node->child[0]], *right = &pool->at[node->child[1]];
    bool halves = node->child[0] && node->child[1] && left->bits == node->bits + 1
                  && right->bits == node->bits + 1;

    for (unsigned k = 0; k < NETS_KINDS; k++) {
        uint32_t both = halves ? (left->full[k] > right->full[k] ? left->full[k] : right->full[k])
                               : NETS_NEVER;

        node->full[k] = node->by[k] < both ? node->by[k] : both;
    }
}

/* The node for exactly this prefix, made if it is not there; the nodes above it go to `path`. */
static uint32_t place(struct nets_pool *pool, uint32_t *root, const struct reach_net *net,
                      uint32_t path[129], size_t *path_len)
{
    uint32_t at = *root, up = 0;
    unsigned common = 0, side = 0;

    for (; at; at = pool->at[at].child[side]) {
        unsigned bits = pool->at[at].bits;

        common = same_bits(pool->at[at].addr, net->addr, bits < net->bits ? bits : net->bits);
        if (common < bits || bits == net->bits)
            break;
        path[(*path_len)++] = up = at;
        side = bit_at(net->addr, bits);
    }
    if (at && common == net->bits && pool->at[at].bits == net->bits)
        return at;

    uint32_t found = new_node(pool, net->addr, net->bits), top = found;
    if (at && common == net->bits) {
        pool->at[found].child[bit_at(pool->at[at].addr, common)] = at;
    } else if (at) {            /* they part in the middle */
        top = new_node(pool, prefix(net->family, net->addr, common).addr, common);
        pool->at[top].child[bit_at(net->addr, common)] = found;
        pool->at[top].child[bit_at(pool->at[at].addr, common)] = at;
    }
    if (top != found)
        path[*path_len] = top;
    if (up)
        pool->at[up].child[side] = top;
    else
        *root = top;
    *path_len += top != found;
    return found;
}

void nets_take(struct nets_pool *pool, uint32_t *root, const struct reach_net *net, unsigned kinds,
               uint32_t rule)
{
    uint32_t path[129];
    size_t path_len = 0;
    uint32_t found = place(pool, root, net, path, &path_len);

    for (unsigned k = 0; k < NETS_KINDS; k++)
        if (kinds & REACH_BIT(k + 1) && rule < pool->at[found].by[k])
            pool->at[found].by[k] = rule;
    set_full(pool, found);
    while (path_len > 0)
        set_full(pool, path[--path_len]);
}

/* ---- asking ---- */

struct spot {                   /* where the walk stands in the trees that still have something there */
    uint32_t at[NETS_TREES_MAX];
    size_t len;
};

static bool says_hole(struct nets_ask *ask, const struct reach_net *net)
{
    return ask->hole && ask->hole(net, ask->arg);
}

/* A node of exactly this prefix that was taken as a whole; by all means, if nobody wants to know by whom. */
static bool taken_here(struct nets_ask *ask, const struct spot *spot, unsigned bits)
{
    unsigned k = (unsigned)ask->kind - 1;

    for (size_t i = 0; i < spot->len; i++) {
        const struct nets_node *node = &ask->pool->at[spot->at[i]];

        if (node->bits != bits)
            continue;
        if (node->by[k] < ask->before) {
            if (ask->taken)
                ask->taken(node->by[k], ask->arg);
            return true;
        }
        if (!ask->taken && node->full[k] < ask->before)
            return true;
    }
    return false;
}

static void step_down(const struct nets_ask *ask, const struct spot *from, unsigned bits,
                      unsigned side, struct spot *to)
{
    to->len = 0;
    for (size_t i = 0; i < from->len; i++) {
        const struct nets_node *node = &ask->pool->at[from->at[i]];
        uint32_t next = node->bits == bits ? node->child[side]
                        : bit_at(node->addr, bits) == side ? from->at[i] : 0;

        if (next)
            to->at[to->len++] = next;
    }
}

enum walk { WALK_COVERED, WALK_HOLES, WALK_END };

static enum walk walk(struct nets_ask *ask, const struct spot *spot, const struct reach_net *net)
{
    struct reach_net half = *net;
    enum walk found = WALK_COVERED;

    *ask->work += spot->len + 1;
    if (*ask->work > ask->work_max) {
        ask->cut = true;
        return WALK_END;
    }
    if (taken_here(ask, spot, net->bits))
        return WALK_COVERED;
    if (spot->len == 0 || net->bits == family_bits(net->family))
        return says_hole(ask, net) ? WALK_HOLES : WALK_END;

    half.bits++;
    for (unsigned side = 0; side < 2; side++) {
        struct spot next;

        if (side)
            half.addr[net->bits / 8] |= (unsigned char)(0x80 >> net->bits % 8);
        step_down(ask, spot, net->bits, side, &next);

        enum walk below = walk(ask, &next, &half);
        if (below == WALK_END)
            return WALK_END;
        if (below == WALK_HOLES)
            found = WALK_HOLES;
    }
    return found;
}

/* From the root down to the prefix: true when something above has it whole. */
static bool descend(struct nets_ask *ask, uint32_t root, const struct reach_net *net,
                    struct spot *spot)
{
    unsigned k = (unsigned)ask->kind - 1;
    uint32_t at = root;

    while (at) {
        const struct nets_node *node = &ask->pool->at[at];
        unsigned least = node->bits < net->bits ? node->bits : net->bits;

        ++*ask->work;
        if (same_bits(node->addr, net->addr, least) < least)
            return false;
        if (node->bits >= net->bits) {
            spot->at[spot->len++] = at;
            return false;
        }
        if (node->by[k] < ask->before) {
            if (ask->taken)
                ask->taken(node->by[k], ask->arg);
            return true;
        }
        at = node->child[bit_at(net->addr, node->bits)];
    }
    return false;
}

bool nets_covered(struct nets_ask *ask, const uint32_t *roots, size_t len,
                  const struct reach_net *net)
{
    struct spot spot = { .len = 0 };

    for (size_t i = 0; i < len; i++)
        if (descend(ask, roots[i], net, &spot))
            return true;
    return walk(ask, &spot, net) == WALK_COVERED;
}

/*
 * hba_nets.h - sets of addresses that rules take one after the other; for hba_reach.c and hba_diff.c.
 *
 * A binary tree of prefixes with the runs of single children left out.  Each prefix knows which rule took it
 * first, and from which rule on its two halves together were taken; so the set can be asked for what it
 * was at any rule ("before").  Three kinds of connection are kept side by side.
 */
#ifndef PS_HBA_NETS_H
#define PS_HBA_NETS_H

#include "pg/hba_reach.h"

#define NETS_KINDS 3            /* plain, TLS, GSS: reach_kind less one */
#define NETS_NEVER UINT32_MAX   /* no rule */

struct nets_node {
    unsigned char addr[16];
    uint32_t child[2];          /* 0: none */
    uint32_t by[NETS_KINDS];    /* the first rule that took the whole prefix */
    uint32_t full[NETS_KINDS];  /* the rule with which it was taken wholly, by one or by several */
    unsigned char bits;
};

struct nets_pool {              /* holds the nodes of all trees; node 0 is none */
    struct nets_node *at;
    size_t len, cap;
};

/* The lowest number that took a prefix counts.  `kinds` has REACH_BIT of the network kinds. */
void nets_take(struct nets_pool *pool, uint32_t *root, const struct reach_net *net, unsigned kinds,
               uint32_t rule);

/* Several trees of one family asked together. */
struct nets_ask {
    const struct nets_pool *pool;
    enum reach_kind kind;
    uint32_t before;            /* rules from this one on do not count */
    uint64_t *work, work_max;   /* steps so far; at work_max it stops and says `cut` */
    /* Called for each part that nobody took; false ends the walk.  NULL: the first one ends it. */
    bool (*hole)(const struct reach_net *net, void *arg);
    /* Called for each part that somebody took, with who did; may be NULL. */
    void (*taken)(uint32_t rule, void *arg);
    void *arg;
    bool cut;
};
#define NETS_TREES_MAX 64       /* asked together */

/* True when the trees leave nothing of `net`.  False and ask->cut: it was not looked at to the end. */
bool nets_covered(struct nets_ask *ask, const uint32_t *roots, size_t len,
                  const struct reach_net *net);

/* ---- prefixes ---- */

bool nets_contain(const struct reach_net *outer, const struct reach_net *inner);
bool nets_meet(const struct reach_net *a, const struct reach_net *b);
bool nets_equal(const struct reach_net *a, const struct reach_net *b);
bool nets_join(struct reach_net *left, const struct reach_net *right);  /* true: *left is both halves */
bool nets_is_loopback(const struct reach_net *net);     /* wholly within 127.0.0.0/8 or ::1 */
bool nets_meet_loopback(const struct reach_net *net);   /* partly */

/*
 * The prefixes that an address and mask stand for: one, or, when the mask has holes, up to NETS_SPREAD_MAX;
 * 0 when they were more.
 */
#define NETS_SPREAD_MAX 64
size_t nets_of_mask(int family, const unsigned char addr[16], const unsigned char mask[16],
                    struct reach_net out[NETS_SPREAD_MAX]);
/* The smallest one prefix that contains all of them. */
struct reach_net nets_around_mask(int family, const unsigned char addr[16],
                                  const unsigned char mask[16]);

#endif

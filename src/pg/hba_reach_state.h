/*
 * hba_reach_state.h - what is inside of struct reach; for hba_reach.c, hba_region.c and hba_weaker.c.
 */
#ifndef PS_HBA_REACH_STATE_H
#define PS_HBA_REACH_STATE_H

#include "pg/hba_pairs.h"
#include "pg/hba_sets.h"

/*
 * What the rules that have one pair of words took: a tree for each family, and the first local rule.
 * Words for addresses are kept beside it.
 */
struct cell {
    uint32_t roots[2];          /* IPv4, IPv6 */
    uint32_t local;             /* NETS_NEVER: none */
};

struct cell_atom {              /* a host name or samenet in a cell */
    uint32_t by[NETS_KINDS];
};

struct reach {
    struct sets *sets;
    struct nets_pool pool;
    struct cell *cells;
    size_t cells_len, cells_cap;
    struct pairs by_words;      /* (database, role) to a cell */
    struct cell_atom *atoms;
    size_t atoms_len, atoms_cap;
    struct pairs by_atom;       /* (cell, atom) to a cell_atom */
    struct reach_rule *rules;
    uint64_t work;              /* steps so far; REACH_WORK_MAX ends it */
    bool cut;                   /* not all that rules take could be noted */
};

/*
 * Do the rules before ask->before surely take the point, for ask->kind, at all addresses of the rule?  With
 * ask->hole, every part of these that is free is told.
 */
bool reach_point_covered(const struct reach *reach, const struct point *point,
                         const struct set_rule *rule, struct nets_ask *ask);

#endif

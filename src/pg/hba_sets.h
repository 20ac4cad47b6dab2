/*
 * hba_sets.h - rules as sets: numbers for their words, prefixes for their addresses; and the points by
 * which a set is tested.  For hba_reach.c, hba_region.c, hba_weaker.c and hba_diff.c alone.
 *
 * One database word with one role word is a pair.  For each pair there is a hardest point: a connection
 * that is in the pair and in as few other words as can be (a role that nobody named, a member of one
 * group only).  Rules that take the hardest point at an address take the whole pair there, so that
 * testing it is enough.
 */
#ifndef PS_HBA_SETS_H
#define PS_HBA_SETS_H

#include "pg/hba_keys.h"
#include "pg/hba_nets.h"

#define ATOM_NONE UINT32_MAX

struct set_rule {
    struct key_list databases, roles;   /* ascending, each once; only what can exist and is not in
                                           "all" anyway */
    unsigned kinds;             /* REACH_BIT: those that this server can have */
    const struct reach_net *needs;      /* everything it might match */
    size_t needs_len;
    const struct reach_net *takes;      /* what it surely matches */
    size_t takes_len;
    uint32_t atom;              /* host name, samehost, mask with holes: a word that stands for itself */
    bool by_name, same_net;
};

struct sets {
    const struct hba *hba;
    struct reach_world world;
    struct arena *arena;
    struct keys *databases, *roles;
    struct keys *atoms;         /* host names and the like, as texts */
    struct key_list *above_atoms;
    struct set_rule *rules;
    size_t len;
    bool guest;                 /* the keys are another's */
};

struct sets *sets_new(const struct hba *hba, const struct reach_world *world);
/* With the keys of `beside`, which must outlive it, so that the two can be compared. */
struct sets *sets_new_beside(const struct hba *hba, const struct sets *beside);
void sets_free(struct sets *sets);
PS_DEFINE_FREEP(struct sets, sets_free)

/* The atoms that surely contain this one, itself first: ".example.com" for "db.example.com". */
struct key_list sets_atoms_above(struct sets *sets, uint32_t atom);

#define POINT_KEYS_MAX 64
struct point {                  /* the words that surely contain the hardest point of a pair */
    uint32_t databases[POINT_KEYS_MAX], roles[POINT_KEYS_MAX];
    size_t databases_len, roles_len;
    bool cut;                   /* there are more words than that */
};
void sets_point(struct sets *sets, uint32_t database, uint32_t role, struct point *out,
                uint64_t *work);
/* Does the rule surely take the point, whatever the address? */
bool sets_rule_has(const struct set_rule *rule, const struct point *point);
bool key_list_has(struct key_list list, uint32_t key);

/* Do two rules have connections in common, of these kinds? */
enum hba_match sets_meet(struct sets *sets, size_t a, size_t b, unsigned kinds);

/* Only their databases and roles. */
enum hba_match sets_words_meet(struct sets *sets, size_t a, size_t b);

/* Do both ask for the same, with the same options? */
bool hba_same_effect(const struct hba_rule *a, const struct hba_rule *b);

#endif

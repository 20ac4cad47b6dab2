/* hba_sets.c - see hba_sets.h. */
#include "pg/hba_sets.h"

#include <ctype.h>
#include <sys/socket.h>

#include "pg/hba_match.h"
#include "pg/hba_words.h"

#define HOST_NAME_MAX_BYTES 255     /* RFC 1035 2.3.4; longer ones match only themselves here */
#define OPTIONS_COMPARED_MAX 64

/* ---- addresses ---- */

static const struct reach_net everywhere[] = { { .family = AF_INET }, { .family = AF_INET6 } };
static const struct reach_net own_hosts[] = {       /* every server has the loopback interface */
    { AF_INET, { 127, 0, 0, 1 }, 32 }, { AF_INET6, { [15] = 1 }, 128 },
};
static const struct reach_net own_nets[] = {
    { AF_INET, { 127 }, 8 }, { AF_INET6, { [15] = 1 }, 128 },
};

static void set_nets(struct set_rule *rule, const struct reach_net *needs, size_t needs_len,
                     const struct reach_net *takes, size_t takes_len)
{
    rule->needs = needs;
    rule->needs_len = needs_len;
    rule->takes = takes;
    rule->takes_len = takes_len;
}

static void set_mask(struct sets *sets, const struct hba_addr *addr, struct set_rule *rule)
{
    struct reach_net spread[NETS_SPREAD_MAX];
    size_t len = nets_of_mask(addr->family, addr->net, addr->mask, spread);
    struct reach_net *kept = arena_alloc(sets->arena, (len ? len : 1) * sizeof(*kept));

    memcpy(kept, spread, len * sizeof(*kept));
    if (len == 0)
        *kept = nets_around_mask(addr->family, addr->net, addr->mask);
    set_nets(rule, kept, len ? len : 1, kept, len);
}

/* Case does not count in host names: pg_strcasecmp() of hostname_match(). */
static void set_host(struct sets *sets, const char *name, struct set_rule *rule)
{
    char *small = arena_strdup(sets->arena, name);

    for (char *p = small; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    set_nets(rule, everywhere, PS_COUNT(everywhere), NULL, 0);
    rule->by_name = true;
    rule->atom = keys_add_text(sets->atoms, small);
}

static void set_own(struct sets *sets, bool net, struct set_rule *rule)
{
    const struct reach_world *world = &sets->world;

    if (!world->nets_known) {
        set_nets(rule, everywhere, PS_COUNT(everywhere), net ? own_nets : own_hosts,
                 net ? PS_COUNT(own_nets) : PS_COUNT(own_hosts));
        rule->same_net = true;
        rule->atom = keys_add_text(sets->atoms, net ? "\001samenet" : "\001samehost");
        return;
    }

    struct reach_net *kept = arena_alloc(sets->arena, (world->nets_len + 1) * sizeof(*kept));
    for (size_t i = 0; i < world->nets_len; i++) {
        unsigned char mask[16] = { 0 };
        unsigned bits = net ? world->nets[i].bits : world->nets[i].family == AF_INET ? 32 : 128;

        for (unsigned b = 0; b < bits; b++)
            mask[b / 8] |= (unsigned char)(0x80 >> b % 8);
        kept[i] = nets_around_mask(world->nets[i].family, world->nets[i].addr, mask);
        kept[i].bits = bits;
    }
    set_nets(rule, kept, world->nets_len, kept, world->nets_len);
}

static void set_address(struct sets *sets, const struct hba_addr *addr, struct set_rule *rule)
{
    rule->atom = ATOM_NONE;
    switch (addr->kind) {
    case HBA_ADDR_NONE:
        break;
    case HBA_ADDR_ALL:
        set_nets(rule, everywhere, PS_COUNT(everywhere), everywhere, PS_COUNT(everywhere));
        break;
    case HBA_ADDR_NET:
        set_mask(sets, addr, rule);
        break;
    case HBA_ADDR_NAME:
        if (!hba_addr_is_nobody(addr))
            set_host(sets, addr->name, rule);
        break;
    case HBA_ADDR_SAMEHOST:
    case HBA_ADDR_SAMENET:
        set_own(sets, addr->kind == HBA_ADDR_SAMENET, rule);
        break;
    }
}

static struct key_list find_atoms_above(struct sets *sets, uint32_t atom)
{
    struct keys *keys = sets->atoms;
    const char *text = keys_text(keys, atom);
    size_t most = 2, len = 0;
    bool is_host = text[0] && strlen(text) <= HOST_NAME_MAX_BYTES;

    for (const char *p = text; *p; p++)
        most += *p == '.';

    uint32_t *found = arena_alloc(sets->arena, most * sizeof(*found));
    found[len++] = atom;
    if (strcmp(text, "\001samehost") == 0) {
        uint32_t net = keys_twin(keys, KEY_IS_NAME, "\001samenet");

        if (net != KEY_NONE)
            found[len++] = net;
    }
    for (const char *dot = is_host ? strchr(text + 1, '.') : NULL; dot; dot = strchr(dot + 1, '.')) {
        uint32_t suffix = keys_twin(keys, KEY_IS_NAME, dot);

        if (suffix != KEY_NONE)
            found[len++] = suffix;
    }
    return (struct key_list){ found, len };
}

struct key_list sets_atoms_above(struct sets *sets, uint32_t atom)
{
    if (!sets->above_atoms)
        sets->above_atoms = arena_alloc(sets->arena,
                                        keys_count(sets->atoms) * sizeof(*sets->above_atoms));
    if (sets->above_atoms[atom].len == 0)
        sets->above_atoms[atom] = find_atoms_above(sets, atom);
    return sets->above_atoms[atom];
}

/* ---- words ---- */

static int compare_keys(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static struct key_list set_field(struct sets *sets, struct keys *keys,
                                 const struct hba_field *field)
{
    uint32_t *list = arena_alloc(sets->arena, field->len * sizeof(*list));
    size_t len = 0, kept = 0;

    for (size_t i = 0; i < field->len; i++) {
        uint32_t key = keys_add(keys, &field->at[i]);

        if (keys_kind(keys, key) != KEY_IS_NOBODY)
            list[len++] = key;
    }
    if (len > 1)
        qsort(list, len, sizeof(*list), compare_keys);
    bool all = len > 0 && list[0] == KEY_ALL;       /* then only replication says more */
    for (size_t i = 0; i < len; i++) {
        bool says_more = !all || i == 0 || keys_kind(keys, list[i]) == KEY_IS_REPLICATION;

        if (says_more && (kept == 0 || list[i] != list[kept - 1]))
            list[kept++] = list[i];
    }
    return (struct key_list){ list, kept };
}

static bool list_has_kind(const struct keys *keys, struct key_list list, enum key_kind kind)
{
    for (size_t i = 0; i < list.len; i++)
        if (keys_kind(keys, list.at[i]) == kind)
            return true;
    return false;
}

/* The point of sameuser with ana is the database ana: it must have a key before anybody asks. */
static void add_own_databases(struct sets *sets, const struct set_rule *rule)
{
    if (!list_has_kind(sets->databases, rule->databases, KEY_IS_SAMEUSER))
        return;
    for (size_t i = 0; i < rule->roles.len; i++)
        if (keys_kind(sets->roles, rule->roles.at[i]) == KEY_IS_NAME)
            (void)keys_add_name(sets->databases, keys_text(sets->roles, rule->roles.at[i]));
}

static unsigned set_kinds(const struct reach_world *world, enum hba_type type)
{
    static const unsigned kinds[] = {
        [HBA_LOCAL] = REACH_BIT(REACH_LOCAL),
        [HBA_HOST] = REACH_BIT(REACH_PLAIN) | REACH_BIT(REACH_TLS) | REACH_BIT(REACH_GSS),
        [HBA_HOSTSSL] = REACH_BIT(REACH_TLS),
        [HBA_HOSTNOSSL] = REACH_BIT(REACH_PLAIN) | REACH_BIT(REACH_GSS),
        [HBA_HOSTGSSENC] = REACH_BIT(REACH_GSS),
        [HBA_HOSTNOGSSENC] = REACH_BIT(REACH_PLAIN) | REACH_BIT(REACH_TLS),
    };
    unsigned missing = (world->no_tls == HBA_YES ? REACH_BIT(REACH_TLS) : 0)
                       | (world->no_gss == HBA_YES ? REACH_BIT(REACH_GSS) : 0);

    return kinds[type] & ~missing;
}

/* ---- making ---- */

static void fill(struct sets *sets, const struct hba *hba)
{
    sets->hba = hba;
    sets->arena = arena_new();
    sets->len = hba_rules(hba);
    sets->rules = ps_calloc(sets->len, sizeof(*sets->rules));
    for (size_t i = 0; i < sets->len; i++) {
        const struct hba_rule *from = hba_rule(hba, i);
        struct set_rule *rule = &sets->rules[i];

        rule->kinds = set_kinds(&sets->world, from->type);
        rule->databases = set_field(sets, sets->databases, &from->databases);
        rule->roles = set_field(sets, sets->roles, &from->users);
        set_address(sets, &from->addr, rule);
    }
    for (size_t i = 0; i < sets->len; i++)
        add_own_databases(sets, &sets->rules[i]);
}

struct sets *sets_new(const struct hba *hba, const struct reach_world *world)
{
    struct sets *sets = ps_calloc(1, sizeof(*sets));

    sets->world = world ? *world : (struct reach_world){ 0 };
    sets->databases = keys_new(true);
    sets->roles = keys_new(false);
    sets->atoms = keys_new(true);
    fill(sets, hba);
    return sets;
}

struct sets *sets_new_beside(const struct hba *hba, const struct sets *beside)
{
    struct sets *sets = ps_calloc(1, sizeof(*sets));

    sets->world = beside->world;
    sets->databases = beside->databases;
    sets->roles = beside->roles;
    sets->atoms = beside->atoms;
    sets->guest = true;
    fill(sets, hba);
    return sets;
}

void sets_free(struct sets *sets)
{
    if (!sets->guest) {
        keys_free(sets->databases);
        keys_free(sets->roles);
        keys_free(sets->atoms);
    }
    free(sets->rules);
    arena_free(sets->arena);
    free(sets);
}

/* ---- points ---- */

static void put_database(struct point *point, uint32_t key)
{
    if (key == KEY_NONE)
        return;
    if (point->databases_len == POINT_KEYS_MAX)
        point->cut = true;
    else
        point->databases[point->databases_len++] = key;
}

static void put_kind(const struct sets *sets, struct point *point, enum key_kind kind)
{
    put_database(point, keys_twin(sets->databases, kind, ""));
}

static void put_databases(struct point *point, struct key_list list)
{
    for (size_t i = 0; i < list.len; i++)
        put_database(point, list.at[i]);
}

/* The database has the name of the role: a name if the role is one. */
static void put_sameuser(struct sets *sets, uint32_t role, struct point *point, uint64_t *work)
{
    enum key_kind kind = keys_kind(sets->roles, role);
    uint32_t twin = kind == KEY_IS_NAME || kind == KEY_IS_REGEX
                        ? keys_twin(sets->databases, kind, keys_text(sets->roles, role)) : KEY_NONE;

    if (twin == KEY_NONE)
        put_database(point, KEY_ALL);
    else
        put_databases(point, keys_above(sets->databases, twin, work));
    put_kind(sets, point, KEY_IS_SAMEUSER);
    put_kind(sets, point, KEY_IS_SAMEROLE);
}

static void put_name(struct sets *sets, uint32_t database, uint32_t role, struct point *point,
                     uint64_t *work)
{
    bool same = strcmp(keys_text(sets->databases, database), keys_text(sets->roles, role)) == 0;
    enum key_kind kind = keys_kind(sets->roles, role);

    put_databases(point, keys_above(sets->databases, database, work));
    if (same && kind == KEY_IS_NAME)
        put_kind(sets, point, KEY_IS_SAMEUSER);
    if (same && (kind == KEY_IS_NAME || kind == KEY_IS_GROUP))
        put_kind(sets, point, KEY_IS_SAMEROLE);
}

void sets_point(struct sets *sets, uint32_t database, uint32_t role, struct point *out,
                uint64_t *work)
{
    struct key_list roles = keys_above(sets->roles, role, work);

    out->databases_len = out->roles_len = 0;
    out->cut = roles.len > POINT_KEYS_MAX;
    while (out->roles_len < roles.len && out->roles_len < POINT_KEYS_MAX) {
        out->roles[out->roles_len] = roles.at[out->roles_len];
        out->roles_len++;
    }
    switch (keys_kind(sets->databases, database)) {
    case KEY_IS_SAMEUSER:
        put_sameuser(sets, role, out, work);
        break;
    case KEY_IS_NAME:
        put_name(sets, database, role, out, work);
        break;
    default:
        put_databases(out, keys_above(sets->databases, database, work));
    }
    *work += out->databases_len + out->roles_len;
}

bool key_list_has(struct key_list list, uint32_t key)
{
    return bsearch(&key, list.at, list.len, sizeof(key), compare_keys) != NULL;
}

static bool any_in(struct key_list list, const uint32_t *keys, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (key_list_has(list, keys[i]))
            return true;
    return false;
}

bool sets_rule_has(const struct set_rule *rule, const struct point *point)
{
    return any_in(rule->databases, point->databases, point->databases_len)
           && any_in(rule->roles, point->roles, point->roles_len);
}

/* ---- two rules ---- */

#define MEET_PAIRS_MAX 4096     /* longer lists than that: perhaps */

static enum hba_match lists_meet(struct keys *keys, struct key_list a, struct key_list b)
{
    enum hba_match best = HBA_NO;

    for (size_t i = 0; i < a.len && b.len > 8; i++)
        if (key_list_has(b, a.at[i]))
            return HBA_YES;
    if (a.len * b.len > MEET_PAIRS_MAX)
        return HBA_MAYBE;
    for (size_t i = 0; i < a.len; i++)
        for (size_t j = 0; j < b.len; j++) {
            enum hba_match match = keys_meet(keys, a.at[i], b.at[j]);

            if (match == HBA_YES)
                return HBA_YES;
            if (match == HBA_MAYBE)
                best = HBA_MAYBE;
        }
    return best;
}

/* A rule whose address is a word (host name, samenet) surely meets only what takes everything there. */
static enum hba_match nets_of_rules_meet(const struct set_rule *a, const struct reach_net *in_a,
                                         const struct set_rule *b, const struct reach_net *in_b)
{
    bool a_sure = a->takes_len > 0 && a->atom == ATOM_NONE;
    bool b_sure = b->takes_len > 0 && b->atom == ATOM_NONE;

    if (!nets_meet(in_a, in_b))
        return HBA_NO;
    if ((a_sure && b_sure) || (a_sure && in_a->bits == 0) || (b_sure && in_b->bits == 0))
        return HBA_YES;
    return HBA_MAYBE;
}

static enum hba_match addresses_meet(const struct set_rule *a, const struct set_rule *b)
{
    enum hba_match best = HBA_NO;

    if (a->atom != ATOM_NONE && a->atom == b->atom)
        return HBA_YES;
    for (size_t i = 0; i < a->needs_len; i++)
        for (size_t j = 0; j < b->needs_len; j++) {
            enum hba_match match = nets_of_rules_meet(a, &a->needs[i], b, &b->needs[j]);

            if (match == HBA_YES)
                return HBA_YES;
            if (match == HBA_MAYBE)
                best = HBA_MAYBE;
        }
    return best;
}

static enum hba_match both(enum hba_match a, enum hba_match b)
{
    if (a == HBA_NO || b == HBA_NO)
        return HBA_NO;
    return a == HBA_YES && b == HBA_YES ? HBA_YES : HBA_MAYBE;
}

enum hba_match sets_words_meet(struct sets *sets, size_t a, size_t b)
{
    const struct set_rule *one = &sets->rules[a], *other = &sets->rules[b];
    enum hba_match role = lists_meet(sets->roles, one->roles, other->roles);

    if (role == HBA_NO)
        return HBA_NO;
    return both(role, lists_meet(sets->databases, one->databases, other->databases));
}

enum hba_match sets_meet(struct sets *sets, size_t a, size_t b, unsigned kinds)
{
    const struct set_rule *one = &sets->rules[a], *other = &sets->rules[b];
    unsigned common = one->kinds & other->kinds & kinds;
    enum hba_match where;

    if (common == 0)
        return HBA_NO;
    where = common & REACH_BIT(REACH_LOCAL) ? HBA_YES : addresses_meet(one, other);
    return where == HBA_NO ? HBA_NO : both(where, sets_words_meet(sets, a, b));
}

/* ---- what a rule does ---- */

static bool has_options_of(const struct hba_rule *a, const struct hba_rule *b)
{
    for (size_t i = 0; i < a->options_len; i++) {
        const char *mine = hba_option(a, a->options[i].name);
        const char *other = hba_option(b, a->options[i].name);

        if (!other || strcmp(mine, other) != 0)
            return false;
    }
    return true;
}

bool hba_same_effect(const struct hba_rule *a, const struct hba_rule *b)
{
    return strcmp(a->method, b->method) == 0
           && (strcmp(a->method, "reject") == 0
               || (a->options_len <= OPTIONS_COMPARED_MAX && b->options_len <= OPTIONS_COMPARED_MAX
                   && has_options_of(a, b) && has_options_of(b, a)));
}

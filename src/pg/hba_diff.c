/* hba_diff.c - two files as access; see hba_diff.h. */
#include "pg/hba_diff.h"

#include <sys/socket.h>

#include "pg/hba_cases.h"
#include "pg/hba_diff_rows.h"
#include "pg/hba_pairs.h"

static const struct { const char *word, *text; } changes[] = {
    [DIFF_GAINS] = { "gains", N_("gets in") },
    [DIFF_LOSES] = { "loses", N_("is kept out") },
    [DIFF_TO_PLAIN] = { "to_plain", N_("no longer needs TLS") },
    [DIFF_TO_TLS] = { "to_tls", N_("needs TLS") },
    [DIFF_WEAKER] = { "weaker", N_("is asked for less") },
    [DIFF_STRONGER] = { "stronger", N_("is asked for more") },
    [DIFF_OTHER] = { "other", N_("is asked for something else") },
};

const char *diff_change_word(enum diff_change change)
{
    return changes[change].word;
}

const char *diff_change_text(enum diff_change change)
{
    return _(changes[change].text);
}

/* ---- the comparison ---- */

struct rule_list {
    uint32_t *at;
    size_t len, cap;
};

struct comparing {
    struct sets *sets[2];               /* before, after */
    struct arena *arena;
    struct diff *out;
    struct diff_rows rows;
    uint64_t work;
    struct rule_list rules[2];          /* those that concern the pair of names at hand */
    struct conditions conditions[2][REACH_KINDS];
    struct nets_pool pool;
    struct reach_net *nets;             /* every prefix of both files, small ones last */
    size_t nets_len, nets_cap;
    struct reach_net *counted;          /* those of the pair at hand */
    size_t counted_len, counted_cap;
    struct pairs done;                  /* pairs of names that were compared */
};

static void comparing_free(struct comparing *comparing)
{
    for (unsigned f = 0; f < 2; f++) {
        if (comparing->sets[1 - f])
            sets_free(comparing->sets[1 - f]);      /* the guest first */
        free(comparing->rules[f].at);
        for (unsigned k = 0; k < REACH_KINDS; k++)
            free(comparing->conditions[f][k].at);
    }
    free(comparing->pool.at);
    free(comparing->nets);
    free(comparing->counted);
    free(comparing->done.slots);
    diff_rows_free(&comparing->rows);
}

static bool out_of_work(struct comparing *comparing, uint64_t steps)
{
    comparing->work += steps;
    if (comparing->work > DIFF_WORK_MAX)
        comparing->out->sure = false;
    return comparing->work > DIFF_WORK_MAX;
}

static bool refuses(const struct hba_rule *rule)
{
    return !rule || strcmp(rule->method, "reject") == 0;
}

static bool same_decision(const struct hba_rule *before, const struct hba_rule *after)
{
    if (refuses(before) || refuses(after))
        return refuses(before) && refuses(after);
    return hba_same_effect(before, after);
}

/* ---- rows ---- */

struct decided {                        /* by both files, for each kind */
    const struct hba_rule *rule[2][REACH_KINDS];
};

static enum diff_change change_of(const struct comparing *comparing, const struct decided *decided,
                                  unsigned kind)
{
    const struct hba_rule *before = decided->rule[0][kind], *after = decided->rule[1][kind];
    bool is_plain = kind == REACH_PLAIN;
    enum hba_proof was, is;

    if (refuses(before))
        return is_plain && !refuses(decided->rule[0][REACH_TLS]) ? DIFF_TO_PLAIN : DIFF_GAINS;
    if (refuses(after))
        return is_plain && !refuses(decided->rule[1][REACH_TLS]) ? DIFF_TO_TLS : DIFF_LOSES;
    was = hba_proof(comparing->sets[0]->hba, before);
    is = hba_proof(comparing->sets[1]->hba, after);
    return is < was ? DIFF_WEAKER : is > was ? DIFF_STRONGER : DIFF_OTHER;
}

static const char *net_text(struct comparing *comparing, const struct reach_net *net)
{
    char text[REACH_NET_TEXT_MAX];

    if (!net)
        return "";
    reach_net_text(net, text);
    return arena_strdup(comparing->arena, text);
}

/* Says whether there was a difference. */
static bool report(struct comparing *comparing, const struct hba_case *which,
                   const struct unknowns *unknowns, unsigned truth, const struct decided *decided)
{
    bool any = false;

    for (unsigned kind = 0; kind < REACH_KINDS; kind++) {
        const struct hba_rule *before = decided->rule[0][kind], *after = decided->rule[1][kind];

        if (same_decision(before, after))
            continue;
        any = true;
        diff_rows_add(&comparing->rows, which, &(struct diff_row){
            .change = change_of(comparing, decided, kind), .kind = (enum reach_kind)kind,
            .before = before, .after = after, .nets = net_text(comparing, which->net),
            .given = case_given(comparing->sets[0], unknowns, truth, comparing->arena) });
    }
    return any;
}

/* ---- one case ---- */

static bool same_list(struct key_list a, struct key_list b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len * sizeof(*a.at)) == 0;
}

/* Masks with more holes than are looked at are the same only byte by byte. */
static bool same_mask(const struct hba_rule *a, const struct hba_rule *b)
{
    return a->addr.family == b->addr.family && memcmp(a->addr.net, b->addr.net, 16) == 0
           && memcmp(a->addr.mask, b->addr.mask, 16) == 0;
}

static bool same_rule(const struct comparing *comparing, uint32_t before, uint32_t after)
{
    const struct set_rule *a = &comparing->sets[0]->rules[before];
    const struct set_rule *b = &comparing->sets[1]->rules[after];
    const struct hba_rule *one = hba_rule(comparing->sets[0]->hba, before);
    const struct hba_rule *other = hba_rule(comparing->sets[1]->hba, after);
    bool by_prefixes = a->takes_len > 0 || a->needs_len == 0 || a->atom != ATOM_NONE;

    if (a->kinds != b->kinds || a->atom != b->atom || a->needs_len != b->needs_len
        || a->takes_len != b->takes_len || !same_list(a->databases, b->databases)
        || !same_list(a->roles, b->roles))
        return false;
    for (size_t i = 0; i < a->needs_len; i++)
        if (a->needs[i].family != b->needs[i].family || !nets_equal(&a->needs[i], &b->needs[i]))
            return false;
    return (by_prefixes || same_mask(one, other)) && same_decision(one, other);
}

/* How many rules at the beginning are the same; all of it is, when one of these surely decides. */
static bool skip_common(struct comparing *comparing, const struct hba_case *which,
                        enum reach_kind kind, size_t *skipped)
{
    const struct rule_list *before = &comparing->rules[0], *after = &comparing->rules[1];

    *skipped = 0;
    while (*skipped < before->len && *skipped < after->len
           && same_rule(comparing, before->at[*skipped], after->at[*skipped])) {
        comparing->work += 8;
        if (case_always(comparing->sets[0], before->at[*skipped], which, kind))
            return true;
        ++*skipped;
    }
    return *skipped == before->len && *skipped == after->len;
}

static bool kind_fits(const struct hba_case *which, unsigned kind)
{
    return (kind == REACH_LOCAL) == (which->net == NULL);
}

static void decide(struct comparing *comparing, const struct hba_case *which, unsigned truth,
                   struct decided *out)
{
    *out = (struct decided){ 0 };
    for (unsigned kind = 0; kind < REACH_KINDS; kind++)
        for (unsigned f = 0; f < 2 && kind_fits(which, kind); f++)
            out->rule[f][kind] = case_decides(comparing->sets[f],
                                              &comparing->conditions[f][kind], truth);
}

/*
 * All combinations of what is not known, the fewest truths first: what differs anyway is not told again for
 * each unknown.  Too many: none of them, and each alone.
 */
static void try_truths(struct comparing *comparing, const struct hba_case *which,
                       const struct unknowns *unknowns)
{
    struct decided plain, decided;
    unsigned end = 1u << unknowns->len;
    bool told;

    decide(comparing, which, 0, &plain);
    told = report(comparing, which, unknowns, 0, &plain);
    for (unsigned truth = 1; truth < end; truth++) {
        if (unknowns->too_many && truth & (truth - 1))
            continue;
        if (told && truth & (truth - 1))
            continue;           /* one difference, and those of each unknown alone, are enough */
        decide(comparing, which, truth, &decided);
        comparing->work += 16;
        if (memcmp(&decided, &plain, sizeof(plain)) != 0)
            told |= report(comparing, which, unknowns, truth, &decided);
    }
    if (unknowns->too_many)
        comparing->out->sure = false;
}

static void compare_case(struct comparing *comparing, const struct hba_case *which)
{
    struct unknowns unknowns = { .len = 0 };
    bool all_same = true;

    for (unsigned kind = 0; kind < REACH_KINDS; kind++) {
        size_t skipped;

        for (unsigned f = 0; f < 2; f++)
            comparing->conditions[f][kind].len = 0;
        if (!kind_fits(which, kind)
            || skip_common(comparing, which, (enum reach_kind)kind, &skipped))
            continue;
        all_same = false;
    }
    for (unsigned kind = 0; kind < REACH_KINDS && !all_same; kind++)
        for (unsigned f = 0; f < 2 && kind_fits(which, kind); f++)
            case_conditions(comparing->sets[f], comparing->rules[f].at, comparing->rules[f].len,
                            which, (enum reach_kind)kind, &unknowns,
                            &comparing->conditions[f][kind]);
    if (!all_same)
        try_truths(comparing, which, &unknowns);
}

/* ---- one pair of names ---- */

static void find_rules(struct comparing *comparing, const struct hba_case *which)
{
    for (unsigned f = 0; f < 2; f++) {
        struct rule_list *list = &comparing->rules[f];
        const struct sets *sets = comparing->sets[f];

        list->len = 0;
        comparing->work += sets->len;
        for (uint32_t i = 0; i < sets->len; i++)
            if (case_concerns(sets, i, which))
                PS_PUSH(list->at, list->len, list->cap) = i;
    }
}

/* Prefixes that no rule of this pair has are in the same case as the next larger one. */
static bool net_counts(const struct comparing *comparing, const struct reach_net *net)
{
    if (net->bits == 0)
        return true;
    for (unsigned f = 0; f < 2; f++)
        for (size_t i = 0; i < comparing->rules[f].len; i++) {
            const struct set_rule *rule = &comparing->sets[f]->rules[comparing->rules[f].at[i]];

            for (size_t t = 0; t < rule->takes_len; t++)
                if (rule->takes[t].family == net->family && nets_equal(&rule->takes[t], net))
                    return true;
        }
    return false;
}

/* The smaller a prefix, the lower its number: those above it do not count when it asks "before". */
static uint32_t net_number(const struct comparing *comparing, size_t net)
{
    return (uint32_t)(comparing->counted_len - net);
}

/* A prefix that smaller ones fill has nothing of its own. */
static bool is_filled(struct comparing *comparing, const uint32_t roots[2], size_t number)
{
    const struct reach_net *net = &comparing->counted[number];
    struct reach_net half = *net;
    struct nets_ask ask = { .pool = &comparing->pool, .kind = REACH_PLAIN,
                            .before = net_number(comparing, number),
                            .work = &comparing->work, .work_max = DIFF_WORK_MAX };
    const uint32_t *root = &roots[net->family == AF_INET6];

    if (net->bits == (net->family == AF_INET ? 32u : 128u))
        return false;
    half.bits++;
    if (!nets_covered(&ask, root, 1, &half))
        return false;
    half.addr[net->bits / 8] |= (unsigned char)(0x80 >> net->bits % 8);
    return nets_covered(&ask, root, 1, &half);
}

/* The prefixes of this pair's rules, and what they fill. */
static void count_nets(struct comparing *comparing, uint32_t roots[2])
{
    comparing->counted_len = 0;
    comparing->pool.len = 0;
    for (size_t i = 0; i < comparing->nets_len; i++) {
        const struct reach_net *net = &comparing->nets[i];

        comparing->work += comparing->rules[0].len + comparing->rules[1].len;
        if (!net_counts(comparing, net))
            continue;
        PS_PUSH(comparing->counted, comparing->counted_len, comparing->counted_cap) = *net;
    }
    for (size_t i = 0; i < comparing->counted_len; i++)
        nets_take(&comparing->pool, &roots[comparing->counted[i].family == AF_INET6],
                  &comparing->counted[i], REACH_BIT(REACH_PLAIN), net_number(comparing, i));
}

static void compare_pair(struct comparing *comparing, uint32_t database, uint32_t role)
{
    struct hba_case which = { database, role, NULL };
    uint32_t roots[2] = { 0, 0 };

    if (pairs_find(&comparing->done, database, role) != PAIR_NONE
        || out_of_work(comparing, 16))
        return;
    pairs_add(&comparing->done, database, role, 1);
    find_rules(comparing, &which);
    compare_case(comparing, &which);
    count_nets(comparing, roots);
    for (size_t i = 0; i < comparing->counted_len; i++) {
        if (out_of_work(comparing, comparing->rules[0].len + comparing->rules[1].len))
            return;
        which.net = &comparing->counted[i];
        if (!is_filled(comparing, roots, i))
            compare_case(comparing, &which);
    }
}

/* ---- all of them ---- */

static int compare_nets(const void *a, const void *b)
{
    const struct reach_net *one = a, *other = b;
    int order = (one->family > other->family) - (one->family < other->family);

    if (order == 0)
        order = memcmp(one->addr, other->addr, sizeof(one->addr));
    return order ? order : (int)one->bits - (int)other->bits;
}

static void add_net(struct comparing *comparing, const struct reach_net *net)
{
    PS_PUSH(comparing->nets, comparing->nets_len, comparing->nets_cap) = *net;
}

static void find_nets(struct comparing *comparing)
{
    size_t kept = 0;

    add_net(comparing, &(struct reach_net){ .family = AF_INET });
    add_net(comparing, &(struct reach_net){ .family = AF_INET6 });
    for (unsigned f = 0; f < 2; f++)
        for (size_t i = 0; i < comparing->sets[f]->len; i++)
            for (size_t t = 0; t < comparing->sets[f]->rules[i].takes_len; t++)
                add_net(comparing, &comparing->sets[f]->rules[i].takes[t]);
    qsort(comparing->nets, comparing->nets_len, sizeof(*comparing->nets), compare_nets);
    for (size_t i = 0; i < comparing->nets_len; i++)
        if (kept == 0 || compare_nets(&comparing->nets[i], &comparing->nets[kept - 1]) != 0)
            comparing->nets[kept++] = comparing->nets[i];
    comparing->nets_len = kept;
}

/* Names of one set are names for the other, too, where words such as sameuser compare them. */
static void share_names(struct sets *sets)
{
    size_t databases = keys_count(sets->databases), roles = keys_count(sets->roles);

    if (keys_twin(sets->databases, KEY_IS_SAMEUSER, "") == KEY_NONE
        && keys_twin(sets->databases, KEY_IS_SAMEROLE, "") == KEY_NONE)
        return;
    for (uint32_t i = 0; i < databases; i++)
        if (keys_kind(sets->databases, i) == KEY_IS_NAME)
            (void)keys_add_name(sets->roles, keys_text(sets->databases, i));
    for (uint32_t i = 0; i < roles; i++)
        if (keys_kind(sets->roles, i) == KEY_IS_NAME || keys_kind(sets->roles, i) == KEY_IS_GROUP)
            (void)keys_add_name(sets->databases, keys_text(sets->roles, i));
}

static bool is_name(const struct keys *keys, uint32_t key)
{
    return keys_kind(keys, key) == KEY_IS_NAME;
}

/* Databases and roles that stand together in a rule. */
static void compare_written_pairs(struct comparing *comparing)
{
    for (unsigned f = 0; f < 2; f++)
        for (size_t i = 0; i < comparing->sets[f]->len; i++) {
            const struct set_rule *rule = &comparing->sets[f]->rules[i];

            for (size_t d = 0; d < rule->databases.len; d++)
                for (size_t r = 0; r < rule->roles.len; r++)
                    if (is_name(comparing->sets[f]->databases, rule->databases.at[d])
                        && is_name(comparing->sets[f]->roles, rule->roles.at[r]))
                        compare_pair(comparing, rule->databases.at[d], rule->roles.at[r]);
        }
}

/* Names that some rule has with more than names on the other side: these cross. */
static struct key_list crossing(struct comparing *comparing, bool of_databases)
{
    const struct keys *mine = of_databases ? comparing->sets[0]->databases
                                           : comparing->sets[0]->roles;
    const struct keys *others = of_databases ? comparing->sets[0]->roles
                                             : comparing->sets[0]->databases;
    size_t count = keys_count(mine), len = 0;
    uint32_t *list = arena_alloc(comparing->arena, count * sizeof(*list));
    PS_AUTO(ps_freep) bool *marked = ps_calloc(count, sizeof(*marked));

    for (unsigned f = 0; f < 2; f++)
        for (size_t i = 0; i < comparing->sets[f]->len; i++) {
            const struct set_rule *rule = &comparing->sets[f]->rules[i];
            struct key_list names = of_databases ? rule->databases : rule->roles;
            struct key_list beside = of_databases ? rule->roles : rule->databases;
            bool only_names = true;

            for (size_t b = 0; b < beside.len; b++)
                only_names &= is_name(others, beside.at[b]);
            for (size_t n = 0; n < names.len && !only_names; n++)
                if (is_name(mine, names.at[n]))
                    marked[names.at[n]] = true;
        }
    for (uint32_t i = 0; i < count; i++)
        if (marked[i])
            list[len++] = i;
    return (struct key_list){ list, len };
}

static void compare_crossing_pairs(struct comparing *comparing)
{
    struct key_list databases = crossing(comparing, true), roles = crossing(comparing, false);

    for (size_t d = 0; d < databases.len; d++)
        for (size_t r = 0; r < roles.len && comparing->work <= DIFF_WORK_MAX; r++)
            compare_pair(comparing, databases.at[d], roles.at[r]);
}

static void compare_same_names(struct comparing *comparing)
{
    struct sets *sets = comparing->sets[0];

    if (keys_twin(sets->databases, KEY_IS_SAMEUSER, "") == KEY_NONE
        && keys_twin(sets->databases, KEY_IS_SAMEROLE, "") == KEY_NONE)
        return;
    for (uint32_t i = 0; i < keys_count(sets->databases); i++) {
        uint32_t role = is_name(sets->databases, i)
                            ? keys_twin(sets->roles, KEY_IS_NAME, keys_text(sets->databases, i))
                            : KEY_NONE;

        if (role != KEY_NONE)
            compare_pair(comparing, i, role);
    }
}

static void compare_all(struct comparing *comparing)
{
    const struct sets *sets = comparing->sets[0];

    compare_pair(comparing, CASE_OTHER, CASE_OTHER);
    compare_pair(comparing, CASE_REPLICATION, CASE_OTHER);
    for (uint32_t i = 0; i < keys_count(sets->roles); i++)
        if (is_name(sets->roles, i)) {
            compare_pair(comparing, CASE_OTHER, i);
            compare_pair(comparing, CASE_REPLICATION, i);
        }
    for (uint32_t i = 0; i < keys_count(sets->databases); i++)
        if (is_name(sets->databases, i))
            compare_pair(comparing, i, CASE_OTHER);
    compare_same_names(comparing);
    compare_written_pairs(comparing);
    compare_crossing_pairs(comparing);
}

void hba_diff(const struct hba *before, const struct hba *after, const struct reach_world *world,
              struct arena *arena, struct diff *out)
{
    PS_AUTO(comparing_free) struct comparing comparing = { .arena = arena, .out = out };

    *out = (struct diff){ .sure = true };
    comparing.sets[0] = sets_new(before, world);
    comparing.sets[1] = sets_new_beside(after, comparing.sets[0]);
    comparing.rows = (struct diff_rows){ .arena = arena, .sets = comparing.sets[0],
                                         .done = &comparing.done };
    share_names(comparing.sets[0]);
    find_nets(&comparing);
    compare_all(&comparing);

    diff_rows_finish(&comparing.rows, out);
}

/* hba_reach.c - which rules can never be reached, and because of which; see hba_reach.h. */
#include "pg/hba_reach.h"

#include <sys/socket.h>

#include "pg/hba_reach_state.h"

#define PAIRS_FREE 16           /* pairs of words of one rule that cost no steps */
#define PAIR_COST 64            /* steps for each of the others: they cost memory */
#define NAMING_WORK_MAX (2 * (uint64_t)REACH_WORK_MAX)
#define NAMED_PAIRS_MAX 4096    /* more pairs of words: the covering rules are not told apart */

/* ---- what rules take ---- */

static uint32_t cell_for(struct reach *reach, uint32_t database, uint32_t role)
{
    uint32_t found = pairs_find(&reach->by_words, database, role);

    if (found != PAIR_NONE)
        return found;
    PS_PUSH(reach->cells, reach->cells_len, reach->cells_cap) =
        (struct cell){ .local = NETS_NEVER };
    pairs_add(&reach->by_words, database, role, (uint32_t)reach->cells_len - 1);
    return (uint32_t)reach->cells_len - 1;
}

static void take_atom(struct reach *reach, uint32_t cell, uint32_t atom, unsigned kinds,
                      uint32_t rule)
{
    uint32_t found = pairs_find(&reach->by_atom, cell, atom);

    if (found == PAIR_NONE) {
        found = (uint32_t)reach->atoms_len;
        memset(&PS_PUSH(reach->atoms, reach->atoms_len, reach->atoms_cap), 0xff,
               sizeof(struct cell_atom));
        pairs_add(&reach->by_atom, cell, atom, found);
    }
    for (unsigned k = 0; k < NETS_KINDS; k++)
        if (kinds & REACH_BIT(k + 1) && rule < reach->atoms[found].by[k])
            reach->atoms[found].by[k] = rule;
}

static void take_pair(struct reach *reach, uint32_t database, uint32_t role, uint32_t number)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    uint32_t cell = cell_for(reach, database, role);

    if (rule->kinds & REACH_BIT(REACH_LOCAL) && reach->cells[cell].local == NETS_NEVER)
        reach->cells[cell].local = number;
    if (rule->atom != ATOM_NONE)
        take_atom(reach, cell, rule->atom, rule->kinds, number);
    for (size_t i = 0; i < rule->takes_len; i++)
        nets_take(&reach->pool, &reach->cells[cell].roots[rule->takes[i].family == AF_INET6],
                  &rule->takes[i], rule->kinds, number);
}

static void take(struct reach *reach, uint32_t number)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    size_t count = 0;

    for (size_t d = 0; d < rule->databases.len; d++)
        for (size_t r = 0; r < rule->roles.len; r++) {
            if (++count > PAIRS_FREE)
                reach->work += PAIR_COST;
            if (reach->work > REACH_WORK_MAX && count > PAIRS_FREE) {
                reach->cut = true;
                return;
            }
            take_pair(reach, rule->databases.at[d], rule->roles.at[r], number);
        }
}

/* ---- what is left ---- */

static bool found_taken(const struct nets_ask *ask, uint32_t rule)
{
    if (rule >= ask->before)
        return false;
    if (ask->taken)
        ask->taken(rule, ask->arg);
    return true;
}

static bool taken_by_word(const struct reach *reach, const uint32_t *cells, size_t len,
                          const struct set_rule *rule, const struct nets_ask *ask)
{
    struct key_list above = { 0 };

    if (rule->atom != ATOM_NONE)
        above = sets_atoms_above(reach->sets, rule->atom);
    for (size_t c = 0; c < len; c++)
        for (size_t a = 0; a < above.len; a++) {
            uint32_t found = pairs_find(&reach->by_atom, cells[c], above.at[a]);

            if (found != PAIR_NONE && found_taken(ask, reach->atoms[found].by[ask->kind - 1]))
                return true;
        }
    return false;
}

static bool taken_by_net(const struct reach *reach, const uint32_t *cells, size_t len,
                         const struct set_rule *rule, struct nets_ask *ask)
{
    uint32_t roots[2][NETS_TREES_MAX];
    bool all = true;

    for (size_t c = 0; c < len; c++)
        for (unsigned f = 0; f < 2; f++)
            roots[f][c] = reach->cells[cells[c]].roots[f];
    for (size_t i = 0; i < rule->needs_len; i++) {
        all &= nets_covered(ask, roots[rule->needs[i].family == AF_INET6], len, &rule->needs[i]);
        if (ask->cut || (!all && !ask->hole))
            return false;
    }
    return all;
}

bool reach_point_covered(const struct reach *reach, const struct point *point,
                         const struct set_rule *rule, struct nets_ask *ask)
{
    uint32_t cells[NETS_TREES_MAX];
    size_t len = 0;

    for (size_t d = 0; d < point->databases_len; d++)
        for (size_t r = 0; r < point->roles_len; r++) {
            uint32_t cell = pairs_find(&reach->by_words, point->databases[d], point->roles[r]);

            ++*ask->work;
            if (cell != PAIR_NONE && len < NETS_TREES_MAX)
                cells[len++] = cell;
        }
    for (size_t c = 0; c < len && ask->kind == REACH_LOCAL; c++)
        if (found_taken(ask, reach->cells[cells[c]].local))
            return true;
    if (ask->kind == REACH_LOCAL)
        return false;
    return taken_by_word(reach, cells, len, rule, ask)
           || taken_by_net(reach, cells, len, rule, ask);
}

/* Every pair of words and every kind of the rule; false at the first that is not covered. */
static bool all_covered(struct reach *reach, uint32_t number, struct nets_ask *ask)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    struct point point;

    for (size_t d = 0; d < rule->databases.len; d++)
        for (size_t r = 0; r < rule->roles.len; r++) {
            sets_point(reach->sets, rule->databases.at[d], rule->roles.at[r], &point, ask->work);
            ask->cut |= point.cut;
            for (unsigned kind = 0; kind < REACH_KINDS; kind++) {
                ask->kind = (enum reach_kind)kind;
                if (rule->kinds & REACH_BIT(kind)
                    && !reach_point_covered(reach, &point, rule, ask))
                    return false;
            }
        }
    return true;
}

/* ---- by whom ---- */

struct takers {
    uint32_t at[REACH_NAMED_MAX];
    size_t len;
    bool more;
};

static void note_taker(uint32_t rule, void *arg)
{
    struct takers *takers = arg;

    for (size_t i = 0; i < takers->len; i++)
        if (takers->at[i] == rule)
            return;
    if (takers->len == REACH_NAMED_MAX)
        takers->more = true;
    else
        takers->at[takers->len++] = rule;
}

/* Do the nets of these rules together contain the net? */
static bool nets_fill(const struct set_rule *const *rules, size_t len, const struct reach_net *net)
{
    bool any = false;

    for (size_t r = 0; r < len; r++)
        for (size_t i = 0; i < rules[r]->takes_len; i++) {
            if (nets_contain(&rules[r]->takes[i], net))
                return true;
            any |= nets_meet(&rules[r]->takes[i], net);
        }
    if (!any)
        return false;

    struct reach_net half = *net;
    half.bits++;
    if (!nets_fill(rules, len, &half))
        return false;
    half.addr[net->bits / 8] |= (unsigned char)(0x80 >> net->bits % 8);
    return nets_fill(rules, len, &half);
}

static bool few_cover_point(struct sets *sets, const struct takers *few, const struct point *point,
                            const struct set_rule *rule, unsigned kind)
{
    const struct set_rule *have[REACH_NAMED_MAX];
    struct key_list above = { 0 };
    size_t len = 0;

    if (rule->atom != ATOM_NONE)
        above = sets_atoms_above(sets, rule->atom);
    for (size_t i = 0; i < few->len; i++) {
        const struct set_rule *taker = &sets->rules[few->at[i]];

        if (!(taker->kinds & REACH_BIT(kind)) || !sets_rule_has(taker, point))
            continue;
        if (kind == REACH_LOCAL)
            return true;
        for (size_t a = 0; a < above.len; a++)
            if (taker->atom == above.at[a])
                return true;
        have[len++] = taker;
    }
    for (size_t i = 0; i < rule->needs_len; i++)
        if (!nets_fill(have, len, &rule->needs[i]))
            return false;
    return kind != REACH_LOCAL;
}

/* Would these few alone cover the rule? */
static bool few_cover(struct reach *reach, const struct takers *few, uint32_t number)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    struct point point;

    for (size_t d = 0; d < rule->databases.len; d++)
        for (size_t r = 0; r < rule->roles.len; r++) {
            sets_point(reach->sets, rule->databases.at[d], rule->roles.at[r], &point,
                       &reach->work);
            for (unsigned kind = 0; kind < REACH_KINDS; kind++)
                if (rule->kinds & REACH_BIT(kind)
                    && !few_cover_point(reach->sets, few, &point, rule, kind))
                    return false;
            reach->work += few->len;
        }
    return true;
}

static bool one_covers(struct reach *reach, struct takers *takers, uint32_t number)
{
    for (size_t i = 0; i < takers->len; i++) {
        struct takers one = { .at = { takers->at[i] }, .len = 1 };

        if (few_cover(reach, &one, number)) {
            *takers = one;              /* more is false now, whatever else was found */
            return true;
        }
    }
    return false;
}

static int compare_takers(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

/* Leave out, from the last on, whoever is not needed. */
static void leave_out(struct reach *reach, struct takers *takers, uint32_t number)
{
    for (size_t i = takers->len; i-- > 0;) {
        struct takers fewer = *takers;

        memmove(&fewer.at[i], &fewer.at[i + 1], (fewer.len - i - 1) * sizeof(*fewer.at));
        fewer.len--;
        if (few_cover(reach, &fewer, number))
            *takers = fewer;
    }
}

static void set_by(struct reach *reach, uint32_t number, const struct takers *takers)
{
    const struct hba *hba = reach->sets->hba;
    struct reach_rule *rule = &reach->rules[number];
    size_t *by = arena_alloc(reach->sets->arena, takers->len * sizeof(*by));

    rule->same = !takers->more;
    for (size_t i = 0; i < takers->len; i++) {
        by[i] = takers->at[i];
        rule->same &= hba_same_effect(hba_rule(hba, by[i]), hba_rule(hba, number));
    }
    rule->by = by;
    rule->by_len = takers->len;
    rule->by_more = takers->more;
}

static bool few_words(const struct set_rule *rule)
{
    return rule->databases.len <= NAMED_PAIRS_MAX
           && rule->roles.len <= NAMED_PAIRS_MAX / rule->databases.len;
}

static void name_takers(struct reach *reach, uint32_t number)
{
    struct takers takers = { .len = 0 };
    uint64_t end = reach->work + REACH_RULE_WORK_MAX;
    struct nets_ask ask = { .pool = &reach->pool, .before = number, .work = &reach->work,
                            .work_max = end < NAMING_WORK_MAX ? end : NAMING_WORK_MAX,
                            .taken = note_taker, .arg = &takers };

    takers.more |= !all_covered(reach, number, &ask);       /* it is; but naming has its bound, too */
    qsort(takers.at, takers.len, sizeof(*takers.at), compare_takers);
    if (!few_words(&reach->sets->rules[number]))
        takers.more = true;
    else if (!one_covers(reach, &takers, number) && !takers.more)
        leave_out(reach, &takers, number);
    set_by(reach, number, &takers);
}

/* ---- rule by rule ---- */

static bool never(const struct sets *sets, size_t number, enum reach_never *why)
{
    const struct set_rule *rule = &sets->rules[number];
    enum hba_type type = hba_rule(sets->hba, number)->type;

    if (rule->kinds == 0)
        *why = type == HBA_HOSTSSL ? REACH_NEVER_TLS : REACH_NEVER_GSS;
    else if (type != HBA_LOCAL && rule->needs_len == 0)
        *why = REACH_NEVER_ADDRESS;
    else if (rule->databases.len == 0)
        *why = REACH_NEVER_DATABASE;
    else if (rule->roles.len == 0)
        *why = REACH_NEVER_ROLE;
    else
        return false;
    return true;
}

static enum reach_state examine(struct reach *reach, uint32_t number)
{
    uint64_t end = reach->work + REACH_RULE_WORK_MAX;
    struct nets_ask ask = { .pool = &reach->pool, .before = number, .work = &reach->work,
                            .work_max = end < REACH_WORK_MAX ? end : REACH_WORK_MAX };

    if (never(reach->sets, number, &reach->rules[number].never))
        return REACH_NEVER;
    if (reach->work < REACH_WORK_MAX && all_covered(reach, number, &ask))
        return REACH_COVERED;
    return ask.cut || reach->cut || reach->work >= REACH_WORK_MAX ? REACH_UNSURE : REACH_LIVES;
}

struct reach *reach_new(const struct hba *hba, const struct reach_world *world)
{
    struct reach *reach = ps_calloc(1, sizeof(*reach));

    reach->sets = sets_new(hba, world);
    reach->rules = ps_calloc(reach->sets->len, sizeof(*reach->rules));
    for (uint32_t i = 0; i < reach->sets->len; i++) {
        reach->rules[i].state = examine(reach, i);
        if (reach->rules[i].state == REACH_COVERED)
            name_takers(reach, i);
        else if (reach->rules[i].state != REACH_NEVER)
            take(reach, i);         /* a covered rule takes nothing that was not taken */
    }
    return reach;
}

void reach_free(struct reach *reach)
{
    sets_free(reach->sets);
    free(reach->pool.at);
    free(reach->cells);
    free(reach->atoms);
    free(reach->by_words.slots);
    free(reach->by_atom.slots);
    free(reach->rules);
    free(reach);
}

const struct reach_rule *reach_rule(const struct reach *reach, size_t rule)
{
    return &reach->rules[rule];
}

const char *reach_never_text(enum reach_never why)
{
    static const char *const texts[] = {
        [REACH_NEVER_TLS] = N_("it is for connections with TLS, and ssl is off"),
        [REACH_NEVER_GSS] = N_("it is for connections with GSS encryption, which this server does "
                               "not have"),
        [REACH_NEVER_ADDRESS] = N_("its address is read as a host name that no client has"),
        [REACH_NEVER_DATABASE] = N_("no database can have such a name"),
        [REACH_NEVER_ROLE] = N_("no role can have such a name"),
    };

    return _(texts[why]);
}

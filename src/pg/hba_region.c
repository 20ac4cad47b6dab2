/* hba_region.c - what each rule decides, and what rules above take of it; see hba_reach.h. */
#include <sys/socket.h>

#include "pg/hba_reach_state.h"

size_t reach_takers(const struct reach *reach, size_t rule, unsigned kinds, size_t *out, size_t max,
                    bool *sure)
{
    size_t len = 0;

    *sure = true;
    for (size_t i = 0; i < rule; i++) {
        if (reach->rules[i].state == REACH_NEVER || reach->rules[i].state == REACH_COVERED)
            continue;

        enum hba_match match = sets_meet(reach->sets, i, rule, kinds);
        if (match == HBA_MAYBE)
            *sure = false;
        if (match != HBA_YES)
            continue;
        if (len == max) {
            *sure = false;
            return len;
        }
        out[len++] = i;
    }
    return len;
}

/* ---- rows ---- */

struct nets_found {
    struct reach_net at[REACH_NETS_MAX];
    size_t len;
    bool more;
};

/* The walk goes from the left: halves of one prefix come one after the other. */
static bool note_hole(const struct reach_net *net, void *arg)
{
    struct nets_found *found = arg;

    if (found->len == REACH_NETS_MAX) {
        found->more = true;
        return false;
    }
    found->at[found->len++] = *net;
    while (found->len > 1 && nets_join(&found->at[found->len - 2], &found->at[found->len - 1]))
        found->len--;
    return true;
}

/* What is left of one pair of words for one kind; false: nothing. */
static bool left_of(const struct reach *reach, size_t number, enum reach_kind kind,
                    const struct point *point, struct nets_found *found)
{
    const struct set_rule *rule = &reach->sets->rules[number];
    uint64_t work = 0;
    struct nets_ask ask = { .pool = &reach->pool, .kind = kind, .before = (uint32_t)number,
                            .work = &work, .work_max = REACH_RULE_WORK_MAX,
                            .hole = note_hole, .arg = found };

    found->len = 0;
    found->more = false;
    if (reach_point_covered(reach, point, rule, &ask))
        return false;
    found->more |= ask.cut;
    return true;
}

static bool same_nets(const struct nets_found *a, const struct nets_found *b)
{
    if (a->len != b->len || a->more != b->more)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (a->at[i].family != b->at[i].family || !nets_equal(&a->at[i], &b->at[i]))
            return false;
    return true;
}

/* 0.0.0.0/0 and ::/0 have loopback in them and reach beyond. */
static void set_reach(struct reach_row *row)
{
    for (size_t i = 0; i < row->nets_len; i++) {
        row->loopback |= nets_meet_loopback(&row->nets[i]);
        row->beyond |= !nets_is_loopback(&row->nets[i]);
    }
}

static void emit(const struct reach *reach, size_t number, enum reach_kind kind,
                 const struct nets_found *found, struct reach_row row,
                 void (*tell)(const struct reach_row *row, void *arg), void *arg)
{
    const struct set_rule *rule = &reach->sets->rules[number];

    row.rule = number;
    row.kind = kind;
    row.nets = found->at;
    row.nets_len = found->len;
    row.nets_more = found->more;
    row.by_name = rule->by_name;
    row.same_net = rule->same_net;
    set_reach(&row);
    tell(&row, arg);
}

/* Points of the words as they are written, so that rows can show them. */
struct written {
    const struct hba_token *database, *role;
    struct point point;
    bool possible;
};

static void written_point(const struct reach *reach, const struct hba_rule *rule, size_t pair,
                          struct written *out)
{
    struct sets *sets = reach->sets;
    uint64_t work = 0;
    uint32_t database, role;

    out->database = &rule->databases.at[pair / rule->users.len];
    out->role = &rule->users.at[pair % rule->users.len];
    database = keys_add(sets->databases, out->database);    /* they are there already */
    role = keys_add(sets->roles, out->role);
    out->possible = keys_kind(sets->databases, database) != KEY_IS_NOBODY
                    && keys_kind(sets->roles, role) != KEY_IS_NOBODY;
    if (out->possible)
        sets_point(sets, database, role, &out->point, &work);
}

static struct reach_row whole_row(const struct hba_rule *rule)
{
    return (struct reach_row){ .databases = rule->databases.at, .roles = rule->users.at,
                               .databases_len = rule->databases.len,
                               .roles_len = rule->users.len };
}

static struct reach_row pair_row(const struct written *written)
{
    return (struct reach_row){ .databases = written->database, .roles = written->role,
                               .databases_len = 1, .roles_len = 1 };
}

/* Is of every pair of words the same left as of the first? */
static bool all_the_same(const struct reach *reach, size_t number, enum reach_kind kind,
                         size_t pairs, struct nets_found *first)
{
    const struct hba_rule *rule = hba_rule(reach->sets->hba, number);
    struct written written;
    struct nets_found next;
    bool any = false;

    for (size_t i = 0; i < pairs; i++) {
        written_point(reach, rule, i, &written);
        if (!written.possible)
            continue;

        bool left = left_of(reach, number, kind, &written.point, any ? &next : first);
        if (!left || (any && !same_nets(first, &next)))
            return false;
        any = true;
    }
    return true;
}

static void rows_of(const struct reach *reach, size_t number, enum reach_kind kind,
                    void (*tell)(const struct reach_row *row, void *arg), void *arg)
{
    const struct hba_rule *rule = hba_rule(reach->sets->hba, number);
    size_t pairs = rule->databases.len * rule->users.len;
    struct written written;
    struct nets_found found;

    if (pairs > REACH_PAIRS_MAX || all_the_same(reach, number, kind, pairs, &found)) {
        if (pairs > REACH_PAIRS_MAX) {
            found.len = 0;
            found.more = true;
            for (size_t i = 0; i < reach->sets->rules[number].needs_len; i++)
                (void)note_hole(&reach->sets->rules[number].needs[i], &found);
        }
        emit(reach, number, kind, &found, whole_row(rule), tell, arg);
        return;
    }
    for (size_t i = 0; i < pairs; i++) {
        written_point(reach, rule, i, &written);
        if (written.possible && left_of(reach, number, kind, &written.point, &found))
            emit(reach, number, kind, &found, pair_row(&written), tell, arg);
    }
}

void reach_regions(const struct reach *reach, enum reach_kind kind,
                   bool (*selects)(const struct hba_rule *rule, void *arg),
                   void (*row)(const struct reach_row *row, void *arg), void *arg)
{
    for (size_t i = 0; i < reach->sets->len; i++) {
        enum reach_state state = reach->rules[i].state;

        if (state != REACH_COVERED && state != REACH_NEVER
            && reach->sets->rules[i].kinds & REACH_BIT(kind)
            && selects(hba_rule(reach->sets->hba, i), arg))
            rows_of(reach, i, kind, row, arg);
    }
}

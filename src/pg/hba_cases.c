/* hba_cases.c - see hba_cases.h. */
#include "pg/hba_cases.h"

/* A condition that is being made: always, never, or a mask of unknowns. */
struct part {
    bool yes;
    unsigned mask;
};

static unsigned bit_of(struct unknowns *unknowns, enum unknown_kind kind, uint32_t key)
{
    for (size_t i = 0; i < unknowns->len; i++)
        if (unknowns->at[i].kind == kind && unknowns->at[i].key == key)
            return 1u << i;
    if (unknowns->len == CASE_UNKNOWNS_MAX) {
        unknowns->too_many = true;
        return 0;
    }
    unknowns->at[unknowns->len] = (struct unknown){ kind, key };
    return 1u << unknowns->len++;
}

static void add_match(struct part *part, enum hba_match match, struct unknowns *unknowns,
                      enum unknown_kind kind, uint32_t key)
{
    if (match == HBA_YES)
        part->yes = true;
    else if (match == HBA_MAYBE)
        part->mask |= bit_of(unknowns, kind, key);
}

/* An expression on a name, or on any other name. */
static enum hba_match regex_match(const struct keys *keys, uint32_t regex, uint32_t name)
{
    return name == CASE_OTHER ? HBA_MAYBE : keys_regex_has(keys, regex, keys_text(keys, name));
}

static struct part role_part(const struct sets *sets, const struct set_rule *rule, uint32_t role,
                             struct unknowns *unknowns)
{
    const struct keys *keys = sets->roles;
    struct part part = { .yes = false };

    for (size_t i = 0; i < rule->roles.len && !part.yes; i++) {
        uint32_t key = rule->roles.at[i];
        enum key_kind kind = keys_kind(keys, key);

        if (key == KEY_ALL || key == role)
            part.yes = true;
        else if (kind == KEY_IS_GROUP)
            add_match(&part, role != CASE_OTHER
                                 && strcmp(keys_text(keys, key), keys_text(keys, role)) == 0
                                 ? HBA_YES : HBA_MAYBE, unknowns, UNKNOWN_MEMBER, key);
        else if (kind == KEY_IS_REGEX)
            add_match(&part, regex_match(keys, key, role), unknowns, UNKNOWN_ROLE_REGEX, key);
    }
    return part;
}

static bool same_name(const struct sets *sets, const struct hba_case *which)
{
    return which->database != CASE_OTHER && which->role != CASE_OTHER
           && strcmp(keys_text(sets->databases, which->database),
                     keys_text(sets->roles, which->role)) == 0;
}

static void add_sameuser(const struct sets *sets, const struct hba_case *which, struct part *part,
                         struct unknowns *unknowns)
{
    bool both_other = which->database == CASE_OTHER && which->role == CASE_OTHER;

    part->yes |= same_name(sets, which);
    if (both_other)
        part->mask |= bit_of(unknowns, UNKNOWN_SAMEUSER, 0);
}

/* Member of a role that the file also names as +role: the same unknown. */
static void add_samerole(const struct sets *sets, const struct hba_case *which, struct part *part,
                         struct unknowns *unknowns)
{
    uint32_t group = which->database == CASE_OTHER
                         ? KEY_NONE
                         : keys_twin(sets->roles, KEY_IS_GROUP,
                                     keys_text(sets->databases, which->database));

    add_sameuser(sets, which, part, unknowns);
    if (group != KEY_NONE)
        part->mask |= bit_of(unknowns, UNKNOWN_MEMBER, group);
    else
        part->mask |= bit_of(unknowns, UNKNOWN_SAMEROLE, 0);
}

static struct part database_part(const struct sets *sets, const struct set_rule *rule,
                                 const struct hba_case *which, struct unknowns *unknowns)
{
    struct part part = { .yes = false };

    for (size_t i = 0; i < rule->databases.len && !part.yes; i++) {
        uint32_t key = rule->databases.at[i];
        enum key_kind kind = keys_kind(sets->databases, key);

        if (which->database == CASE_REPLICATION)
            part.yes = kind == KEY_IS_REPLICATION;
        else if (key == KEY_ALL || key == which->database)
            part.yes = true;
        else if (kind == KEY_IS_SAMEUSER)
            add_sameuser(sets, which, &part, unknowns);
        else if (kind == KEY_IS_SAMEROLE)
            add_samerole(sets, which, &part, unknowns);
        else if (kind == KEY_IS_REGEX)
            add_match(&part, regex_match(sets->databases, key, which->database), unknowns,
                      UNKNOWN_DATABASE_REGEX, key);
    }
    return part;
}

static struct part net_part(const struct set_rule *rule, const struct reach_net *net,
                            struct unknowns *unknowns)
{
    struct part part = { .yes = net == NULL };

    for (size_t i = 0; i < rule->takes_len && !part.yes; i++)
        part.yes = nets_contain(&rule->takes[i], net);
    if (!part.yes && rule->atom != ATOM_NONE)
        part.mask = bit_of(unknowns, UNKNOWN_HOST, rule->atom);
    if (!part.yes && rule->atom == ATOM_NONE && rule->takes_len == 0)
        unknowns->too_many = true;      /* a mask with more holes than are looked at */
    return part;
}

bool case_concerns(const struct sets *sets, size_t rule, const struct hba_case *which)
{
    struct unknowns unknowns = { .len = 0 };
    struct part role = role_part(sets, &sets->rules[rule], which->role, &unknowns);
    struct part database = database_part(sets, &sets->rules[rule], which, &unknowns);

    return unknowns.too_many
           || ((role.yes || role.mask) && (database.yes || database.mask));
}

bool case_always(const struct sets *sets, size_t rule, const struct hba_case *which,
                 enum reach_kind kind)
{
    const struct set_rule *set = &sets->rules[rule];
    struct unknowns unknowns = { .len = 0 };

    return set->kinds & REACH_BIT(kind) && net_part(set, which->net, &unknowns).yes
           && role_part(sets, set, which->role, &unknowns).yes
           && database_part(sets, set, which, &unknowns).yes;
}

void case_conditions(const struct sets *sets, const uint32_t *rules, size_t len,
                     const struct hba_case *which, enum reach_kind kind, struct unknowns *unknowns,
                     struct conditions *out)
{
    out->len = 0;
    for (size_t i = 0; i < len; i++) {
        const struct set_rule *rule = &sets->rules[rules[i]];

        if (!(rule->kinds & REACH_BIT(kind)))
            continue;

        const struct part parts[3] = { net_part(rule, which->net, unknowns),
                                       database_part(sets, rule, which, unknowns),
                                       role_part(sets, rule, which->role, unknowns) };
        struct condition condition = { .rule = rules[i] };
        bool possible = true, always = true;

        for (size_t p = 0; p < 3; p++) {
            possible &= parts[p].yes || parts[p].mask;
            always &= parts[p].yes;
            condition.any_of[p] = parts[p].yes ? 0 : parts[p].mask;
        }
        if (possible)
            PS_PUSH(out->at, out->len, out->cap) = condition;
        if (always)
            return;
    }
}

const struct hba_rule *case_decides(const struct sets *sets, const struct conditions *conditions,
                                    unsigned truth)
{
    for (size_t i = 0; i < conditions->len; i++) {
        const struct condition *condition = &conditions->at[i];
        bool matches = true;

        for (size_t p = 0; p < 3; p++)
            matches &= condition->any_of[p] == 0 || condition->any_of[p] & truth;
        if (matches)
            return hba_rule(sets->hba, condition->rule);
    }
    return NULL;
}

static const char *unknown_text(const struct sets *sets, const struct unknown *unknown,
                                struct arena *arena)
{
    switch (unknown->kind) {
    case UNKNOWN_MEMBER:
        return arena_printf(arena, _("member of %s"), keys_text(sets->roles, unknown->key));
    case UNKNOWN_ROLE_REGEX:
        return arena_printf(arena, _("role like /%s"), keys_text(sets->roles, unknown->key));
    case UNKNOWN_DATABASE_REGEX:
        return arena_printf(arena, _("database like /%s"),
                            keys_text(sets->databases, unknown->key));
    case UNKNOWN_SAMEUSER:
        return _("database named as the role");
    case UNKNOWN_SAMEROLE:
        return _("member of the role that the database is named after");
    case UNKNOWN_HOST:
        break;
    }
    if (keys_text(sets->atoms, unknown->key)[0] == '\001')
        return arena_printf(arena, _("in %s of the server"),
                            keys_text(sets->atoms, unknown->key) + 1);
    return arena_printf(arena, _("client named %s"), keys_text(sets->atoms, unknown->key));
}

const char *case_given(const struct sets *sets, const struct unknowns *unknowns, unsigned truth,
                       struct arena *arena)
{
    const char *given = NULL;

    for (size_t i = 0; i < unknowns->len; i++) {
        if (!(truth & 1u << i))
            continue;

        const char *text = unknown_text(sets, &unknowns->at[i], arena);
        given = given ? arena_printf(arena, "%s, %s", given, text) : text;
    }
    return given;
}

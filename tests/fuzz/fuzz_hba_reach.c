/*
 * fuzz_hba_reach.c - what is said about all connections holds for each one.
 *
 * Rules and questions from the bytes.  Promises, for every question that has a certain answer: the rule
 * that decides is not called dead; what it decides is in one of its rows; whoever is called
 * covered is covered, at this connection too, by one of the rules that are named; whoever takes a
 * connection from a rule is named as taking; and hba_judge() gives the same answer as hba_ask().
 */
#include "rules_of_bytes.h"

#include "pg/hba_reach.h"
#include "pg/hba_why.h"

#define QUESTIONS 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct expected {
    const struct hba *hba;
    const struct hba_question *question;
    size_t rule;
    bool seen;
};

static enum reach_kind kind_of(const struct hba_question *question)
{
    return question->local ? REACH_LOCAL : question->tls ? REACH_TLS
           : question->gss ? REACH_GSS : REACH_PLAIN;
}

static bool every_rule(const struct hba_rule *rule, void *arg)
{
    (void)rule;
    (void)arg;
    return true;
}

/* Does the row speak of this connection? */
static void look_for(const struct reach_row *row, void *arg)
{
    struct expected *expected = arg;
    struct hba_rule narrow = *hba_rule(expected->hba, row->rule);

    if (row->rule != expected->rule)
        return;
    narrow.databases.at = row->databases;
    narrow.databases.len = row->databases_len;
    narrow.users.at = row->roles;
    narrow.users.len = row->roles_len;
    if (hba_rule_matches(&narrow, expected->question) == HBA_YES
        && (expected->question->local || row->nets_more
            || reach_nets_have(row->nets, row->nets_len, &expected->question->addr)))
        expected->seen = true;
}

static void check_covered(const struct hba *hba, const struct reach *reach, size_t rule,
                          const struct hba_question *question)
{
    const struct reach_rule *state = reach_rule(reach, rule);
    bool covered = state->by_more;

    for (size_t i = 0; i < state->by_len; i++) {
        if (state->by[i] >= rule)
            abort();
        covered |= hba_rule_matches(hba_rule(hba, state->by[i]), question) != HBA_NO;
    }
    if (!covered)
        abort();
}

static void check_taker(const struct reach *reach, size_t taker, size_t rule, enum reach_kind kind)
{
    size_t list[64];
    bool sure, named = false;
    size_t len = reach_takers(reach, rule, REACH_BIT(kind), list, PS_COUNT(list), &sure);

    for (size_t i = 0; i < len; i++)
        named |= list[i] == taker;
    if (!named && sure)
        abort();
}

/* Whatever rule the question could meet if the ones above were not there. */
static void check_others(const struct hba *hba, const struct reach *reach, size_t decides,
                         bool sure, const struct hba_question *question)
{
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const struct reach_rule *state = reach_rule(reach, i);

        if (hba_rule_matches(hba_rule(hba, i), question) != HBA_YES)
            continue;
        if (state->state == REACH_NEVER)
            abort();
        if (state->state == REACH_COVERED)
            check_covered(hba, reach, i, question);
        if (sure && decides < i)
            check_taker(reach, decides, i, kind_of(question));
    }
}

static void check(const struct hba *hba, const struct reach *reach,
                  const struct hba_question *question)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct expected expected = { .hba = hba, .question = question };
    struct hba_verdict verdict;
    bool sure;
    const struct hba_rule *rule = hba_ask(hba, question, &sure);

    hba_judge(hba, question, arena, &verdict);
    if (verdict.rule != rule || verdict.sure != sure)
        abort();
    if (!rule || !sure)
        return;
    expected.rule = (size_t)(rule - hba_rule(hba, 0));
    if (reach_rule(reach, expected.rule)->state == REACH_COVERED
        || reach_rule(reach, expected.rule)->state == REACH_NEVER)
        abort();
    reach_regions(reach, kind_of(question), every_rule, look_for, &expected);
    if (!expected.seen)
        abort();
    check_others(hba, reach, expected.rule, sure, question);
}

static void ignore_weaker(const struct reach_weaker *weaker, void *arg)
{
    (void)arg;
    if (weaker->weak >= weaker->strict)
        abort();
}

static void ignore_gap(const struct reach_family_gap *gap, void *arg)
{
    (void)arg;
    if (gap->open == gap->closed)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = { data, size, 0 };

    if (size < 2 || size > 4096)
        return 0;
    for (size_t i = 0; i < size; i++)
        bytes.dice = bytes.dice * 31 + data[i];

    unsigned major = next_below(&bytes, 2) ? 15 : 17, count = 1 + next_below(&bytes, 14);
    PS_AUTO(ps_freep) char *text = rules_text(&bytes, count);
    PS_AUTO(hba_freep) struct hba *hba = rules_load(text, major);
    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);

    for (unsigned i = 0; i < QUESTIONS && hba_rules(hba) > 0; i++) {
        struct hba_question question;

        next_question(&bytes, &question);
        check(hba, reach, &question);
    }
    (void)reach_weaker(reach, ignore_weaker, NULL);
    reach_ipv6_open(reach, ignore_gap, NULL);
    return 0;
}

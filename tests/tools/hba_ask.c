/*
 * hba_ask.c - what we say about a pg_hba.conf: for each of its rules what it can be reached by, then for
 * each question of standard input which line decides.
 *
 *     hba_ask MAJOR FILE <questions
 *
 * One JSON object for each rule, then one for each question.
 */
#include "base/mem.h"
#include "base/num.h"
#include "inspect/inspect.h"
#include "pg/hba_reach.h"
#include "pg/hba_why.h"

static void put_rule(const struct hba *hba, const struct reach *reach, size_t i)
{
    static const char *const states[] = { [REACH_LIVES] = "lives", [REACH_COVERED] = "covered",
                                          [REACH_NEVER] = "never", [REACH_UNSURE] = "unsure" };
    const struct reach_rule *state = reach_rule(reach, i);

    printf("{\"line\": %u, \"state\": \"%s\", \"by\": [", hba_rule(hba, i)->line,
           states[state->state]);
    for (size_t b = 0; b < state->by_len; b++)
        printf("%s%u", b ? ", " : "", hba_rule(hba, state->by[b])->line);
    printf("]}\n");
}

static void put_answer(const struct hba *hba, const struct hba_question *question)
{
    PS_AUTO(arena_freep) struct arena *arena = arena_new();
    struct hba_verdict verdict;
    const char *comma = "";

    hba_judge(hba, question, arena, &verdict);
    printf("{\"line\": %u, \"sure\": %s, \"method\": \"%s\", \"perhaps\": [",
           verdict.rule ? verdict.rule->line : 0, verdict.sure ? "true" : "false",
           verdict.rule ? verdict.rule->method : "");
    for (size_t i = 0; i < verdict.len; i++)
        if (verdict.steps[i].match == HBA_MAYBE) {
            printf("%s%u", comma, verdict.steps[i].rule->line);
            comma = ", ";
        }
    printf("]}\n");
}

static bool answer_all(const struct hba *hba, struct ps_err *err)
{
    char line[HBA_QUESTION_MAX + 2];

    while (fgets(line, sizeof(line), stdin)) {
        PS_AUTO(arena_freep) struct arena *arena = arena_new();
        struct hba_question question;

        if (!hba_question_parse(line, arena, &question, err))
            return false;
        put_answer(hba, &question);
    }
    return true;
}

static bool run(const char *path, unsigned major, struct ps_err *err)
{
    PS_AUTO(hba_freep) struct hba *hba = NULL;

    if (!hba_load(&inspect_files, path, major, &hba, err))
        return false;
    if (hba_problems(hba) > 0)
        return ps_fail(err, PS_E_SYNTAX, "line %u: %s", hba_problem(hba, 0)->line,
                       hba_problem(hba, 0)->what);

    PS_AUTO(reach_freep) struct reach *reach = reach_new(hba, NULL);
    for (size_t i = 0; i < hba_rules(hba); i++)
        put_rule(hba, reach, i);
    return answer_all(hba, err);
}

int main(int argc, char **argv)
{
    struct ps_err err = { 0 };
    long major;

    if (argc != 3 || !num_parse(argv[1], 10, 99, &major)) {
        fprintf(stderr, "usage: hba_ask MAJOR FILE\n");
        return 2;
    }
    if (!run(argv[2], (unsigned)major, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    return 0;
}

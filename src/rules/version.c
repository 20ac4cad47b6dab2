/* version.c - what a server says of its version before a login (see tests.h). */
#include "facts/seen.h"
#include "rules/common.h"
#include "rules/tests.h"

/*
 * The day after which a major gets no more fixes.  Source: PostgreSQL, "Versioning Policy", "Final Release";
 * a row for each major that was released.
 */
static const struct {
    int major;
    const char *until;
} ends[] = {
    { 10, "2022-11-10" }, { 11, "2023-11-09" }, { 12, "2024-11-21" }, { 13, "2025-11-13" },
    { 14, "2026-11-12" }, { 15, "2027-11-11" }, { 16, "2028-11-09" }, { 17, "2029-11-08" },
    { 18, "2030-11-14" },
};

static const char *end_of(int major)
{
    for (size_t i = 0; i < PS_COUNT(ends); i++)
        if (ends[i].major == major)
            return ends[i].until;
    return NULL;
}

/* The newest that it can be has had its last release. */
static void judge_age(const struct rule *rule, const struct posture *posture, const struct seen *seen,
                      struct findings *out)
{
    const char *until = seen->major_to ? end_of(seen->major_to) : NULL;

    if (!until || strncmp(rule_date(out, posture->now), until, strlen(until)) <= 0)
        return;
    rule_found(rule, out, (struct finding){
        .object = posture->name, .message = _("this version gets no more fixes"),
        .evidence = arena_printf(out->arena, _("at most PostgreSQL %d, until %s"), seen->major_to, until) });
}

void rule_version_disclosed(const struct rule *rule, const struct posture *posture,
                            struct findings *out)
{
    const struct seen *seen = posture->seen;

    if (!seen || seen->reach != REACH_YES) {
        rule_unseen(rule, out, seen ? _("the server was not reached") : _("the server was not asked"));
        return;
    }
    const struct startup_seen *said = seen->plain.file ? &seen->plain
                                    : seen->plain_replication.file ? &seen->plain_replication
                                    : &seen->over_tls;
    if (said->file && said->line && said->routine)
        rule_found(rule, out, (struct finding){
            .object = posture->name,
            .message = _("errors before the login name a place in the source code"),
            .evidence = arena_printf(out->arena, "%s:%s, %s", said->file, said->line, said->routine) });
    judge_age(rule, posture, seen, out);
}

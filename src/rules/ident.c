/* ident.c - rules about pg_ident.conf (see tests.h). */
#include "rules/hba_facts.h"
#include "rules/tests.h"

static bool ident_seen(const struct rule *rule, const struct posture *posture,
                       struct findings *out)
{
    if (posture->ident)
        return true;
    rule_unseen(rule, out, posture->ident_why ? posture->ident_why
                                              : _("pg_ident.conf was not seen"));
    return false;
}

static struct finding at_line(const struct posture *posture, const struct ident_line *line)
{
    const char *text = arena_printf(posture->arena, "%s %s %s", line->map, line->system_user,
                                    line->role);

    return (struct finding){ .place = { .file = line->file, .line = line->line }, .object = text,
                             .evidence = text };
}

/* ---- expressions ---- */

static bool matches_everything(const char *pattern)
{
    static const char *const all[] = { "", "^", "$", "^$", ".*", "^.*", ".*$", "^.*$", ".+", "^.+", ".+$",
                                       "^.+$", "(.*)", "^(.*)$", "(.+)", "^(.+)$", "^(.*)", "(.*)$", "." };

    for (size_t i = 0; i < PS_COUNT(all); i++)
        if (strcmp(pattern, all[i]) == 0)
            return strcmp(pattern, "^$") != 0;
    return false;
}

/* Only a role that the name itself gives is the name's own. */
static bool is_any_role(const struct ident_line *line, unsigned major)
{
    return major >= 16 && ((!line->role_quoted && strcmp(line->role, "all") == 0)
                           || (line->role[0] == '/' && matches_everything(line->role + 1)));
}

static bool is_wide(const struct ident_line *line, unsigned major)
{
    bool anybody = line->system_regex && matches_everything(line->system_user + 1);
    bool own_name = strstr(line->role, "\\1") != NULL;

    return is_any_role(line, major) || (anybody && !own_name);
}

static bool is_superuser(const struct posture *posture, const char *name)
{
    for (size_t i = 0; i < posture->roles_len; i++)
        if (strcmp(posture->roles[i].name, name) == 0)
            return posture->roles[i].superuser;
    return strcmp(name, "postgres") == 0;
}

void rule_ident_map_wide(const struct rule *rule, const struct posture *posture,
                         struct findings *out)
{
    if (!ident_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < ident_lines(posture->ident); i++) {
        const struct ident_line *line = ident_line(posture->ident, i);
        struct finding finding = at_line(posture, line);

        if (!is_wide(line, posture->major))
            continue;
        if (is_any_role(line, posture->major)) {
            finding.message = _("whom this line names may be every role");
        } else {
            finding.severity = is_superuser(posture, line->role) ? SEV_CRITICAL : SEV_HIGH;
            finding.message = arena_printf(posture->arena,
                                           _("every name may become the role \"%s\""), line->role);
        }
        rule_found(rule, out, finding);
    }
}

/* "^(a|b)$" is fine: an alternative counts only outside of groups. */
static bool has_open_alternative(const char *pattern)
{
    unsigned depth = 0;
    bool in_bracket = false;

    for (const char *p = pattern; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (in_bracket)
            in_bracket = *p != ']';
        else if (*p == '[')
            in_bracket = true;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && depth > 0)
            depth--;
        else if (*p == '|' && depth == 0)
            return true;
    }
    return false;
}

static bool may_match_inside(const char *pattern)
{
    size_t len = strlen(pattern);
    bool ends = len > 1 && pattern[len - 1] == '$' && (len < 3 || pattern[len - 2] != '\\');

    return pattern[0] != '^' || !ends || has_open_alternative(pattern);
}

void rule_ident_map_unanchored(const struct rule *rule, const struct posture *posture,
                               struct findings *out)
{
    if (!ident_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < ident_lines(posture->ident); i++) {
        const struct ident_line *line = ident_line(posture->ident, i);
        struct finding finding = at_line(posture, line);

        if (!line->system_regex || is_wide(line, posture->major)
            || matches_everything(line->system_user + 1)
            || !may_match_inside(line->system_user + 1))
            continue;
        finding.message = _("the expression also matches names that only contain what it says");
        rule_found(rule, out, finding);
    }
}

/* ---- maps and the lines that use them ---- */

#define LINES_COMPARED_MAX 20000000u    /* maps with maps, and lines with maps */

/* Said, when each with each would take too long. */
static bool too_many(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    size_t maps = ident_lines(posture->ident);

    if (maps * (maps + hba_rules(posture->hba)) <= LINES_COMPARED_MAX)
        return false;
    rule_unseen(rule, out, _("pg_hba.conf and pg_ident.conf have too many lines"));
    return true;
}

static bool map_exists(const struct ident *ident, const char *map)
{
    for (size_t i = 0; i < ident_lines(ident); i++)
        if (strcmp(ident_line(ident, i)->map, map) == 0)
            return true;
    return false;
}

static bool map_is_used(const struct hba *hba, const char *map)
{
    for (size_t i = 0; i < hba_rules(hba); i++) {
        const char *used = hba_option(hba_rule(hba, i), "map");

        if (used && strcmp(used, map) == 0)
            return true;
    }
    return false;
}

void rule_ident_map_missing(const struct rule *rule, const struct posture *posture,
                            struct findings *out)
{
    if (!hba_seen(rule, posture, out) || !ident_seen(rule, posture, out)
        || too_many(rule, posture, out))
        return;
    for (size_t i = 0; i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);
        const char *map = hba_option(line, "map");
        struct finding finding = hba_finding_method(posture, line);

        if (!map || map[0] == '\0' || map_exists(posture->ident, map))
            continue;
        finding.object = map;
        finding.evidence = arena_printf(posture->arena, "map=%s", map);
        finding.message = arena_printf(posture->arena,
                                       _("the map \"%s\" has no line in pg_ident.conf"), map);
        rule_found(rule, out, finding);
    }
}

/* The first line of each map speaks for it. */
static bool is_first_of_map(const struct ident *ident, size_t line)
{
    for (size_t i = 0; i < line; i++)
        if (strcmp(ident_line(ident, i)->map, ident_line(ident, line)->map) == 0)
            return false;
    return true;
}

void rule_ident_map_unused(const struct rule *rule, const struct posture *posture,
                           struct findings *out)
{
    if (!hba_seen(rule, posture, out) || !ident_seen(rule, posture, out)
        || too_many(rule, posture, out))
        return;
    for (size_t i = 0; i < ident_lines(posture->ident); i++) {
        const struct ident_line *line = ident_line(posture->ident, i);
        struct finding finding = at_line(posture, line);

        if (!is_first_of_map(posture->ident, i) || map_is_used(posture->hba, line->map))
            continue;
        finding.object = line->map;
        finding.message = arena_printf(posture->arena,
                                       _("no line of pg_hba.conf uses the map \"%s\""), line->map);
        rule_found(rule, out, finding);
    }
}

void rule_ident_syntax(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!ident_seen(rule, posture, out))
        return;
    for (size_t i = 0; i < ident_problems(posture->ident); i++)
        rule_found(rule, out, hba_finding_problem(posture, ident_problem(posture->ident, i)));
}

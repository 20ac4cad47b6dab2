/* run.c - the rules over one posture (see rule.h). */
#include "rules/rule.h"

static const char *const standards[] = {
    [STD_PG] = "PostgreSQL manual",     [STD_CIS] = "CIS PostgreSQL Benchmark",
    [STD_STIG] = "DISA STIG",           [STD_NIST] = "NIST SP 800-52r2",
    [STD_BSI] = "BSI TR-02102-2",       [STD_PCI] = "PCI DSS 4.0.1",
    [STD_MOZILLA] = "Mozilla Server Side TLS", [STD_SSLLABS] = "SSL Labs",
    [STD_RFC] = "RFC",                  [STD_CVE] = "CVE",
    [STD_CAB] = "CA/B Forum",           [STD_OPS] = "operations",
};

const char *standard_name(enum standard standard)
{
    return standards[standard];
}

const struct rule *rule_find(const char *id)
{
    for (size_t i = 0; i < rules_count(); i++)
        if (strcmp(rule_at(i)->id, id) == 0)
            return rule_at(i);
    return NULL;
}

/* ---- which ones ---- */

static bool is_listed(char *const *list, const char *id)
{
    for (; list && *list; list++)
        if (strcmp(*list, id) == 0)
            return true;
    return false;
}

bool rule_chosen(const struct rule_choice *choice, const char *id)
{
    return !choice || !choice->only || is_listed(choice->only, id);
}

bool rule_skipped(const struct rule_choice *choice, const char *id)
{
    return choice && is_listed(choice->skip, id);
}

static bool check_ids(char *const *list, struct ps_err *err)
{
    for (; list && *list; list++)
        if (!rule_find(*list)) {
            ps_fail(err, PS_E_USAGE, _("there is no rule \"%s\""), *list);
            return ps_hint(err, _("\"pgseal explain --rules\" lists them all."));
        }
    return true;
}

bool rule_choice_check(const struct rule_choice *choice, struct ps_err *err)
{
    return check_ids(choice->only, err) && check_ids(choice->skip, err);
}

static void run_one(const struct rule *rule, const struct posture *posture,
                    const struct rule_choice *choice, struct findings *out)
{
    if (!rule_chosen(choice, rule->id))
        return;
    if (rule_skipped(choice, rule->id))
        rule_unseen(rule, out, _("left out by --skip"));
    else if (rule->seen && posture->source == POSTURE_NETWORK)
        rule->seen(rule, posture, out);
    else if (rule->test)
        rule->test(rule, posture, out);
    else
        rule_unseen(rule, out, _("nothing examines this yet"));
}

void rules_run(const struct posture *posture, unsigned modes, const struct rule_choice *choice,
               struct findings *out)
{
    for (size_t i = 0; i < rules_count(); i++)
        if (rule_at(i)->modes & modes)
            run_one(rule_at(i), posture, choice, out);
    findings_sort(out);
}

void rule_found(const struct rule *rule, struct findings *out, struct finding finding)
{
    finding.id = rule->id;
    if (finding.severity == SEV_NOTHING)
        finding.severity = rule->severity;
    findings_add(out, &finding);
}

void rule_unseen(const struct rule *rule, struct findings *out, const char *reason)
{
    findings_unexamined(out, rule->id, reason);
}

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

void rules_run(const struct posture *posture, unsigned modes, struct findings *out)
{
    for (size_t i = 0; i < rules_count(); i++) {
        const struct rule *rule = rule_at(i);

        if (!(rule->modes & modes))
            continue;
        if (rule->test)
            rule->test(rule, posture, out);
        else
            rule_unseen(rule, out, _("nothing examines this yet"));
    }
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

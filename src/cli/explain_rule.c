/* explain_rule.c - see explain_rule.h. */
#include "cli/explain_rule.h"

#include "rules/page.h"

bool explain_is_rule(const char *const *args)
{
    return args && args[0] && !args[1] && rule_find(args[0]);
}

bool explain_rules(struct cli_run *run, bool all, struct ps_err *err)
{
    if (all && !cli_no_args(run, err))
        return false;
    run->doc = doc_new("explain", all ? _("The rules of pgseal check") : _("What a rule means"));
    if (all)
        rules_list(doc_root(run->doc));
    else
        rule_page(rule_find(run->args[0]), doc_root(run->doc));
    return true;
}

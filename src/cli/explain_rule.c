/* explain_rule.c - see explain_rule.h. */
#include "cli/explain_rule.h"

#include "cli/help.h"
#include "rules/page.h"

bool explain_rule(const char *id, struct doc_node *root)
{
    const struct rule *rule = rule_find(id);

    if (rule)
        rule_page(rule, root);
    return rule != NULL;
}

const char *explain_rule_near(const char *word)
{
    const char *nearest = NULL;
    size_t least = HELP_FAR;

    for (size_t i = 0; i < rules_count(); i++) {
        size_t away = help_distance(rule_at(i)->id, word);

        if (away < least) {
            least = away;
            nearest = rule_at(i)->id;
        }
    }
    return nearest;
}

void explain_rules(struct doc_node *root)
{
    rules_list(root);
}

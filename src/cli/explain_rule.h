/*
 * explain_rule.h - the part of `pgseal explain` that is about rules.
 */
#ifndef PS_CLI_EXPLAIN_RULE_H
#define PS_CLI_EXPLAIN_RULE_H

#include "doc/doc.h"

/* Fill in the page of the rule; false, and nothing done, when `id` is no rule's. */
bool explain_rule(const char *id, struct doc_node *root);

/* The rule whose id is nearest to a word that is none, for a hint; NULL: none is near. */
const char *explain_rule_near(const char *word);

/* All rules, as a table. */
void explain_rules(struct doc_node *root);

#endif

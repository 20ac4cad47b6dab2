/*
 * page.h - what a rule says of itself: for `pgseal explain RULE`, the manual, SARIF's help.
 */
#ifndef PS_RULES_PAGE_H
#define PS_RULES_PAGE_H

#include "doc/doc.h"
#include "rules/rule.h"

/* "RFC 8996; CIS PostgreSQL Benchmark 6.9; PostgreSQL manual, \"Certificate Authentication\"" */
void rule_sources(const struct rule *rule, struct buf *out);

/* Who sees it: "check, scan"; empty for a rule that is added by a verb itself. */
void rule_modes(const struct rule *rule, struct buf *out);

/* JSON: "id", "severity", "title", "why", "cure", "modes", "sources" (standard, where), "exception". */
void rule_page(const struct rule *rule, struct doc_node *root);

/* A table "rules" of all of them. */
void rules_list(struct doc_node *root);

#endif

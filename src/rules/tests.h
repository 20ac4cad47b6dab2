/*
 * tests.h - the functions that the rows of table.c name, a group for each file.
 */
#ifndef PS_RULE_TESTS_H
#define PS_RULE_TESTS_H

#include "rules/rule.h"

typedef void rule_test(const struct rule *rule, const struct posture *posture,
                       struct findings *out);

/* server.c: settings */
rule_test rule_tls_off;

#endif

/* table.c - every rule, in the order of the manual (see rule.h). */
#include "rules/tests.h"

static const struct rule table[] = {
    { .id = "tls-off", .severity = SEV_CRITICAL, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("TLS is off"),
      .why = N_("Passwords, queries and rows cross the network as they are: whoever sees the packets has "
                "them, and can change them."),
      .cure = N_("Switch TLS on: \"pgseal secure\" makes what is missing and proves the result."),
      .sources = { { STD_CIS, "6.8" }, { STD_STIG, "CD16-00-004900" }, { STD_PCI, "4.2.1" },
                   { STD_PG, "Secure TCP/IP Connections with SSL" } },
      .test = rule_tls_off },
};

size_t rules_count(void)
{
    return PS_COUNT(table);
}

const struct rule *rule_at(size_t i)
{
    return &table[i];
}

/* Ids of errors and of rules share the command line of `pgseal explain`: none may be both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "doctor/entry.h"
#include "rules/rule.h"

static void no_error_has_the_id_of_a_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < doctor_entries(); i++)
        if (rule_find(doctor_entry(i)->id))
            fail_msg("%s is a rule, too", doctor_entry(i)->id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_error_has_the_id_of_a_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

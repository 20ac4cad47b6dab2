/* test_hide.c - passwords of configuration files are not shown; see secure/hide.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/defs.h"
#include "secure/hide.h"

static const struct { const char *text, *shown; } cases[] = {
    { "", "" },
    { "host all all all password\n", "host all all all password\n" },      /* the method */
    { "password_encryption = 'md5'\n", "password_encryption = 'md5'\n" },
    { "-host all all all ldap ldapbindpasswd=hush ldapport=1\n+x",
      "-host all all all ldap ldapbindpasswd=*** ldapport=1\n+x" },
    { "ldap ldapbindpasswd=\"hush hush\" # c\nx", "ldap ldapbindpasswd=***\nx" },
    { "ldap \"ldapbindpasswd=hush hush\"\nx", "ldap \"ldapbindpasswd=***\nx" },
    { "radius radiussecrets=\"\"\"a\"\",\"\"b\"\"\"\n", "radius radiussecrets=***\n" },
    { "primary_conninfo = 'host=a password=hush user=r'\n",
      "primary_conninfo = 'host=a password=*** user=r'\n" },
    { "primary_conninfo = 'host=a PASSWORD = ''hush hush'''\n",
      "primary_conninfo = 'host=a PASSWORD = ***\n" },
    { "password=", "password=***" },
};

static void passwords_are_not_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO(buf_free) struct buf shown = BUF(1000);

        hide_passwords(cases[i].text, &shown);
        assert_string_equal(buf_text(&shown), cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(passwords_are_not_shown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The passphrase of a CA's keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "cli/pass.h"

static void one_line_of_the_descriptor_serves_every_key(void **state)
{
    static const char line[] = "open sesame\nnot this\n";
    PS_AUTO(secret_free) struct secret root = { 0 };
    PS_AUTO(secret_free) struct secret client = { 0 };
    struct ps_err err = { 0 };
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], line, sizeof(line) - 1), sizeof(line) - 1);
    close(ends[1]);

    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = ends[0] };
    assert_true(cli_pass_get(&pass, "root.key", &root, &err));
    assert_true(cli_pass_get(&pass, "client-ca.key", &client, &err));
    close(ends[0]);
    assert_string_equal(root.p, "open sesame");
    assert_string_equal(client.p, "open sesame");
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
    PS_AUTO(cli_pass_free) struct cli_pass pass = { .fd = 999 };
    PS_AUTO(secret_free) struct secret out = { 0 };
    struct ps_err err = { 0 };

    (void)state;
    assert_false(cli_pass_get(&pass, "root.key", &out, &err));
    assert_int_not_equal(err.code, PS_E_NONE);
    assert_null(out.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_of_the_descriptor_serves_every_key),
        cmocka_unit_test(a_descriptor_that_is_not_open_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

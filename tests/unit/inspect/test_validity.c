/* When a certificate or CRL counts as about to expire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "inspect/tlsfiles.h"

#define DAY ((time_t)24 * 60 * 60)
#define NOW ((time_t)1800000000)

static const struct {
    const char *promise;
    enum tls_item_kind kind;
    time_t from, until;     /* from NOW */
    long warn_days;
    enum validity want;
} cases[] = {
    { "well inside", ITEM_CERT, -DAY, 60 * DAY, 30, VALID },
    { "the last second counts", ITEM_CERT, -DAY, 0, 0, VALID },
    { "one second over", ITEM_CERT, -DAY, -1, 30, VALID_OVER },
    { "one second early", ITEM_CERT, 1, 60 * DAY, 30, VALID_NOT_YET },
    { "exactly the days of the warning", ITEM_CERT, -DAY, 30 * DAY, 30, VALID },
    { "a second less", ITEM_CERT, -DAY, 30 * DAY - 1, 30, VALID_SOON_OVER },
    { "no warning wanted", ITEM_CERT, -DAY, 1, 0, VALID },
    { "a certificate of a week", ITEM_CERT, 0, 7 * DAY, 30, VALID_SOON_OVER },
    { "a fresh CRL of a week", ITEM_CRL, 0, 7 * DAY, 30, VALID },
    { "a CRL of a week in its last third", ITEM_CRL, -5 * DAY, 2 * DAY, 30, VALID_SOON_OVER },
    { "a CRL of a year in its last month", ITEM_CRL, -340 * DAY, 25 * DAY, 30, VALID_SOON_OVER },
    { "an expired CRL", ITEM_CRL, -9 * DAY, -DAY, 30, VALID_OVER },
};

static void validity_follows_the_clock_and_the_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        enum validity got = validity_at(cases[i].kind, NOW, NOW + cases[i].from,
                                        NOW + cases[i].until, cases[i].warn_days);
        if (got != cases[i].want)
            fail_msg("%s: got %d, wanted %d", cases[i].promise, (int)got, (int)cases[i].want);
    }
}

static void a_crl_without_an_end_is_valid(void **state)
{
    (void)state;
    assert_int_equal(validity_at(ITEM_CRL, NOW, NOW - DAY, 0, 30), VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity_follows_the_clock_and_the_kind),
        cmocka_unit_test(a_crl_without_an_end_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

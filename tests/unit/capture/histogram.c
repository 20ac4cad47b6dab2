/* The promise of capture/histogram.h: percentiles within 4 of 100, whatever the scale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "capture/histogram.h"

static void percentiles_are_near(void **state)
{
    static const double scales[] = { 0.01, 1, 30, 2500, 90000 };

    (void)state;
    for (size_t i = 0; i < PS_COUNT(scales); i++) {
        static struct histogram histogram;

        histogram = (struct histogram){ 0 };
        for (int n = 1; n <= 1000; n++)
            histogram_add(&histogram, scales[i] * n / 1000);
        histogram_add(&histogram, -1);      /* not seen: not counted */
        assert_int_equal(histogram.count, 1000);
        for (int percent = 10; percent <= 99; percent += 13) {
            double want = scales[i] * percent / 100, got = histogram_percentile(&histogram, percent);

            if (got < want * 0.96 - 0.002 || got > want * 1.04 + 0.002)
                fail_msg("%d %% of %g: %g, not %g", percent, scales[i], got, want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(percentiles_are_near) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

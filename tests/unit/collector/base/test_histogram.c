/* test_histogram.c - quantiles are within 9 %, also of odd inputs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void assert_near(double got, double want)
{
    if (fabs(got - want) > 0.1 * want)
        fail_msg("%f is not within 10 %% of %f", got, want);
}

static void test_quantiles_of_1_to_1000_are_near_their_rank(void **state)
{
    struct histogram histogram = {0};

    (void) state;
    for (int i = 1; i <= 1000; i++)
        histogram_add(&histogram, i);
    assert_near(histogram_quantile(&histogram, 0.5), 500);
    assert_near(histogram_quantile(&histogram, 0.95), 950);
    assert_true(histogram_quantile(&histogram, 1) == 1000);
}

static void test_an_empty_histogram_and_rubbish_give_zero(void **state)
{
    struct histogram histogram = {0};

    (void) state;
    assert_true(histogram_quantile(&histogram, 0.5) == 0);
    histogram_add(&histogram, NAN);
    histogram_add(&histogram, -5);
    assert_true(histogram_quantile(&histogram, 0.5) == 0);
}

static void test_a_number_beyond_the_last_bucket_is_still_the_maximum(void **state)
{
    struct histogram histogram = {0};

    (void) state;
    histogram_add(&histogram, 1e30);
    assert_true(histogram_quantile(&histogram, 1) == 1e30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_of_1_to_1000_are_near_their_rank),
        cmocka_unit_test(test_an_empty_histogram_and_rubbish_give_zero),
        cmocka_unit_test(test_a_number_beyond_the_last_bucket_is_still_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_leak_nnls.c - least squares that cannot go below zero. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "analyze/leak/leak_nnls.h"

static void test_two_columns_give_back_the_coefficients_that_made_the_rows(void **state)
{
    struct leak_nnls problem = {.columns = 2};

    (void) state;
    for (int i = 0; i < 20; i++) {
        const double a[] = {i % 5, i % 3};

        leak_nnls_add(&problem, a, 7 * a[0] + 2 * a[1]);
    }
    leak_nnls_solve(&problem);
    assert_true(fabs(problem.x[0] - 7) < .001);
    assert_true(fabs(problem.x[1] - 2) < .001);
    assert_true(problem.error[0] < .01);
}

static void test_a_coefficient_that_would_be_negative_is_zero(void **state)
{
    struct leak_nnls problem = {.columns = 2};

    (void) state;
    for (int i = 0; i < 20; i++) {
        const double a[] = {i % 5, i % 3};

        leak_nnls_add(&problem, a, 7 * a[0] - 2 * a[1]);
    }
    leak_nnls_solve(&problem);
    assert_true(problem.x[1] == 0);
    assert_true(problem.x[0] > 4 && problem.x[0] < 7);
}

static void test_a_column_that_never_occurs_has_an_infinite_error(void **state)
{
    struct leak_nnls problem = {.columns = 2};

    (void) state;
    for (int i = 0; i < 20; i++)
        leak_nnls_add(&problem, (double[]){i, 0}, 3 * i + i % 2);
    leak_nnls_solve(&problem);
    assert_true(fabs(problem.x[0] - 3) < .1);
    assert_true(problem.error[0] > 0 && problem.error[0] < .1);
    assert_true(isinf(problem.error[1]));
}

/* One row for two columns: nothing tells how they share it. */
static void test_columns_that_no_row_tells_apart_share_as_expected_with_an_open_error(void **state)
{
    struct leak_nnls problem = {.columns = 2, .expected = {1, 1}, .expected_error = {1, 1}};

    (void) state;
    leak_nnls_add(&problem, (double[]){500, 800}, 1310);
    leak_nnls_solve(&problem);
    assert_true(fabs(problem.x[0] - 1) < .05);
    assert_true(fabs(problem.x[1] - 1) < .05);
    assert_true(problem.error[0] > .4 && problem.error[0] < 1.1);
    assert_true(problem.error[1] > .4 && problem.error[1] < 1.1);
}

static void test_rows_that_tell_columns_apart_overrule_the_expectation(void **state)
{
    struct leak_nnls problem = {.columns = 2, .expected = {1, 1}, .expected_error = {1, 1}};

    (void) state;
    for (int i = 0; i < 20; i++) {
        const double a[] = {i % 5, i % 3};

        leak_nnls_add(&problem, a, 2 * a[0]);
    }
    leak_nnls_solve(&problem);
    assert_true(fabs(problem.x[0] - 2) < .01);
    assert_true(problem.x[1] < .01);
    assert_true(problem.error[1] < .1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_columns_give_back_the_coefficients_that_made_the_rows),
        cmocka_unit_test(test_a_coefficient_that_would_be_negative_is_zero),
        cmocka_unit_test(test_a_column_that_never_occurs_has_an_infinite_error),
        cmocka_unit_test(test_columns_that_no_row_tells_apart_share_as_expected_with_an_open_error),
        cmocka_unit_test(test_rows_that_tell_columns_apart_overrule_the_expectation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

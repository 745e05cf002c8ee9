/* test_sampler.c - the sampler keeps its odds, so that weighted sums are unbiased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "alloc/sampler.h"

enum { INTERVAL = 65536, ROUNDS = 200000 };

/* Run `count` allocations of `bytes` past the sampler, as malloc() does; how many were picked? */
static unsigned picked_of(struct sampler *sampler, unsigned count, uint64_t bytes)
{
    uint64_t at = 0, next = sampler_next_gap_bytes(sampler);
    unsigned picked = 0;

    for (unsigned i = 0; i < count; i++) {
        at += bytes;
        if (at < next)
            continue;
        picked++;
        next = at + sampler_next_gap_bytes(sampler);
    }
    return picked;
}

static void assert_odds(uint64_t bytes, unsigned count)
{
    struct sampler sampler;
    double p = 1 - exp(-(double) bytes / INTERVAL);
    double expected = count * p, spread = sqrt(count * p * (1 - p));
    unsigned picked;

    sampler_init(&sampler, 1234567 + bytes, INTERVAL);
    picked = picked_of(&sampler, count, bytes);
    assert_true(fabs(picked - expected) <= 5 * spread + 1);
}

static void test_the_logarithm_is_right(void **state)
{
    (void) state;
    for (int bit = 0; bit <= 53; bit++)
        for (uint64_t step = 1; step < 200; step += 7) {
            uint64_t fraction = (UINT64_C(1) << bit) + step * ((UINT64_C(1) << bit) / 200);
            double exact;

            if (fraction > UINT64_C(1) << 53)
                continue;
            exact = -log((double) fraction / 0x1p53);
            assert_true(fabs(sampler_minus_log(fraction) - exact) < 2e-6);
        }
}

static void test_gaps_have_the_mean_of_the_interval(void **state)
{
    struct sampler sampler;
    double sum = 0;

    (void) state;
    sampler_init(&sampler, 42, INTERVAL);
    for (int i = 0; i < ROUNDS; i++)
        sum += (double) sampler_next_gap_bytes(&sampler);
    assert_true(fabs(sum / ROUNDS / INTERVAL - 1) < 5 / sqrt(ROUNDS));
}

static void test_a_block_is_picked_with_its_own_odds(void **state)
{
    (void) state;
    assert_odds(24, 2000000);
    assert_odds(1000, 1000000);
    assert_odds(65536, 100000);
    assert_odds(600000, 20000);
}

static void test_blocks_far_above_the_interval_are_always_picked(void **state)
{
    struct sampler sampler;

    (void) state;
    sampler_init(&sampler, 7, INTERVAL);
    assert_int_equal(picked_of(&sampler, 1000, 40 * INTERVAL), 1000);
}

static void test_a_gap_is_never_zero(void **state)
{
    struct sampler sampler;

    (void) state;
    sampler_init(&sampler, 0, 1); /* also: a seed of 0 must not stand still */
    for (int i = 0; i < 1000; i++)
        assert_true(sampler_next_gap_bytes(&sampler) >= 1);
    assert_true(sampler.random != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_logarithm_is_right),
        cmocka_unit_test(test_gaps_have_the_mean_of_the_interval),
        cmocka_unit_test(test_a_block_is_picked_with_its_own_odds),
        cmocka_unit_test(test_blocks_far_above_the_interval_are_always_picked),
        cmocka_unit_test(test_a_gap_is_never_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

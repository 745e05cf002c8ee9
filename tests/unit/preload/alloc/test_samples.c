/* test_samples.c - every block, or samples of them: what a worker starts with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "alloc/controller.h"
#include "alloc/samples.h"
#include "alloc/toll.h"
#include "base/real.h"

static struct worker_stacks stacks;
static struct link nobody = {.fd = -1};
static struct batch batch;
static unsigned refused; /* mappings */

static const struct samples_setup exact = {
    .stacks = &stacks, .batch = &batch, .budget_ppm = 5000, .exact = true, .grain_bits = 4};

static int start(void **state)
{
    (void) state;
    batch_init(&batch, &nobody);
    refused = 0;
    return 0;
}

static void *refuse(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    (void) address;
    (void) bytes;
    (void) protection;
    (void) flags;
    (void) fd;
    (void) offset;
    refused++;
    return MAP_FAILED;
}

/* What samples_start() says where no mapping is to be had. */
static const char *start_without_memory(void)
{
    const struct real_functions before = real;
    const char *why;

    real.mmap = refuse;
    why = samples_start(&exact);
    real = before;
    return why;
}

static void test_the_exact_mode_takes_every_block_and_has_nothing_to_say(void **state)
{
    struct rlimit limit;

    (void) state;
    getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur != RLIM_INFINITY)
        skip();
    assert_null(samples_start(&exact));
    assert_int_equal(samples_interval_bytes(), 1);
    samples_abandon();
}

static void test_without_memory_for_it_blocks_are_sampled_as_usual_and_it_is_said(void **state)
{
    const char *why = start_without_memory();

    (void) state;
    assert_non_null(why);
    assert_non_null(strstr(why, "sampled instead"));
    assert_int_equal(refused, 1);
    assert_int_equal(samples_interval_bytes(), CONTROLLER_FIRST_INTERVAL_BYTES);
}

static void test_of_limited_memory_it_takes_nothing(void **state)
{
    struct rlimit before, limited;
    const char *why;

    (void) state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    limited = (struct rlimit){.rlim_cur = (rlim_t) 1 << 46, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &limited), 0);
    why = start_without_memory();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(refused, 0);
    assert_non_null(why);
    assert_non_null(strstr(why, "RLIMIT_AS"));
    assert_int_equal(samples_interval_bytes(), CONTROLLER_FIRST_INTERVAL_BYTES);
}

static void test_who_did_not_ask_for_it_is_told_nothing(void **state)
{
    struct samples_setup sampled = exact;

    (void) state;
    sampled.exact = false;
    sampled.interval_bytes = 4096;
    assert_null(samples_start(&sampled));
    assert_int_equal(samples_interval_bytes(), 4096);
}

enum { MS_NS = 1000 * 1000, SMALL_BYTES = 24 };

/* A request in which one block of 24 bytes is picked, and the books of a millisecond of CPU time.
 */
static struct samples_count sample_a_request(uint64_t seq, uint64_t allocated_bytes)
{
    static char block[SMALL_BYTES];
    struct samples_count count;

    samples_begin(seq, false);
    samples_due(block, sizeof block, NULL);
    count = samples_end(seq * allocated_bytes, seq * MS_NS);
    samples_freed(block);
    samples_tell_freed();
    return count;
}

static void start_sampling(uint64_t budget_ppm)
{
    static struct link somebody = {.fd = 1000}; /* nothing is sent before a batch is full */
    const struct samples_setup setup = {.stacks = &stacks,
                                        .batch = &batch,
                                        .budget_ppm = budget_ppm,
                                        .budgets_ppm = 2 * budget_ppm};

    batch_init(&batch, &somebody);
    samples_start(&setup);
    samples_wish(0, false);
}

static void test_where_little_is_allocated_nothing_is_taken_from_the_budgets(void **state)
{
    (void) state;
    start_sampling(5000);
    for (uint64_t seq = 1; seq <= 3; seq++)
        sample_a_request(seq, 1024);
    assert_int_equal(samples_left_ppm(), PPM);
    samples_abandon();
}

static void test_where_small_blocks_rain_the_hooks_take_their_share_of_the_budgets(void **state)
{
    (void) state;
    start_sampling(5000);
    for (uint64_t seq = 1; seq <= 3; seq++)
        sample_a_request(seq, 1024 * 1024);
    assert_int_equal(samples_left_ppm(), TOLL_LEAST_PPM);
    samples_abandon();
}

static void test_at_the_largest_interval_a_sample_too_dear_is_followed_by_none(void **state)
{
    struct samples_count count = {0};
    uint32_t taken = 0, throttled = 0;

    (void) state;
    start_sampling(5); /* 5 ns in a millisecond: no sample is that cheap */
    for (uint64_t seq = 1; seq <= 40; seq++) {
        count = sample_a_request(seq, SMALL_BYTES);
        taken += count.taken;
        throttled += count.throttled;
    }
    assert_int_equal(samples_interval_bytes(), CONTROLLER_MAX_INTERVAL_BYTES);
    assert_int_equal(taken + throttled, 40);
    assert_in_range(throttled, 16, 36);
    samples_abandon();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_exact_mode_takes_every_block_and_has_nothing_to_say, start),
        cmocka_unit_test_setup(
            test_without_memory_for_it_blocks_are_sampled_as_usual_and_it_is_said, start),
        cmocka_unit_test_setup(test_of_limited_memory_it_takes_nothing, start),
        cmocka_unit_test_setup(test_who_did_not_ask_for_it_is_told_nothing, start),
        cmocka_unit_test(test_where_little_is_allocated_nothing_is_taken_from_the_budgets),
        cmocka_unit_test(test_where_small_blocks_rain_the_hooks_take_their_share_of_the_budgets),
        cmocka_unit_test(test_at_the_largest_interval_a_sample_too_dear_is_followed_by_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

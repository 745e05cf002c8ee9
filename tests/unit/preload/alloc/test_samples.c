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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_exact_mode_takes_every_block_and_has_nothing_to_say, start),
        cmocka_unit_test_setup(
            test_without_memory_for_it_blocks_are_sampled_as_usual_and_it_is_said, start),
        cmocka_unit_test_setup(test_of_limited_memory_it_takes_nothing, start),
        cmocka_unit_test_setup(test_who_did_not_ask_for_it_is_told_nothing, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

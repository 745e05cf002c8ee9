/* test_crash_page.c - a recorder page lies wherever it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <signal.h>

#include <cmocka.h>

#include "ingest/crash_page.h"

static struct recorder_page page;
static struct crash_page crash;

static int setup(void **state)
{
    (void) state;
    memset(&page, 0, sizeof page);
    page.magic = RECORDER_MAGIC;
    page.version = RECORDER_VERSION;
    page.page_bytes = sizeof page;
    page.crash.state = RECORDER_CRASH_COMPLETE;
    page.crash.signo = SIGSEGV;
    page.crash.code = SEGV_MAPERR;
    page.crash.sp = 0x7ffc00001000;
    page.crash.address = page.crash.sp - 8;
    page.crash.stack_address = page.crash.sp;
    page.crash.stack_len_bytes = sizeof page.crash.stack;
    return 0;
}

static int check(void)
{
    return crash_page_check(&page, sizeof page, &crash);
}

static void test_a_sound_page_is_accepted(void **state)
{
    (void) state;
    assert_int_equal(check(), 0);
    assert_true(crash.complete);
    page.crash.state = RECORDER_CRASH_BEGUN;
    assert_int_equal(check(), 0);
    assert_false(crash.complete);
}

static void test_a_page_without_a_crash_has_no_data(void **state)
{
    (void) state;
    page.crash.state = RECORDER_CRASH_NONE;
    assert_int_equal(check(), -ENODATA);
}

static void test_a_short_or_foreign_page_is_refused(void **state)
{
    (void) state;
    assert_int_equal(crash_page_check(&page, sizeof page - 1, &crash), -EBADMSG);
    page.magic++;
    assert_int_equal(check(), -EBADMSG);
    setup(NULL);
    page.version++;
    assert_int_equal(check(), -EBADMSG);
    setup(NULL);
    page.page_bytes--;
    assert_int_equal(check(), -EBADMSG);
}

/* Every length of the crash area, one more than fits, and the largest there is. */
static void test_every_length_that_lies_is_refused(void **state)
{
    const struct {
        uint32_t *field;
        uint32_t limit;
    } lengths[] = {
        {&page.crash.php_len_bytes, sizeof page.crash.php},
        {&page.crash.maps_len_bytes, sizeof page.crash.maps},
        {&page.crash.stack_len_bytes, sizeof page.crash.stack},
        {&page.crash.register_count, RECORDER_REGISTERS},
        {&page.crash.state, RECORDER_CRASH_COMPLETE},
        {&page.crash.signo, 64},
    };

    (void) state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        setup(NULL);
        *lengths[i].field = lengths[i].limit;
        assert_int_equal(check(), 0);
        *lengths[i].field = lengths[i].limit + 1;
        assert_int_equal(check(), -EBADMSG);
        *lengths[i].field = UINT32_MAX;
        assert_int_equal(check(), -EBADMSG);
    }
    setup(NULL);
    page.crash.signo = 0;
    assert_int_equal(check(), -EBADMSG);
}

static void test_a_stack_copy_that_wraps_around_is_refused(void **state)
{
    (void) state;
    page.crash.stack_address = UINT64_MAX - 4;
    assert_int_equal(check(), -EBADMSG);
}

static bool overflow(void)
{
    assert_int_equal(check(), 0);
    return crash_page_is_stack_overflow(&crash);
}

static void test_a_fault_next_to_a_deep_stack_is_an_overflow(void **state)
{
    (void) state;
    assert_true(overflow());
    page.crash.address = page.crash.sp + 65535;
    assert_true(overflow());
}

static void test_other_faults_are_no_overflow(void **state)
{
    (void) state;
    page.crash.address = page.crash.sp - 65536;
    assert_false(overflow());
    setup(NULL);
    page.crash.address = 0;
    assert_false(overflow());
    setup(NULL);
    page.crash.signo = SIGBUS;
    assert_false(overflow());
    setup(NULL);
    page.crash.code = SI_USER; /* kill -SEGV */
    assert_false(overflow());
    setup(NULL);
    page.crash.stack_len_bytes = 0; /* a wild stack pointer */
    assert_false(overflow());
}

#define PAGE_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(test_a_sound_page_is_accepted),
        PAGE_TEST(test_a_page_without_a_crash_has_no_data),
        PAGE_TEST(test_a_short_or_foreign_page_is_refused),
        PAGE_TEST(test_every_length_that_lies_is_refused),
        PAGE_TEST(test_a_stack_copy_that_wraps_around_is_refused),
        PAGE_TEST(test_a_fault_next_to_a_deep_stack_is_an_overflow),
        PAGE_TEST(test_other_faults_are_no_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_log_matter.c - which lines are kept for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logs/log_matter.h"

static enum log_matter access_of(int status, int upstream)
{
    struct log_event event;

    log_event_init(&event, LOG_ACCESS);
    event.access.status = status;
    event.access.upstream_count = upstream ? 2 : 0;
    event.access.upstream_status[0] = 200;
    event.access.upstream_status[1] = upstream;
    return log_matter(&event);
}

static void test_a_failed_request_is_trouble_also_behind_an_error_page(void **state)
{
    (void) state;
    assert_int_equal(access_of(502, 0), LOG_IS_TROUBLE);
    assert_int_equal(access_of(499, 0), LOG_IS_TROUBLE);
    assert_int_equal(access_of(200, 502), LOG_IS_TROUBLE);
    assert_int_equal(access_of(200, 200), LOG_MATTERS_NEARBY);
    assert_int_equal(access_of(404, 0), LOG_MATTERS_NEARBY);
    assert_int_equal(access_of(-1, 0), LOG_MATTERS_NEARBY);
}

static void test_deaths_are_trouble_restarts_matter_and_chatter_waits(void **state)
{
    struct log_event event;

    (void) state;
    log_event_init(&event, LOG_FPM);
    event.fpm.what = FPM_CHILD_SIGNAL;
    assert_int_equal(log_matter(&event), LOG_IS_TROUBLE);
    event.fpm.what = FPM_RELOADING;
    assert_int_equal(log_matter(&event), LOG_MATTERS);
    event.fpm.what = FPM_STDERR;
    assert_int_equal(log_matter(&event), LOG_MATTERS_NEARBY);
    log_event_init(&event, LOG_KERNEL);
    event.kernel.what = KERNEL_OOM_KILLED;
    assert_int_equal(log_matter(&event), LOG_IS_TROUBLE);
    event.kernel.what = KERNEL_OTHER;
    assert_int_equal(log_matter(&event), LOG_MATTERS_NEARBY);
    log_event_init(&event, LOG_VARNISHD);
    assert_int_equal(log_matter(&event), LOG_MATTERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_request_is_trouble_also_behind_an_error_page),
        cmocka_unit_test(test_deaths_are_trouble_restarts_matter_and_chatter_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

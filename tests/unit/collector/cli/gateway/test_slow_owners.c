/* test_slow_owners.c - the slow log's stack names the module of a page that was too slow. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/gateway/slow_owners.h"

#define SECOND INT64_C(1000000)
#define T0     (INT64_C(1795325900) * SECOND)
#define ERP    "/srv/shop/app/code/Acme/ErpSync/Model/Push.php"
#define STACK                                                                                      \
    "[0x00007f8f020131a0] usleep() " ERP ":19\n"                                                   \
    "[0x00007f8f02013100] push() " ERP ":41\n"                                                     \
    "[0x00007f8f02013000] execute() /srv/shop/vendor/magento/framework/App/Http.php:116\n"         \
    "[0x00007f8f02012000] [INCLUDE_OR_EVAL]() /srv/shop/pub/index.php:30\n"

static void add_time_out(struct gateway *gateway, const char *stack)
{
    struct log_event line, slow, timeout, exited;

    log_event_init(&line, LOG_ACCESS);
    line.time_us = T0 + 9 * SECOND;
    line.time_precision_us = 1000;
    line.access.status = 502;
    line.access.method = SLICE("GET");
    line.access.uri = SLICE("/erp/");
    line.access.handler = SLICE("phpfpm");
    line.access.request_time_us = 8 * SECOND;
    line.access.request_time_precision_us = 1000;
    log_event_init(&slow, LOG_PHP_SLOW);
    slow.time_us = T0 + 3 * SECOND;
    slow.slow.pid = 41;
    slow.slow.stack = slice_of(stack);
    slow.slow.function = SLICE("usleep()");
    log_event_init(&timeout, LOG_FPM);
    timeout.time_us = T0 + 9 * SECOND;
    timeout.time_precision_us = SECOND;
    timeout.fpm = (struct log_fpm){.what = FPM_TIMEOUT, .pid = 41, .age_us = 8 * SECOND};
    log_event_init(&exited, LOG_FPM);
    exited.time_us = T0 + 9 * SECOND;
    exited.time_precision_us = SECOND;
    exited.fpm = (struct log_fpm){.what = FPM_CHILD_SIGNAL, .pid = 41, .signo = 15, .age_us = -1};
    slow_owners_note(gateway, NULL, &slow);
    slow_owners_note(gateway, NULL, &line); /* says nothing */
    gateway_add_log(gateway, &line);
    gateway_add_log(gateway, &slow);
    gateway_add_log(gateway, &timeout);
    gateway_add_log(gateway, &exited);
}

static const struct gateway_row *judge(struct gateway *gateway, const char *stack)
{
    const struct gateway_report *report;

    gateway_pass(gateway, GATEWAY_SCAN);
    add_time_out(gateway, stack);
    gateway_pass(gateway, GATEWAY_GATHER);
    add_time_out(gateway, stack);
    report = gateway_finish(gateway);
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_request_timeout_killed);
    return &report->rows[0];
}

static void test_a_time_out_names_the_module_that_the_slow_log_saw(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_row *row = judge(gateway, STACK);

    (void) state;
    assert_true(slice_equal(row->module, SLICE("Acme_ErpSync")));
    assert_true(slice_find(row->frame, SLICE("Push.php:")) >= 0);
    assert_true(slice_find(row->advice, SLICE("in the module Acme_ErpSync")) >= 0);
    gateway_free(gateway);
}

static void test_a_stack_of_nobodys_code_names_nobody(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_row *row =
        judge(gateway, "[0x00007f8f020131a0] usleep() "
                       "/srv/shop/vendor/magento/framework/Lock/Backend/Database.php:19\n"
                       "[0x00007f8f020130a0] run() /srv/shop/pub/index.php:19\n");

    (void) state;
    assert_int_equal(row->module.len_bytes, 0);
    gateway_free(gateway);
}

static void test_code_outside_every_module_is_the_applications(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_row *row =
        judge(gateway, "[0x00007f8f020131a0] usleep() /srv/shop/report.php:19\n");

    (void) state;
    assert_true(slice_equal(row->module, SLICE("app:shop")));
    assert_true(slice_find(row->frame, SLICE("report.php:19")) >= 0);
    assert_true(slice_find(row->advice, SLICE(" in app:shop: ")) >= 0);
    gateway_free(gateway);
}

static void test_an_application_without_a_name_is_the_sites_own_code(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_row *row =
        judge(gateway, "[0x00007f8f020131a0] usleep() /var/www/html/report.php:19\n");

    (void) state;
    assert_true(slice_find(row->advice, SLICE(" in the site's own code: ")) >= 0);
    gateway_free(gateway);
}

static void test_lines_that_are_no_frames_are_passed_over(void **state)
{
    struct gateway *gateway = gateway_new(NULL);
    const struct gateway_row *row = judge(gateway, "[0x\n\n] \n[0x1] \n[0x2] f\n" STACK);

    (void) state;
    assert_true(slice_equal(row->module, SLICE("Acme_ErpSync")));
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_out_names_the_module_that_the_slow_log_saw),
        cmocka_unit_test(test_a_stack_of_nobodys_code_names_nobody),
        cmocka_unit_test(test_code_outside_every_module_is_the_applications),
        cmocka_unit_test(test_an_application_without_a_name_is_the_sites_own_code),
        cmocka_unit_test(test_lines_that_are_no_frames_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_doctor_settings.c - timeouts, restarts, requests and queues of php-fpm. */
#include "doctor_case.h"

static void test_a_pool_without_a_terminate_timeout_gets_one_above_nginx_patience(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_pool(host)->request_terminate_timeout_s = 0;
    case_hop(host)->read_timeout_s = 300;
    finding = case_find(host, "terminate_timeout");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "request_terminate_timeout = 310s in pool www");
    doctor_host_free(host);
}

static void test_every_pool_that_needs_it_gets_its_line(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_pool(host)->request_terminate_timeout_s = 0;
    doctor_host_add_pool(host, 0, "api")->request_terminate_timeout_s = 0;
    doctor_host_add_pool(host, 0, "cron")->request_terminate_timeout_s = 600;
    finding = case_find(host, "terminate_timeout");
    ASSERT_FIX(finding, "request_terminate_timeout = 70s in pool www, api");
    doctor_host_free(host);
}

static void test_a_pool_is_told_how_long_nginx_waits_for_it_not_for_another(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_hop *patient = array_add(&host->nginx.hops);
    struct doctor_finding finding;

    (void) state;
    assert_non_null(patient);
    *patient = *case_hop(host);
    patient->pass = "unix:/run/php/patient.sock";
    patient->read_timeout_s = 300;
    case_pool(host)->listen = "/run/php/mail.sock";
    case_pool(host)->request_terminate_timeout_s = 0;
    case_hop(host)->pass = "unix:/run/php/mail.sock";
    case_hop(host)->read_timeout_s = 5;
    finding = case_find(host, "terminate_timeout");
    ASSERT_FIX(finding, "request_terminate_timeout = 15s in pool www");
    case_hop(host)->pass = "php"; /* an upstream's name */
    finding = case_find(host, "terminate_timeout");
    ASSERT_FIX(finding, "request_terminate_timeout = 310s in pool www");
    doctor_host_free(host);
}

static void test_a_reload_without_patience_is_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->process_control_timeout_s = -1; /* not set: 0 */
    finding = case_find(host, "control_timeout");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "/etc/php/8.2/fpm/php-fpm.conf");
    case_master(host)->config = NULL;
    finding = case_find(host, "control_timeout");
    ASSERT_STATE(finding, "skipped");
    doctor_host_free(host);
}

static void test_an_emergency_restart_is_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->emergency_restart_threshold = 3;
    case_master(host)->emergency_restart_interval_s = 60;
    finding = case_find(host, "emergency_restart");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "3 crashes in 60s");
    doctor_host_free(host);
}

static void test_workers_that_end_too_early_cannot_be_judged(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_pool(host)->max_requests = 100;
    finding = case_find(host, "max_requests");
    ASSERT_STATE(finding, "warn");
    case_pool(host)->max_requests = 256;
    finding = case_find(host, "max_requests");
    ASSERT_STATE(finding, "ok");
    case_pool(host)->max_requests = -1;
    finding = case_find(host, "max_requests");
    ASSERT_STATE(finding, "ok");
    doctor_host_free(host);
}

static struct doctor_finding backlog_of(int64_t backlog, int64_t somaxconn, int64_t children)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    case_pool(host)->listen_backlog = backlog;
    case_pool(host)->max_children = children;
    host->memory.somaxconn = somaxconn;
    finding = case_find(host, "listen_backlog");
    doctor_host_free(host);
    return finding;
}

static void test_the_queue_is_what_the_kernel_leaves_of_it(void **state)
{
    struct doctor_finding finding;

    (void) state;
    finding = backlog_of(-1, 4096, 20); /* not said: php-fpm asks for 511 */
    ASSERT_STATE(finding, "ok");
    ASSERT_SAYS(finding, "511 requests may wait");
    finding = backlog_of(2, 4096, 20);
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "listen.backlog = 511");
    finding = backlog_of(511, 64, 20);
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "64 requests may wait");
    ASSERT_FIX(finding, "sysctl -w net.core.somaxconn=4096");
    finding = backlog_of(511, 4096, 800);
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "listen.backlog = 800");
    finding = backlog_of(511, 128, 800); /* the fix must be enough */
    ASSERT_FIX(finding, "sysctl -w net.core.somaxconn=4096, then restart php-fpm with "
                        "listen.backlog = 800");
    finding = backlog_of(511, 128, 5000);
    ASSERT_FIX(finding, "net.core.somaxconn=5000");
    finding = backlog_of(4096, 128, 20);
    ASSERT_STATE(finding, "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_without_a_terminate_timeout_gets_one_above_nginx_patience),
        cmocka_unit_test(test_every_pool_that_needs_it_gets_its_line),
        cmocka_unit_test(test_a_pool_is_told_how_long_nginx_waits_for_it_not_for_another),
        cmocka_unit_test(test_a_reload_without_patience_is_warned_of),
        cmocka_unit_test(test_an_emergency_restart_is_warned_of),
        cmocka_unit_test(test_workers_that_end_too_early_cannot_be_judged),
        cmocka_unit_test(test_the_queue_is_what_the_kernel_leaves_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

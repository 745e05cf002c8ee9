/* test_doctor_memory.c - sums over workers and memory, and what is made of them. */
#include "doctor_case.h"

#include "analyze/doctor/doctor_sizing.h"

static void test_a_worker_needs_its_share_and_what_it_has_been_larger_before(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_worker *worker = array_at(&host->workers, 1);
    struct doctor_pool_size size;

    (void) state;
    worker->peak_rss_kib = worker->rss_kib + (31 << 10);
    size = doctor_pool_size(host, 0);
    assert_true(size.measured);
    assert_true(size.by_share);
    assert_int_equal(size.workers, 2);
    assert_int_equal(size.worker_bytes, INT64_C(131) << 20);
    assert_int_equal(size.held_bytes, INT64_C(200) << 20);
    assert_int_equal(size.mean_rss_bytes, INT64_C(110) << 20);
    doctor_host_free(host);
}

static void test_without_workers_the_reference_of_63_mb_is_taken(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_pool_size size;

    (void) state;
    host->workers.count = 0;
    size = doctor_pool_size(host, 0);
    assert_false(size.measured);
    assert_int_equal(size.worker_bytes, INT64_C(63) << 20);
    doctor_host_free(host);
}

static void test_a_pool_that_does_not_fit_fails_with_a_number_that_fits(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;
    struct doctor_room room;

    (void) state;
    case_pool(host)->max_children = 100; /* 100 x 100 MB = 9.8 GB; 5 GB + 200 MB are there */
    finding = case_find(host, "pool_memory");
    ASSERT_STATE(finding, "fail");
    ASSERT_SAYS(finding, "100 workers x 100 MB = 9.8 GB of 8.0 GB");
    room = doctor_room_of_host(host);
    /* 5320 MB less 819 MB of reserve: 45 workers of 100 MB. */
    assert_int_equal(doctor_max_children(case_pool(host), &room), 45);
    ASSERT_FIX(finding, "pm.max_children = 45");
    case_pool(host)->max_children = 45;
    finding = case_find(host, "pool_memory");
    ASSERT_STATE(finding, "ok");
    doctor_host_free(host);
}

static void test_pools_that_fit_alone_are_judged_together(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_pool(host)->max_children = 40;
    doctor_host_add_pool(host, 0, "api")->max_children = 40; /* 63 MB each */
    finding = case_find(host, "pool_memory");
    ASSERT_STATE(finding, "fail");
    doctor_host_free(host);
}

static void test_a_control_groups_limit_counts_where_the_host_has_enough(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->cgroup = (struct doctor_cgroup){.version = 2,
                                                       .path = "/sys/fs/cgroup/php",
                                                       .limit_bytes = INT64_C(1) << 30,
                                                       .used_bytes = INT64_C(300) << 20,
                                                       .reclaimable_bytes = 0};
    finding = case_find(host, "pool_memory");
    ASSERT_STATE(finding, "fail");
    ASSERT_SAYS(finding, "control group");
    finding = case_find(host, "cgroup");
    ASSERT_STATE(finding, "ok");
    case_master(host)->cgroup.used_bytes = INT64_C(1000) << 20;
    finding = case_find(host, "cgroup");
    ASSERT_STATE(finding, "fail");
    case_master(host)->cgroup.reclaimable_bytes = INT64_C(700) << 20; /* page cache */
    finding = case_find(host, "cgroup");
    ASSERT_STATE(finding, "ok");
    doctor_host_free(host);
}

static void test_small_workers_do_not_promise_a_pool_of_thousands(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_room room;

    (void) state;
    for (size_t i = 0; i < host->workers.count; i++)
        *(struct doctor_worker *) array_at(&host->workers, i) =
            (struct doctor_worker){.pool = "www", .rss_kib = 4096, .pss_kib = 4096};
    room = doctor_room_of_host(host);
    assert_in_range(doctor_max_children_upwards(host, 0, &room), 60, 70); /* 4.2 GB / 63 MB */
    doctor_host_free(host);
}

static void test_workers_of_twice_the_reference_are_large(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    finding = case_find(host, "worker_memory");
    ASSERT_STATE(finding, "ok");
    for (size_t i = 0; i < host->workers.count; i++)
        ((struct doctor_worker *) array_at(&host->workers, i))->rss_kib = 131 << 10;
    finding = case_find(host, "worker_memory");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "RSS 131 MB on average");
    doctor_host_free(host);
}

static void test_hostile_numbers_of_children_do_not_overflow(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_worker *worker = array_at(&host->workers, 0);
    struct doctor_report report;

    (void) state;
    case_pool(host)->max_children = INT64_MAX / 4;
    worker->pss_kib = worker->rss_kib = INT64_C(1) << 40;
    assert_int_equal(doctor_examine(host, &report), 0);
    doctor_report_release(&report);
    doctor_host_free(host);
}

static void test_swap_in_use_is_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    host->memory.swap_total_kib = 1 << 20;
    host->memory.swap_free_kib = 1 << 19;
    finding = case_find(host, "swap");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "512 MB of 1.0 GB");
    doctor_host_free(host);
}

static void test_oom_kills_of_php_fail_and_others_warn(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    host->memory.oom_kills = 1;
    finding = case_find(host, "oom_kills");
    ASSERT_STATE(finding, "warn");
    host->kernel.oom_lines = host->kernel.php_oom_lines = 1;
    finding = case_find(host, "oom_kills");
    ASSERT_STATE(finding, "fail");
    ASSERT_FIX(finding, "dmesg | fpmscope 502 --all - /var/log/nginx/access.log says who");
    host->kernel.readable_path = "the journal";
    ((struct doctor_log *) array_at(&host->logs, 0))->path = "/srv/logs/shop.log";
    finding = case_find(host, "oom_kills");
    ASSERT_FIX(finding, "fpmscope 502 --all journal: /srv/logs/shop.log says who");
    host->memory.oom_kills = -1;
    host->kernel.oom_lines = host->kernel.php_oom_lines = 0;
    finding = case_find(host, "oom_kills");
    ASSERT_STATE(finding, "skipped");
    doctor_host_free(host);
}

static void test_a_php_fpm_that_the_kernel_prefers_to_kill_is_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->oom_score_adj = 1000;
    finding = case_find(host, "oom_score");
    ASSERT_STATE(finding, "warn");
    case_master(host)->oom_score_adj = -1000;
    finding = case_find(host, "oom_score");
    ASSERT_STATE(finding, "ok");
    doctor_host_free(host);
}

static void test_who_holds_more_than_half_is_named_with_the_hosts_own_command(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    ((struct doctor_group *) array_at(&host->groups, 0))->rss_kib = 5 << 20;
    finding = case_find(host, "memory_holders");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "systemctl restart mysql");
    host->hypernode = true;
    finding = case_find(host, "memory_holders");
    ASSERT_FIX(finding, "hypernode-servicectl restart mysql");
    doctor_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_worker_needs_its_share_and_what_it_has_been_larger_before),
        cmocka_unit_test(test_without_workers_the_reference_of_63_mb_is_taken),
        cmocka_unit_test(test_a_pool_that_does_not_fit_fails_with_a_number_that_fits),
        cmocka_unit_test(test_pools_that_fit_alone_are_judged_together),
        cmocka_unit_test(test_a_control_groups_limit_counts_where_the_host_has_enough),
        cmocka_unit_test(test_small_workers_do_not_promise_a_pool_of_thousands),
        cmocka_unit_test(test_workers_of_twice_the_reference_are_large),
        cmocka_unit_test(test_hostile_numbers_of_children_do_not_overflow),
        cmocka_unit_test(test_swap_in_use_is_warned_of),
        cmocka_unit_test(test_oom_kills_of_php_fail_and_others_warn),
        cmocka_unit_test(test_a_php_fpm_that_the_kernel_prefers_to_kill_is_warned_of),
        cmocka_unit_test(test_who_holds_more_than_half_is_named_with_the_hosts_own_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

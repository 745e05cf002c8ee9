/* test_doctor_gateway.c - nginx, Varnish, the collector and logs. */
#include <stdio.h>

#include "doctor_case.h"

static void test_a_block_that_does_not_tell_the_id_gets_the_exact_line(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->has_request_id = false;
    finding = case_find(host, "request_id");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "fastcgi_param REQUEST_ID $request_id;");
    ASSERT_FIX(finding, "/etc/nginx/site:7");
    ASSERT_FIX(finding, "systemctl reload nginx");
    host->hypernode = true;
    finding = case_find(host, "request_id");
    ASSERT_FIX(finding, "hypernode-servicectl reload nginx");
    doctor_host_free(host);
}

static void test_a_hidden_id_is_explained(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->has_request_id = false;
    case_hop(host)->hides_request_id = true;
    finding = case_find(host, "request_id");
    ASSERT_SAYS(finding, "hides the one further out");
    doctor_host_free(host);
}

static void test_a_log_without_the_id_is_named(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    doctor_host_add_name(host, &host->nginx.access_logs_without_id, SLICE("/var/log/a.log"));
    finding = case_find(host, "request_id_logged");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "/var/log/a.log");
    ASSERT_FIX(finding, "$request_id");
    doctor_host_free(host);
}

static void test_small_header_buffers_are_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->buffer_size_bytes = 4096;
    finding = case_find(host, "header_buffers");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "fastcgi_buffer_size 32k");
    doctor_host_free(host);
}

/* More blocks like the first, in lines 8, 9, ... of the same file. */
static void add_hops(struct doctor_host *host, int count, bool fastcgi)
{
    static char where[64][DOCTOR_LINE_BYTES];

    for (int i = 0; i < count; i++) {
        struct doctor_hop *hop = array_add(&host->nginx.hops);

        *hop = *case_hop(host);
        hop->fastcgi = fastcgi;
        hop->to_varnish = !fastcgi;
        snprintf(where[i], sizeof where[i], "/etc/nginx/%s:%d", fastcgi ? "site" : "front", 8 + i);
        hop->where = where[i];
    }
}

static void test_every_block_that_does_not_tell_the_id_is_in_the_fix(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->has_request_id = false;
    add_hops(host, 2, true);
    finding = case_find(host, "request_id");
    ASSERT_FIX(finding, "/etc/nginx/site:7, /etc/nginx/site:8, /etc/nginx/site:9;");
    doctor_host_free(host);
}

static void test_more_blocks_than_there_is_room_for_are_counted(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->has_request_id = false;
    add_hops(host, 60, true);
    finding = case_find(host, "request_id");
    ASSERT_FIX(finding, "/etc/nginx/site:7, /etc/nginx/site:8");
    ASSERT_FIX(finding, " more; then: nginx -t && systemctl reload nginx");
    doctor_host_free(host);
}

static void test_blocks_of_php_and_of_varnish_get_a_fix_each(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_hop(host)->has_request_id = false;
    case_hop(host)->buffer_size_bytes = 4096;
    add_hops(host, 2, false);
    finding = case_find(host, "request_id");
    ASSERT_FIX(finding, "fastcgi_param REQUEST_ID $request_id;");
    ASSERT_FIX(finding, "beside the proxy_pass in /etc/nginx/front:8, /etc/nginx/front:9,");
    finding = case_find(host, "header_buffers");
    ASSERT_FIX(finding, "fastcgi_buffer_size 32k");
    ASSERT_FIX(finding, "proxy_buffer_size 128k");
    doctor_host_free(host);
}

static void test_a_hostile_place_does_not_push_out_the_words(void **state)
{
    struct doctor_host *host = case_healthy();
    char where[4096];
    struct doctor_finding finding;

    (void) state;
    memset(where, 'x', sizeof where);
    where[sizeof where - 1] = '\0';
    case_hop(host)->has_request_id = false;
    case_hop(host)->where = where;
    add_hops(host, 1, true);
    finding = case_find(host, "request_id");
    ASSERT_FIX(finding, "xxx, /etc/nginx/site:8; then: nginx -t && systemctl reload nginx");
    doctor_host_free(host);
}

/* The second hop: nginx in front of Varnish. */
static struct doctor_host *with_varnish(int64_t pid)
{
    struct doctor_host *host = case_healthy();
    struct doctor_hop *hop = array_add(&host->nginx.hops);

    *hop = (struct doctor_hop){.pass = "127.0.0.1:6081",
                               .where = "/etc/nginx/site:3",
                               .server = "shop.test",
                               .to_varnish = true,
                               .has_request_id = true,
                               .buffer_size_bytes = 131072,
                               .read_timeout_s = 60};
    host->varnish.pid = pid;
    return host;
}

static void test_a_vhost_through_a_varnish_that_is_down_fails_with_a_way_around(void **state)
{
    struct doctor_host *host = with_varnish(-1);
    struct doctor_finding finding;

    (void) state;
    host->hypernode = true;
    finding = case_find(host, "varnish");
    ASSERT_STATE(finding, "fail");
    ASSERT_SAYS(finding, "shop.test");
    ASSERT_FIX(finding, "hypernode-manage-vhosts shop.test --disable-varnish");
    doctor_host_free(host);
}

static void test_every_vhost_through_a_varnish_that_is_down_is_in_the_fix(void **state)
{
    struct doctor_host *host = with_varnish(-1);
    struct doctor_finding finding;

    (void) state;
    for (int i = 0; i < 2; i++) { /* two blocks of one vhost are one vhost */
        struct doctor_hop *hop = array_add(&host->nginx.hops);

        *hop = *(struct doctor_hop *) array_at(&host->nginx.hops, 1);
        hop->server = "blog.test";
    }
    finding = case_find(host, "varnish");
    ASSERT_FIX(finding, "let proxy_pass of shop.test name php-fpm's server instead of Varnish, and "
                        "so for blog.test");
    host->hypernode = true;
    finding = case_find(host, "varnish");
    ASSERT_FIX(finding,
               "hypernode-manage-vhosts shop.test --disable-varnish, and so for blog.test");
    doctor_host_free(host);
}

static void test_every_backend_that_is_not_reached_is_in_the_fix(void **state)
{
    struct doctor_host *host = with_varnish(77);
    static const char *const addresses[] = {"127.0.0.1:8080", "127.0.0.1:8081"};
    struct doctor_finding finding;

    (void) state;
    for (int i = 0; i < 2; i++)
        *(struct doctor_backend *) array_add(&host->varnish.backends) = (struct doctor_backend){
            .address = addresses[i], .reachable = 0, .problem = "Connection refused"};
    finding = case_find(host, "varnish_backend");
    ASSERT_FIX(finding, "let nginx listen on 127.0.0.1:8080, 127.0.0.1:8081, or name");
    doctor_host_free(host);
}

static void test_a_varnish_that_runs_is_judged_by_its_backend(void **state)
{
    struct doctor_host *host = with_varnish(77);
    struct doctor_backend *backend = array_add(&host->varnish.backends);
    struct doctor_finding finding;

    (void) state;
    *backend = (struct doctor_backend){.address = "127.0.0.1:8080", .reachable = 1};
    finding = case_find(host, "varnish");
    ASSERT_STATE(finding, "ok");
    finding = case_find(host, "varnish_backend");
    ASSERT_STATE(finding, "ok");
    *backend = (struct doctor_backend){
        .address = "127.0.0.1:8080", .reachable = 0, .problem = "Connection refused"};
    finding = case_find(host, "varnish_backend");
    ASSERT_STATE(finding, "fail");
    *backend = (struct doctor_backend){.address = "backend.test:80", .reachable = -1};
    finding = case_find(host, "varnish_backend");
    ASSERT_STATE(finding, "skipped");
    doctor_host_free(host);
}

static void test_an_id_that_ends_at_varnish_is_warned_of(void **state)
{
    struct doctor_host *host = with_varnish(77);
    struct doctor_hop *hop = array_at(&host->nginx.hops, 1);
    struct doctor_finding finding;

    (void) state;
    hop->has_request_id = false;
    finding = case_find(host, "request_id");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "proxy_set_header X-Request-Id");
    doctor_host_free(host);
}

static void test_a_missing_collector_is_worse_when_workers_wait_for_it(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    host->collector.reachable = false;
    host->collector.socket_problem = "there is no such socket";
    finding = case_find(host, "collector");
    ASSERT_STATE(finding, "fail");
    case_master(host)->shim = 0;
    finding = case_find(host, "collector");
    ASSERT_STATE(finding, "warn");
    host->collector.denied = true;
    finding = case_find(host, "collector");
    ASSERT_STATE(finding, "skipped");
    doctor_host_free(host);
}

static void test_a_quiet_store_and_a_recorder_on_a_disk_are_warned_of(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    host->collector.newest_age_us = INT64_C(3) * 3600 * 1000000;
    finding = case_find(host, "store");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "3 h old");
    host->collector.pages_on_tmpfs = false;
    finding = case_find(host, "recorder");
    ASSERT_STATE(finding, "warn");
    doctor_host_free(host);
}

static void test_logs_that_cannot_be_read_or_understood_are_named(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_log *log = array_at(&host->logs, 0);
    struct doctor_finding finding;

    (void) state;
    log->problem = "Permission denied";
    finding = case_find(host, "logs");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "Permission denied");
    finding = case_find(host, "blind_spots");
    ASSERT_STATE(finding, "warn");
    *log = (struct doctor_log){.path = "/var/log/x", .log_format = "$status|$request"};
    finding = case_find(host, "logs");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "--log-format '$status|$request' /var/log/x");
    *log = (struct doctor_log){.path = "/var/log/x", .empty = true};
    finding = case_find(host, "logs");
    ASSERT_STATE(finding, "ok");
    doctor_host_free(host);
}

static void test_the_group_that_may_read_the_kernels_log_is_named(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    host->kernel.dmesg_readable = 0;
    host->kernel.unreadable_path = "/var/log/kern.log";
    host->kernel.unreadable_group = "adm";
    finding = case_find(host, "kernel_log");
    ASSERT_STATE(finding, "warn");
    ASSERT_FIX(finding, "usermod -aG adm");
    doctor_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_that_does_not_tell_the_id_gets_the_exact_line),
        cmocka_unit_test(test_a_hidden_id_is_explained),
        cmocka_unit_test(test_a_log_without_the_id_is_named),
        cmocka_unit_test(test_small_header_buffers_are_warned_of),
        cmocka_unit_test(test_a_vhost_through_a_varnish_that_is_down_fails_with_a_way_around),
        cmocka_unit_test(test_every_block_that_does_not_tell_the_id_is_in_the_fix),
        cmocka_unit_test(test_more_blocks_than_there_is_room_for_are_counted),
        cmocka_unit_test(test_blocks_of_php_and_of_varnish_get_a_fix_each),
        cmocka_unit_test(test_a_hostile_place_does_not_push_out_the_words),
        cmocka_unit_test(test_every_vhost_through_a_varnish_that_is_down_is_in_the_fix),
        cmocka_unit_test(test_every_backend_that_is_not_reached_is_in_the_fix),
        cmocka_unit_test(test_a_varnish_that_runs_is_judged_by_its_backend),
        cmocka_unit_test(test_an_id_that_ends_at_varnish_is_warned_of),
        cmocka_unit_test(test_a_missing_collector_is_worse_when_workers_wait_for_it),
        cmocka_unit_test(test_a_quiet_store_and_a_recorder_on_a_disk_are_warned_of),
        cmocka_unit_test(test_logs_that_cannot_be_read_or_understood_are_named),
        cmocka_unit_test(test_the_group_that_may_read_the_kernels_log_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_nginx_hops.c - settings reach a fastcgi_pass from the blocks around it, as in nginx. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "logs/nginx_hops.h"

static const char config[] =
    "http {\n"
    "  fastcgi_buffer_size 32k;\n"
    "  upstream varnish { server 127.0.0.1:6081 max_fails=0; server 127.0.0.1:6082; }\n"
    "  server {\n"
    "    server_name shop.test www.shop.test;\n"
    "    fastcgi_param REQUEST_ID $request_id;\n"
    "    location / { fastcgi_pass unix:/run/a.sock; }\n"
    "    location /own { fastcgi_param X y; fastcgi_pass 127.0.0.1:9000; fastcgi_buffer_size 8k; "
    "}\n"
    "    location /v { proxy_pass http://varnish/x; proxy_set_header x-request-ID $request_id;\n"
    "                  proxy_read_timeout 5m; }\n"
    "  }\n"
    "}\n";

static void test_settings_are_those_of_the_innermost_block_that_says_something(void **state)
{
    struct nginx_hops hops;

    (void) state;
    assert_int_equal(nginx_hops_parse(slice_of(config), &hops), 0);
    assert_int_equal(hops.count, 3);
    assert_false(hops.broken);
    assert_true(hops.items[0].fastcgi);
    assert_int_equal(hops.items[0].buffer_size_bytes, 32 << 10);
    assert_int_equal(hops.items[0].read_timeout_s, 60);
    assert_string_equal(hops.items[0].server, "shop.test");
    assert_int_equal(hops.items[1].buffer_size_bytes, 8 << 10);
    assert_int_equal(hops.items[2].buffer_size_bytes, 4096);
    assert_int_equal(hops.items[2].read_timeout_s, 300);
    nginx_hops_release(&hops);
}

static void test_a_param_of_the_block_itself_hides_the_id_further_out(void **state)
{
    struct nginx_hops hops;

    (void) state;
    assert_int_equal(nginx_hops_parse(slice_of(config), &hops), 0);
    assert_true(hops.items[0].has_request_id);
    assert_false(hops.items[0].hides_request_id);
    assert_false(hops.items[1].has_request_id);
    assert_true(hops.items[1].hides_request_id);
    assert_true(hops.items[2].has_request_id);
    nginx_hops_release(&hops);
}

static void test_times_and_sizes_are_written_in_nginx_s_units(void **state)
{
    static const struct {
        const char *time;
        int64_t seconds;
    } times[] = {
        {"90", 90},    {"90s", 90},     {"2500ms", 2}, {"1h30m", 5400}, {"\"1h 30m\"", 5400},
        {"1d", 86400}, {"1M", 2592000}, {"1x", 60},    {"m", 60},       {"5 s", 5}};
    char text[128];

    (void) state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct nginx_hops hops;

        snprintf(text, sizeof text, "fastcgi_read_timeout %s; fastcgi_pass a; ", times[i].time);
        assert_int_equal(nginx_hops_parse(slice_of(text), &hops), 0);
        assert_int_equal(hops.items[0].read_timeout_s, times[i].seconds);
        nginx_hops_release(&hops);
    }
    for (int valid = 0; valid < 2; valid++) {
        struct nginx_hops hops;

        snprintf(text, sizeof text, "proxy_buffer_size %s; proxy_pass http://a;",
                 valid ? "1M" : "16x");
        assert_int_equal(nginx_hops_parse(slice_of(text), &hops), 0);
        assert_int_equal(hops.items[0].buffer_size_bytes, valid ? 1 << 20 : 4096);
        nginx_hops_release(&hops);
    }
}

static void test_an_upstreams_name_becomes_its_first_address(void **state)
{
    struct nginx_hops hops;

    (void) state;
    assert_int_equal(nginx_hops_parse(slice_of(config), &hops), 0);
    assert_string_equal(hops.items[0].address, "unix:/run/a.sock");
    assert_string_equal(hops.items[2].pass, "http://varnish/x");
    assert_string_equal(hops.items[2].address, "127.0.0.1:6081");
    nginx_hops_release(&hops);
}

static void test_a_broken_configuration_says_so_and_more_hops_than_fit_are_counted(void **state)
{
    struct nginx_hops hops;
    char text[32768] = "http {";

    (void) state;
    for (int i = 0; i < NGINX_HOPS_MAX + 5; i++)
        strcat(text, "location / { proxy_pass http://a; }\n");
    assert_int_equal(nginx_hops_parse(slice_of(text), &hops), 0);
    assert_int_equal(hops.count, NGINX_HOPS_MAX);
    assert_int_equal(hops.skipped, 5);
    assert_true(hops.broken);
    nginx_hops_release(&hops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_are_those_of_the_innermost_block_that_says_something),
        cmocka_unit_test(test_a_param_of_the_block_itself_hides_the_id_further_out),
        cmocka_unit_test(test_times_and_sizes_are_written_in_nginx_s_units),
        cmocka_unit_test(test_an_upstreams_name_becomes_its_first_address),
        cmocka_unit_test(test_a_broken_configuration_says_so_and_more_hops_than_fit_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_route_text.c - the sentences that people act on carry the numbers and end in an advice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/prognosis.h"
#include "report/route_text.h"

static const struct summary_route leaking = {
    .route = {"/checkout/cart/add/", 19},
    .verdict = {"leak", 4},
    .confidence = 0.97,
    .hits = 214,
    .judged_hits = 214,
    .leaking_hits = 212,
    .workers = 6,
    .bytes_per_request = 65536,
    .pool_workers = 4,
    .pool_requests_per_hour = 7200,
    .module = {"Acme_ErpSync", 12},
    .allocated_in = {"libxml2.so.2", 12},
    .php_leaf = {"DOMDocument::save", 17},
    .blamed_frame = {"Acme\\ErpSync\\Push::send (Push.php:41)", 37},
    .first_seen_us = INT64_C(1795332329) * 1000000,
};

static const struct summary_result traffic = {
    .requests = 2140, .routes = &leaking, .route_count = 1};

static void test_a_leak_names_bytes_library_function_module_and_line(void **state)
{
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route_sentence(&leaking, &traffic, text, sizeof text);
    assert_string_equal(
        text, "keeps 64.0 KiB after every request (confidence 0.97, 212 of 214 requests in 6 "
              "workers, since 07:25:29); allocated in libxml2.so.2 via DOMDocument::save, called "
              "by Acme_ErpSync (Acme\\ErpSync\\Push::send (Push.php:41)).");
}

static void test_a_leak_of_half_the_requests_is_an_average(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.leaking_hits = 107;
    route_sentence(&route, &traffic, text, sizeof text);
    assert_non_null(
        strstr(text, "keeps 64.0 KiB per request on average (confidence 0.97, 107 of "));
}

static void test_a_small_leak_without_a_stack_points_to_the_exact_mode(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.module = route.allocated_in = SLICE("");
    route_sentence(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, "; where is not known yet: no sample of it was taken."));
    route.bytes_per_request = 280;
    route_sentence(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, "no sample of it was taken, since samples are far apart and 280 B "
                                 "a request are little; `fpmscope run --exact`"));
}

static void test_a_leak_that_began_after_a_deploy_says_so(void **state)
{
    const struct milestone deploy = {.kind = MILESTONE_MARK,
                                     .time_us = INT64_C(1795332329) * 1000000,
                                     .name = {"deploy-42", 9},
                                     .requests_before = 10};
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.began_us = deploy.time_us + INT64_C(360) * 1000000;
    route.began_after = &deploy;
    route_sentence(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, ", since 07:31:29, 6 min after mark 'deploy-42'); allocated in"));
}

static void test_the_prognosis_counts_all_requests_of_a_worker_not_only_the_routes(void **state)
{
    const struct prognosis prognosis = prognosis_make(&leaking, &traffic);

    (void) state;
    /* 6,553.6 bytes a request: 512 MiB after 81,920; one request in two seconds in each of the four
     * workers that the pool has, however many lived and died before. */
    assert_in_range(prognosis.requests_to_ceiling, 81915, 81925);
    assert_in_range(prognosis.us_to_ceiling / 1000000, 163800, 163900);
    assert_int_equal(prognosis.max_requests, 5000);
    assert_true(prognosis.capped_bytes <= PROGNOSIS_CAP_BYTES);
}

static void test_a_time_that_nobody_lives_to_see_is_not_told(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.bytes_per_request = 0.02; /* of one request in ten: 268,435,456,000 requests */
    route.pool_requests_per_hour = 0.004;
    assert_int_equal(prognosis_make(&route, &traffic).us_to_ceiling, 0);
    route.pool_requests_per_hour = 10000; /* 12,000 years */
    assert_int_equal(prognosis_make(&route, &traffic).us_to_ceiling, 0);
    route_advice(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, " requests. pm.max_requests = "));
}

static void test_the_pace_is_rounded_to_what_is_known_of_it(void **state)
{
    struct summary_route route = leaking;

    (void) state;
    route.pool_requests_per_hour = 2087323;
    assert_int_equal(prognosis_make(&route, &traffic).pool_requests_per_hour, 2100000);
    route.pool_requests_per_hour = 7.6;
    assert_int_equal(prognosis_make(&route, &traffic).pool_requests_per_hour, 8);
    route.pool_requests_per_hour = 996;
    assert_int_equal(prognosis_make(&route, &traffic).pool_requests_per_hour, 1000);
}

static void test_the_prognosis_leaves_out_what_other_pools_serve(void **state)
{
    struct summary_route route = leaking;

    (void) state;
    route.pool_hits = 214;
    route.pool_requests = 428;
    assert_in_range(prognosis_make(&route, &traffic).requests_to_ceiling, 16380, 16390);
}

static void test_the_advice_of_a_leak_gives_a_value_for_max_requests(void **state)
{
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route_advice(&leaking, &traffic, text, sizeof text);
    assert_non_null(strstr(text,
                           "A worker grows by 512.0 MiB in 81920 requests, about 45 h 30 min at "
                           "the 7200 requests an hour that 4 workers shared while there was "
                           "traffic. pm.max_requests = 5000"));
    assert_non_null(strstr(text, "Acme_ErpSync is fixed"));
}

static void test_no_time_is_promised_of_which_nothing_is_known(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.pool_requests_per_hour = 0;
    route_advice(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, "in 81920 requests. pm.max_requests"));
}

static void test_code_that_has_no_name_is_called_the_sites_own(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.module = SLICE("(app)");
    route_sentence(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, "called by the site's own code ("));
    route_advice(&route, &traffic, text, sizeof text);
    assert_non_null(strstr(text, "until the site's own code is fixed."));
}

static void test_an_unknown_verdict_is_read_as_too_few(void **state)
{
    (void) state;
    assert_string_equal(route_verdict_of(SLICE("rubbish"))->code, "insufficient");
    assert_int_equal(route_verdict_of(SLICE("leak"))->rank, 0);
}

static void test_a_hostile_module_name_cannot_move_the_cursor(void **state)
{
    struct summary_route route = leaking;
    char text[ROUTE_TEXT_BYTES];

    (void) state;
    route.module = SLICE("\033[2Jgone");
    route_sentence(&route, &traffic, text, sizeof text);
    assert_null(strchr(text, '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leak_names_bytes_library_function_module_and_line),
        cmocka_unit_test(test_a_leak_of_half_the_requests_is_an_average),
        cmocka_unit_test(test_a_small_leak_without_a_stack_points_to_the_exact_mode),
        cmocka_unit_test(test_a_leak_that_began_after_a_deploy_says_so),
        cmocka_unit_test(test_the_prognosis_counts_all_requests_of_a_worker_not_only_the_routes),
        cmocka_unit_test(test_a_time_that_nobody_lives_to_see_is_not_told),
        cmocka_unit_test(test_the_pace_is_rounded_to_what_is_known_of_it),
        cmocka_unit_test(test_the_prognosis_leaves_out_what_other_pools_serve),
        cmocka_unit_test(test_the_advice_of_a_leak_gives_a_value_for_max_requests),
        cmocka_unit_test(test_no_time_is_promised_of_which_nothing_is_known),
        cmocka_unit_test(test_code_that_has_no_name_is_called_the_sites_own),
        cmocka_unit_test(test_an_unknown_verdict_is_read_as_too_few),
        cmocka_unit_test(test_a_hostile_module_name_cannot_move_the_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

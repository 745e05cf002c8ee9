/* test_summary_held.c - who holds a route's memory at the peak, out of `hold` events. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/summary/summary.h"
#include "model/event_set.h"

enum { MIB = 1 << 20, CATALOG = 1, FEED, PLUGIN, NOBODY };

static const char *const frames[][3] = {
    [CATALOG] =
        {"str_repeat\t\t",
         "collect\tAcme\\Catalog\\Model\\Export\t/s/app/code/Acme/Catalog/"
         "Model/Export.php:88",
         "execute\tAcme\\Core\\Controller\\Front\t/s/app/code/Acme/Core/Controller/Front.php:9"},
    [FEED] =
        {"write\tGlobex\\Feed\\Writer\t/s/app/code/Globex/Feed/Writer.php:3",
         "execute\tAcme\\Core\\Controller\\Front\t/s/app/code/Acme/Core/Controller/Front.php:12"},
    [PLUGIN] =
        {"collect\tAcme\\Catalog\\Model\\Export\t/s/app/code/Acme/Catalog/Model/Export.php:90"},
    [NOBODY] = {"run\tMagento\\Framework\\App\\Http\t/s/vendor/magento/framework/App/Http.php:1"},
};

static void add_stack(struct summary *summary, int64_t id)
{
    struct event event = {.kind = EVENT_stk};
    struct event_list php = {0};

    for (size_t i = 0; i < 3 && frames[id][i]; i++)
        php.items[php.count++] = slice_of(frames[id][i]);
    event_set_id(&event, id);
    event_set_php(&event, &php);
    summary_add_event(summary, &event);
}

static void add_request(struct summary *summary, int64_t pid, int64_t seq, const char *uri,
                        int64_t peak_bytes)
{
    struct event event = {.kind = EVENT_req};

    event_set_ts_us(&event, 1000000 * seq);
    event_set_pid(&event, pid);
    event_set_seq(&event, seq);
    event_set_uri(&event, slice_of(uri));
    event_set_status(&event, 200);
    event_set_zend_peak_kib(&event, peak_bytes / 1024);
    summary_add_event(summary, &event);
}

static void add_hold(struct summary *summary, int64_t pid, int64_t seq, int64_t stack,
                     int64_t bytes)
{
    struct event event = {.kind = EVENT_hold};

    event_set_ts_us(&event, 1000000 * seq + 1);
    event_set_pid(&event, pid);
    event_set_seq(&event, seq);
    event_set_size_bytes(&event, bytes);
    if (stack)
        event_set_stk(&event, stack);
    summary_add_event(summary, &event);
}

static struct summary *make(void)
{
    struct summary *summary = summary_new(&(struct summary_options){0});

    for (int64_t id = CATALOG; id <= NOBODY; id++)
        add_stack(summary, id);
    return summary;
}

static const struct summary_route *find_route(const struct summary_result *result, const char *name)
{
    for (size_t i = 0; i < result->route_count; i++)
        if (slice_equal(result->routes[i].route, slice_of(name)))
            return &result->routes[i];
    return NULL;
}

static const struct summary_holder *find_holder(const struct summary_route *route, const char *name)
{
    for (size_t i = 0; i < route->holder_count; i++)
        if (slice_equal(route->holders[i].module, slice_of(name)))
            return &route->holders[i];
    return NULL;
}

static const struct summary_module *find_module(const struct summary_result *result,
                                                const char *name)
{
    for (size_t i = 0; i < result->module_count; i++)
        if (slice_equal(result->modules[i].module, slice_of(name)))
            return &result->modules[i];
    return NULL;
}

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) < 0.001 * fabs(expected) + 1e-9);
}

static void test_a_module_s_share_is_taken_over_all_armed_requests_of_the_route(void **state)
{
    struct summary *summary = make();
    const struct summary_result *result;
    const struct summary_route *route;

    (void) state;
    add_request(summary, 7, 1, "/export", 10 * MIB);
    add_hold(summary, 7, 1, CATALOG, 6 * MIB);
    add_hold(summary, 7, 1, FEED, 2 * MIB);
    add_hold(summary, 7, 1, 0, 2 * MIB);
    add_request(summary, 8, 1, "/export", 10 * MIB);
    add_hold(summary, 8, 1, PLUGIN, 8 * MIB);
    add_hold(summary, 8, 1, 0, 2 * MIB);
    add_request(summary, 7, 2, "/other", MIB); /* not armed */
    result = summary_finish(summary);
    route = find_route(result, "/export");
    assert_int_equal(route->armed_requests, 2);
    assert_int_equal(route->holder_count, 3);
    assert_near(route->holders[0].share, 14.0 / 20);
    assert_near((double) find_holder(route, "Acme_Catalog")->bytes, 7.0 * MIB);
    assert_near((double) find_holder(route, "Globex_Feed")->bytes, 1.0 * MIB);
    assert_int_equal(find_route(result, "/other")->holder_count, 0);
    summary_free(summary);
}

static void test_inclusive_counts_a_module_once_per_stack_wherever_it_stands(void **state)
{
    struct summary *summary = make();
    const struct summary_route *route;

    (void) state;
    add_request(summary, 7, 1, "/export", 10 * MIB);
    add_hold(summary, 7, 1, CATALOG, 5 * MIB);
    add_hold(summary, 7, 1, FEED, 3 * MIB);
    add_hold(summary, 7, 1, PLUGIN, 2 * MIB);
    route = find_route(summary_finish(summary), "/export");
    assert_int_equal(find_holder(route, "Acme_Core")->bytes, 0);
    assert_near((double) find_holder(route, "Acme_Core")->inclusive_bytes, 8.0 * MIB);
    assert_near((double) find_holder(route, "Acme_Catalog")->inclusive_bytes, 7.0 * MIB);
    summary_free(summary);
}

static void test_the_frame_and_stack_told_are_of_the_stack_that_holds_most(void **state)
{
    struct summary *summary = make();
    const struct summary_holder *holder;

    (void) state;
    add_request(summary, 7, 1, "/export", 10 * MIB);
    add_hold(summary, 7, 1, PLUGIN, 2 * MIB);
    add_hold(summary, 7, 1, CATALOG, 5 * MIB);
    holder = &find_route(summary_finish(summary), "/export")->holders[0];
    assert_true(slice_equal(holder->frame, SLICE("Acme\\Catalog\\Model\\Export::collect "
                                                 "(Export.php:88)")));
    assert_int_equal(holder->stack.count, 3);
    summary_free(summary);
}

static void test_code_that_nobody_is_blamed_for_stays_in_the_whole(void **state)
{
    struct summary *summary = make();
    const struct summary_route *route;

    (void) state;
    add_request(summary, 7, 1, "/export", 10 * MIB);
    add_hold(summary, 7, 1, NOBODY, 8 * MIB);
    add_hold(summary, 7, 1, FEED, 2 * MIB);
    add_hold(summary, 7, 1, 12345, 10 * MIB); /* a stack that was never announced */
    route = find_route(summary_finish(summary), "/export");
    assert_near(find_holder(route, "Globex_Feed")->share, 0.1);
    summary_free(summary);
}

static void test_a_heavy_route_is_blamed_by_what_is_held_not_by_what_grew(void **state)
{
    struct summary *summary = make();
    const struct summary_result *result;
    struct event growth = {.kind = EVENT_gro};

    (void) state;
    for (int64_t seq = 1; seq <= 20; seq++) {
        event_set_ts_us(&growth, 1000000 * seq - 1);
        event_set_pid(&growth, 7);
        event_set_seq(&growth, 2 * seq);
        event_set_stk(&growth, FEED);
        event_set_size_bytes(&growth, 2 * MIB);
        add_request(summary, 7, 2 * seq - 1, "/small", MIB / 2);
        summary_add_event(summary, &growth);
        add_request(summary, 7, 2 * seq, "/export", 80 * MIB);
        if (seq == 3)
            add_hold(summary, 7, 2 * seq, CATALOG, 80 * MIB);
    }
    result = summary_finish(summary);
    assert_true(slice_equal(find_route(result, "/export")->verdict, SLICE("peak")));
    assert_true(slice_equal(find_route(result, "/export")->module, SLICE("Acme_Catalog")));
    assert_near((double) find_module(result, "Acme_Catalog")->held_at_peak_bytes, 80.0 * MIB);
    assert_near((double) find_module(result, "Acme_Core")->held_at_peak_inclusive_bytes,
                80.0 * MIB);
    summary_free(summary);
}

static void test_a_module_that_holds_little_gets_no_row_of_its_own(void **state)
{
    struct summary *summary = make();

    (void) state;
    add_request(summary, 7, 1, "/page", MIB / 2);
    add_hold(summary, 7, 1, FEED, MIB / 2);
    assert_null(find_module(summary_finish(summary), "Globex_Feed"));
    summary_free(summary);
}

static void test_negative_bytes_from_a_forged_stream_change_nothing(void **state)
{
    struct summary *summary = make();
    const struct summary_route *route;

    (void) state;
    add_request(summary, 7, 1, "/export", 10 * MIB);
    add_hold(summary, 7, 1, FEED, -5 * MIB);
    add_hold(summary, 7, 1, CATALOG, 4 * MIB);
    route = find_route(summary_finish(summary), "/export");
    assert_near(route->holders[0].share, 1);
    summary_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_module_s_share_is_taken_over_all_armed_requests_of_the_route),
        cmocka_unit_test(test_inclusive_counts_a_module_once_per_stack_wherever_it_stands),
        cmocka_unit_test(test_the_frame_and_stack_told_are_of_the_stack_that_holds_most),
        cmocka_unit_test(test_code_that_nobody_is_blamed_for_stays_in_the_whole),
        cmocka_unit_test(test_a_heavy_route_is_blamed_by_what_is_held_not_by_what_grew),
        cmocka_unit_test(test_a_module_that_holds_little_gets_no_row_of_its_own),
        cmocka_unit_test(test_negative_bytes_from_a_forged_stream_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

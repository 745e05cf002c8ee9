/* test_summary_tables.c - the tables of the summary's parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/summary_text.h"

typedef int (*table_fn)(FILE *out, const struct summary_result *result, bool for_people);

static const struct {
    table_fn print;
    const char *says;
} tables[] = {
    {summary_routes_table, "no request was seen"},
    {summary_modules_table, "no module is blamed"},
    {summary_workers_table, "no worker lives now"},
    {summary_crashes_table, "no worker died"},
};

/* free() it. */
static char *printed(table_fn print, const struct summary_result *result, bool for_people)
{
    size_t size_bytes = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size_bytes);

    assert_non_null(out);
    assert_int_equal(print(out, result, for_people), 0);
    fclose(out);
    return text;
}

static void test_an_empty_table_tells_people_what_it_means(void **state)
{
    static const struct summary_result nothing;

    (void) state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *text = printed(tables[i].print, &nothing, true);

        assert_non_null(strstr(text, tables[i].says));
        free(text);
    }
}

static void test_an_empty_table_is_no_line_in_a_pipe(void **state)
{
    static const struct summary_result nothing;

    (void) state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *text = printed(tables[i].print, &nothing, false);

        assert_string_equal(text, "");
        free(text);
    }
}

static void test_a_worker_is_a_row_with_its_share_of_the_median(void **state)
{
    static const struct summary_worker worker = {
        .pid = 42, .rss_kib = 64512, .requests = 7, .pool = {"www", 3}, .in_flight = {"/a\tb", 4}};
    const struct summary_result one = {.workers = &worker, .worker_count = 1};
    char *text = printed(summary_workers_table, &one, false);

    (void) state;
    assert_string_equal(text, "42\twww\t66060288\t1.0x\t1.0x\t7\t0\t/a\\x09b\n");
    free(text);
}

static void test_a_worker_is_compared_with_its_own_pool(void **state)
{
    static const struct summary_worker workers[] = {
        {.pid = 5, .rss_kib = 400000, .pool = {"shop", 4}},
        {.pid = 4, .rss_kib = 200000, .pool = {"shop", 4}},
        {.pid = 3, .rss_kib = 100000, .pool = {"shop", 4}},
        {.pid = 2, .rss_kib = 30000, .pool = {"api", 3}},
        {.pid = 1, .rss_kib = 20000, .pool = {"api", 3}},
    };
    const struct summary_result all = {.workers = workers, .worker_count = 5};
    char *text = printed(summary_workers_table, &all, false);

    (void) state;
    assert_non_null(strstr(text, "5\tshop\t409600000\t2.0x\t"));
    assert_non_null(strstr(text, "2\tapi\t30720000\t1.5x\t"));
    free(text);
}

static void test_people_are_told_of_63_MB_at_a_magento_shop_only(void **state)
{
    static const struct summary_worker worker = {.pid = 42, .rss_kib = 40000, .pool = {"www", 3}};
    const struct summary_module own = {.module = SLICE("Acme_Feed")};
    const struct summary_module platform = {.module = SLICE("Magento_Catalog")};
    struct summary_result site = {
        .workers = &worker, .worker_count = 1, .modules = &own, .module_count = 1};
    char *text = printed(summary_workers_table, &site, true);

    (void) state;
    assert_null(strstr(text, "63"));
    free(text);
    site.modules = &platform;
    text = printed(summary_workers_table, &site, true);
    assert_non_null(strstr(text, "OF 63 MB"));
    assert_non_null(strstr(text, "a healthy worker of a Magento shop"));
    free(text);
}

static void test_people_see_both_ends_of_a_long_route_and_programs_all_of_it(void **state)
{
    static const char name[] =
        "Magento\\Catalog\\Controller\\Adminhtml\\Product\\Attribute\\Validate";
    static const struct summary_route route = {.route = {name, sizeof name - 1}};
    const struct summary_result one = {.routes = &route, .route_count = 1};
    char *people = printed(summary_routes_table, &one, true);
    char *programs = printed(summary_routes_table, &one, false);

    (void) state;
    assert_non_null(strstr(people, "Magento\\Cat"));
    assert_non_null(strstr(people, "..."));
    assert_non_null(strstr(people, "\\Attribute\\Validate "));
    assert_null(strstr(people, name));
    assert_non_null(strstr(programs, name));
    free(people);
    free(programs);
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;

    for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
        if (strcspn(at, "\n") > widest)
            widest = strcspn(at, "\n");
    return widest;
}

#define NAME50  "Acme_OneOfTheLongerNamesThatPeopleGiveToModules_No"
#define ROUTE60 "/rest/default/V1/products/attributes/options/{n}/children/xx"

static void test_every_table_fits_into_the_terminal(void **state)
{
    static const struct slice module = {NAME50, sizeof NAME50 - 1};
    static const struct slice uri = {ROUTE60, sizeof ROUTE60 - 1};
    static const struct summary_holder holder = {
        .module = {NAME50, sizeof NAME50 - 1}, .share = .61, .bytes = 1 << 20};
    const struct summary_route route = {.verdict = SLICE("insufficient"),
                                        .route = uri,
                                        .hits = 1234567,
                                        .bytes_per_request = 66117,
                                        .peak_bytes = 123456789,
                                        .errors = 12345,
                                        .module = module,
                                        .allocated_in = SLICE("libxml2.so.2.9.14"),
                                        .holders = &holder,
                                        .holder_count = 1};
    const struct summary_module blamed = {.module = module,
                                          .tier = SLICE("third_party"),
                                          .bytes_per_request = 66117,
                                          .held_at_peak_bytes = 123456789,
                                          .held_at_peak_inclusive_bytes = 123456789,
                                          .routes = {uri},
                                          .route_count = 1,
                                          .allocated_in = {SLICE("libxml2.so.2.9.14")},
                                          .allocated_in_count = 1,
                                          .first_seen_us = 1,
                                          .last_seen_us = INT64_C(86400000000)};
    const struct summary_crash crash = {.pid = 1234567,
                                        .signo = 11,
                                        .time_us = 1,
                                        .stack_overflow = true,
                                        .method = SLICE("OPTIONS"),
                                        .uri = uri,
                                        .faulting = SLICE("ioncube_loader_lin_8.2.so+0x167ad8"),
                                        .module = module,
                                        .client_status = 502};
    const struct summary_worker worker = {.pid = 1234567,
                                          .pool = module,
                                          .rss_kib = 123456,
                                          .requests = 123456,
                                          .age_us = INT64_C(86400000000),
                                          .in_flight = uri};
    const struct summary_result all = {.routes = &route,
                                       .route_count = 1,
                                       .modules = &blamed,
                                       .module_count = 1,
                                       .crashes = &crash,
                                       .crash_count = 1,
                                       .workers = &worker,
                                       .worker_count = 1,
                                       .to_us = INT64_C(86400000000)};

    (void) state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *narrow = printed(tables[i].print, &all, true);
        char *wide;

        assert_in_range(widest_line(narrow), 60, 80);
        assert_non_null(strstr(narrow, "Acme_"));
        assert_non_null(strstr(narrow, "..."));
        setenv("COLUMNS", "300", 1);
        wide = printed(tables[i].print, &all, true);
        assert_null(strstr(wide, "..."));
        assert_null(strstr(wide, "for want of room"));
        unsetenv("COLUMNS");
        free(narrow);
        free(wide);
    }
}

static void test_a_status_that_nobody_saw_is_no_number_for_people(void **state)
{
    static const struct summary_crash crash = {.pid = 42, .signo = 11, .uri = {"/a", 2}};
    const struct summary_result one = {.crashes = &crash, .crash_count = 1};
    char *people = printed(summary_crashes_table, &one, true);
    char *programs = printed(summary_crashes_table, &one, false);

    (void) state;
    assert_non_null(strstr(people, " -\n"));
    assert_non_null(strstr(programs, "\t0\n"));
    free(people);
    free(programs);
}

static void test_the_holder_at_the_peak_is_named_whole(void **state)
{
    /* A slice ends where its length says, and 80 bytes are a module's name, too. */
    static const char text[] = "Acme_Feed::Acme_Catalog_With_A_Name_That_Goes_On_And_On_And_On_"
                               "And_On_And_On";
    const struct summary_holder holders[] = {{.share = .61, .bytes = 1, .module = {text, 9}},
                                             {.share = 1, .bytes = 1, .module = slice_of(text)}};
    const struct summary_route routes[] = {{.holders = &holders[0], .holder_count = 1},
                                           {.holders = &holders[1], .holder_count = 1}};
    const struct summary_result all = {.routes = routes, .route_count = 2};
    char *printed_text = printed(summary_routes_table, &all, false);

    (void) state;
    assert_non_null(strstr(printed_text, "\t61 % Acme_Feed\n"));
    assert_non_null(strstr(printed_text, "And_On_And_On\n"));
    free(printed_text);
}

static void test_a_module_is_blamed_beside_the_library_that_allocated(void **state)
{
    static const struct summary_module module = {
        .module = {"Acme_Feed", 9},
        .tier = {"third_party", 11},
        .bytes_per_request = 65544,
        .held_at_peak_bytes = 1048576,
        .held_at_peak_inclusive_bytes = 2097152,
        .crashes = 2,
        .routes = {{"/feed/", 6}},
        .route_count = 1,
        .allocated_in = {{"libxml2.so.2", 12}, {"ffi.so", 6}},
        .allocated_in_count = 2,
        .first_seen_us = 1000000,
        .last_seen_us = 2000000,
    };
    const struct summary_result one = {.modules = &module, .module_count = 1};
    char *text = printed(summary_modules_table, &one, false);

    (void) state;
    assert_string_equal(text, "Acme_Feed\tthird_party\t65544\t1048576\t2097152\t2\t1\t/feed/\t"
                              "1970-01-01 00:00:01\t1970-01-01 00:00:02\tlibxml2.so.2\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_table_tells_people_what_it_means),
        cmocka_unit_test(test_an_empty_table_is_no_line_in_a_pipe),
        cmocka_unit_test(test_a_worker_is_compared_with_its_own_pool),
        cmocka_unit_test(test_people_are_told_of_63_MB_at_a_magento_shop_only),
        cmocka_unit_test(test_people_see_both_ends_of_a_long_route_and_programs_all_of_it),
        cmocka_unit_test(test_every_table_fits_into_the_terminal),
        cmocka_unit_test(test_a_status_that_nobody_saw_is_no_number_for_people),
        cmocka_unit_test(test_the_holder_at_the_peak_is_named_whole),
        cmocka_unit_test(test_a_module_is_blamed_beside_the_library_that_allocated),
        cmocka_unit_test(test_a_worker_is_a_row_with_its_share_of_the_median),
    };

    unsetenv("COLUMNS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

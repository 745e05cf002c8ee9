/* test_doctor_fpm.c - php-fpm, its layout, the shim, other preloads and extensions. */
#include "doctor_case.h"

static const struct layout {
    const char *branch;
    bool proven;
} doctor_layouts[] =
    {
#define DOCTOR_LAYOUT(branch, proven) {branch, proven},
#include "analyze/doctor/doctor_layouts.def"
},
  shim_layouts[] = {
#define PHP_LAYOUT(branch, api, proven, ced, prev, filename) {branch, proven},
#include "stack/layouts.def"
};

static void test_the_layouts_are_those_of_the_shim(void **state)
{
    (void) state;
    assert_int_equal(sizeof doctor_layouts, sizeof shim_layouts);
    for (size_t i = 0; i < sizeof shim_layouts / sizeof *shim_layouts; i++) {
        assert_string_equal(doctor_layouts[i].branch, shim_layouts[i].branch);
        assert_int_equal(doctor_layouts[i].proven, shim_layouts[i].proven);
    }
}

static void test_a_master_without_the_shim_fails_and_names_the_unit_of_its_version(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->shim = 0;
    finding = case_find(host, "shim_loaded");
    ASSERT_STATE(finding, "fail");
    ASSERT_FIX(finding, "php8.2-fpm");
    ASSERT_FIX(finding, "LD_PRELOAD=");
    doctor_host_free(host);
}

static void test_workers_without_the_shim_are_counted(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->workers_with_shim = 1;
    finding = case_find(host, "shim_loaded");
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "1 of 2 workers");
    doctor_host_free(host);
}

static void test_unreadable_maps_are_skipped_not_called_missing(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    case_master(host)->shim = -1;
    finding = case_find(host, "shim_loaded");
    ASSERT_STATE(finding, "skipped");
    ASSERT_SAYS(finding, "run as root");
    doctor_host_free(host);
}

static struct doctor_finding layout_of(const char *version, int zts)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    case_master(host)->version = version;
    case_master(host)->zts = zts;
    finding = case_find(host, "php_layout");
    doctor_host_free(host);
    return finding;
}

static void test_layouts_are_proven_unproven_or_unknown(void **state)
{
    struct doctor_finding finding;

    (void) state;
    finding = layout_of("8.2.36", 0);
    ASSERT_STATE(finding, "ok");
    ASSERT_SAYS(finding, "is proven");
    finding = layout_of("8.1.2-1ubuntu2.14", 0);
    ASSERT_STATE(finding, "ok");
    ASSERT_SAYS(finding, "unproven");
    finding = layout_of("5.6.40", 0);
    ASSERT_STATE(finding, "warn");
    finding = layout_of("8.2.36", 1);
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "ZTS");
}

static void test_the_programs_name_stands_in_for_a_version_that_was_not_asked(void **state)
{
    struct doctor_finding finding = layout_of(NULL, -1);

    (void) state;
    ASSERT_STATE(finding, "ok");
    ASSERT_SAYS(finding, "the layout of PHP 8.2 is proven");
}

static void test_another_malloc_and_another_profiler_are_found_by_their_names(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    doctor_host_add_name(host, &case_master(host)->libraries, SLICE("libjemalloc.so.2"));
    finding = case_find(host, "other_preloads");
    ASSERT_STATE(finding, "warn");
    doctor_host_add_name(host, &case_master(host)->libraries, SLICE("libheaptrack_preload.so"));
    finding = case_find(host, "other_preloads");
    ASSERT_STATE(finding, "fail");
    ASSERT_FIX(finding, "take libjemalloc.so.2 out of LD_PRELOAD");
    ASSERT_FIX(finding, "take libheaptrack_preload.so out of LD_PRELOAD");
    doctor_host_free(host);
}

static struct doctor_finding extensions_of(const char *const *names)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    for (; *names; names++)
        doctor_host_add_name(host, &case_master(host)->libraries, slice_of(*names));
    finding = case_find(host, "extensions");
    doctor_host_free(host);
    return finding;
}

static void test_extensions_alone_and_together(void **state)
{
    struct doctor_finding finding;

    (void) state;
    finding = extensions_of((const char *[]){"opcache.so", "curl.so", NULL});
    ASSERT_STATE(finding, "ok");
    finding = extensions_of((const char *[]){"ioncube_loader_lin_8.2.so", NULL});
    ASSERT_STATE(finding, "ok");
    ASSERT_SAYS(finding, "ionCube");
    finding = extensions_of((const char *[]){"xdebug.so", NULL});
    ASSERT_STATE(finding, "warn");
    finding = extensions_of((const char *[]){"newrelic.so", "blackfire.so", NULL});
    ASSERT_STATE(finding, "warn");
    ASSERT_SAYS(finding, "New Relic and Blackfire");
    finding = extensions_of((const char *[]){"ioncube_loader_lin_8.2.so", "xdebug.so", NULL});
    ASSERT_STATE(finding, "fail");
    ASSERT_FIX(finding, "phpdismod xdebug");
}

static void test_each_extension_that_is_warned_of_gets_its_fix_once(void **state)
{
    struct doctor_finding finding = extensions_of((const char *[]){"xdebug.so", "pcov.so", NULL});
    const char *first;

    (void) state;
    first = strstr(finding.fix, "phpdismod xdebug");
    assert_non_null(first);
    assert_null(strstr(first + 1, "phpdismod xdebug"));
    ASSERT_FIX(finding, "PCOV: phpdismod pcov");
}

static void test_one_product_under_two_names_does_not_conflict_with_itself(void **state)
{
    struct doctor_finding finding =
        extensions_of((const char *[]){"ixed.8.2.lin", "sourceguardian.so", NULL});

    (void) state;
    ASSERT_STATE(finding, "ok");
}

static void test_modules_that_are_compiled_in_count_in_any_case(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_finding finding;

    (void) state;
    doctor_host_add_name(host, &case_master(host)->modules, SLICE("Xdebug"));
    finding = case_find(host, "extensions");
    ASSERT_STATE(finding, "warn");
    doctor_host_free(host);
}

static void test_each_php_without_the_library_gets_its_unit(void **state)
{
    struct doctor_host *host = case_healthy();
    struct doctor_master *older = doctor_host_add_master(host, 200);
    struct doctor_finding finding;

    (void) state;
    older->executable = "/usr/sbin/php-fpm7.4";
    older->shim = case_master(host)->shim = 0;
    host->shim_path = "/opt/fpmscope/libfpmscope.so";
    finding = case_find(host, "shim_loaded");
    ASSERT_STATE(finding, "fail");
    ASSERT_FIX(finding, "LD_PRELOAD=/opt/fpmscope/libfpmscope.so");
    ASSERT_FIX(finding, "systemctl edit php8.2-fpm");
    ASSERT_FIX(finding, "; systemctl edit php7.4-fpm");
    doctor_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_php_without_the_library_gets_its_unit),
        cmocka_unit_test(test_the_layouts_are_those_of_the_shim),
        cmocka_unit_test(test_a_master_without_the_shim_fails_and_names_the_unit_of_its_version),
        cmocka_unit_test(test_workers_without_the_shim_are_counted),
        cmocka_unit_test(test_unreadable_maps_are_skipped_not_called_missing),
        cmocka_unit_test(test_layouts_are_proven_unproven_or_unknown),
        cmocka_unit_test(test_the_programs_name_stands_in_for_a_version_that_was_not_asked),
        cmocka_unit_test(test_another_malloc_and_another_profiler_are_found_by_their_names),
        cmocka_unit_test(test_extensions_alone_and_together),
        cmocka_unit_test(test_each_extension_that_is_warned_of_gets_its_fix_once),
        cmocka_unit_test(test_one_product_under_two_names_does_not_conflict_with_itself),
        cmocka_unit_test(test_modules_that_are_compiled_in_count_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

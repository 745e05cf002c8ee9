/* test_php_layout.c - which PHP gets which offsets, and which gets none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/php_layout.h"

static struct php_build build_of(const char *version, uint32_t api)
{
    struct php_build build = {.api = api};

    strncpy(build.version, version, sizeof build.version - 1);
    return build;
}

static void test_debian_s_php_8_2_finds_the_row_that_its_headers_give(void **state)
{
    const struct php_build build = build_of("8.2.36", 20220829);
    const struct php_layout *layout = php_layout_find(&build);

    (void) state;
    assert_non_null(layout);
    assert_string_equal(layout->branch, "8.2");
    assert_true(layout->proven);
    assert_int_equal(layout->current_execute_data, 488);
    assert_int_equal(layout->prev_execute_data, 48);
    assert_int_equal(layout->filename, 152);
}

static void test_suffixes_of_a_version_do_not_hide_its_branch(void **state)
{
    static const char *const versions[] = {"7.4.33", "7.4", "7.4.0RC1", "7.4.0-dev"};

    (void) state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        const struct php_build build = build_of(versions[i], 20190902);

        assert_non_null(php_layout_find(&build));
    }
}

static void test_a_version_without_a_row_has_no_layout(void **state)
{
    static const char *const versions[] = {"", "5.6.40", "8.20.1", "8.9.0", "9.0.0", "7", "x8.2.1"};

    (void) state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        const struct php_build build = build_of(versions[i], 20220829);

        assert_null(php_layout_find(&build));
    }
}

static void test_a_module_api_of_another_branch_is_not_believed(void **state)
{
    const struct php_build build = build_of("8.2.36", 20230831);

    (void) state;
    assert_null(php_layout_find(&build));
}

static void test_thread_safe_and_debug_builds_are_declined(void **state)
{
    struct php_build zts = build_of("8.2.36", 20220829), debug = zts;

    (void) state;
    zts.zts = true;
    debug.debug = true;
    assert_null(php_layout_find(&zts));
    assert_null(php_layout_find(&debug));
}

static void test_rows_are_unique_and_inside_what_the_walker_reads(void **state)
{
    const struct php_layout *layout;

    (void) state;
    for (uint32_t i = 0; (layout = php_layout_at(i)); i++) {
        assert_in_range(layout->current_execute_data, 400, 1024);
        assert_in_range(layout->prev_execute_data, 48, 56);
        assert_in_range(layout->filename, 100, 200);
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(php_layout_at(j)->branch, layout->branch);
    }
}

/* A zend_module_entry as modules register it. */
static uint8_t core_entry[168];
static const void *core_value = core_entry;

static void *find_only_core(const void *table, const char *key, size_t len_bytes)
{
    (void) table;
    return len_bytes == 4 && memcmp(key, "core", 4) == 0 ? &core_value : NULL;
}

static void fill_core(const char *name, const char *version, uint16_t size_bytes)
{
    const uint32_t api = 20220829;

    memset(core_entry, 0, sizeof core_entry);
    memcpy(core_entry, &size_bytes, sizeof size_bytes);
    memcpy(core_entry + 4, &api, sizeof api);
    memcpy(core_entry + 32, &name, sizeof(void *));
    memcpy(core_entry + 88, &version, sizeof(void *));
}

static void test_the_core_module_tells_version_and_build(void **state)
{
    const struct php_engine engine = {.module_registry = core_entry, .hash_find = find_only_core};
    struct php_build build;

    (void) state;
    fill_core("Core", "8.2.36", 168);
    core_entry[9] = 1;
    assert_true(php_engine_build(&engine, &build));
    assert_string_equal(build.version, "8.2.36");
    assert_int_equal(build.api, 20220829);
    assert_true(build.zts);
    assert_false(build.debug);
}

static void test_an_entry_that_is_not_core_is_refused(void **state)
{
    const struct php_engine engine = {.module_registry = core_entry, .hash_find = find_only_core};
    const struct php_engine absent = {0};
    struct php_build build;

    (void) state;
    fill_core("Core", "8.2.36", 160);
    assert_false(php_engine_build(&engine, &build));
    fill_core("date", "8.2.36", 168);
    assert_false(php_engine_build(&engine, &build));
    fill_core("Core", NULL, 168);
    assert_false(php_engine_build(&engine, &build));
    assert_false(php_engine_build(&absent, &build));
}

static void test_an_endless_version_is_cut(void **state)
{
    const struct php_engine engine = {.module_registry = core_entry, .hash_find = find_only_core};
    struct php_build build;

    (void) state;
    fill_core("Core", "8.2.36-a-very-long-suffix-of-a-distributor", 168);
    assert_true(php_engine_build(&engine, &build));
    assert_int_equal(strlen(build.version), sizeof build.version - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debian_s_php_8_2_finds_the_row_that_its_headers_give),
        cmocka_unit_test(test_suffixes_of_a_version_do_not_hide_its_branch),
        cmocka_unit_test(test_a_version_without_a_row_has_no_layout),
        cmocka_unit_test(test_a_module_api_of_another_branch_is_not_believed),
        cmocka_unit_test(test_thread_safe_and_debug_builds_are_declined),
        cmocka_unit_test(test_rows_are_unique_and_inside_what_the_walker_reads),
        cmocka_unit_test(test_the_core_module_tells_version_and_build),
        cmocka_unit_test(test_an_entry_that_is_not_core_is_refused),
        cmocka_unit_test(test_an_endless_version_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

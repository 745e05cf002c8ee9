/* test_module_path.c - what is left of a path when everything around it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyze/module/module_path.h"

static void expect_path(const char *file, const char *expected, bool archive)
{
    struct module_path path;

    module_path_set(&path, slice_of(file));
    assert_string_equal(path.text, expected);
    assert_int_equal(path.len_bytes, strlen(expected));
    assert_int_equal(path.archive, archive);
    assert_false(path.cut);
}

static void test_dots_and_slashes_are_resolved(void **state)
{
    (void) state;
    expect_path("/a//b/./c/../d.php", "/a/b/d.php", false);
    expect_path("/../../a.php", "/a.php", false);
    expect_path("a/b.php", "/a/b.php", false);
    expect_path("/a/b/../..", "", false);
    expect_path("", "", false);
}

static void test_marks_of_code_made_at_run_time_are_cut_off(void **state)
{
    (void) state;
    expect_path("/a.php(12) : eval()'d code", "/a.php", false);
    expect_path("/a.php(12) : eval()'d code(3) : eval()'d code", "/a.php", false);
    expect_path("/a.php(3) : runtime-created function", "/a.php", false);
    expect_path("/a.php(3) : assert code", "/a.php", false);
    expect_path("/a.php() : eval()'d code", "/a.php() : eval()'d code", false);
    expect_path("/a b (1) : c/d.php", "/a b (1) : c/d.php", false);
    expect_path("/a (1) : c/d.php(7) : eval()'d code", "/a (1) : c/d.php", false);
}

static void test_an_archive_is_the_file(void **state)
{
    (void) state;
    expect_path("phar:///usr/local/bin/n98.phar/src/x.php", "/usr/local/bin/n98.phar", true);
    expect_path("PHAR://C:\\tools\\n98.phar\\x.php", "/tools/n98.phar", true);
    expect_path("phar:///usr/local/bin/composer/src/x.php", "/usr/local/bin/composer", true);
    expect_path("phar:///a/b.phar.gz/c.phar/x.php", "/a/b.phar.gz", true);
    expect_path("phar:///a/b.phar/../x.php", "/a", true);
    expect_path("phar://", "", true);
}

static void test_wrappers_and_drives_are_taken_away(void **state)
{
    (void) state;
    expect_path("file:///a/b.php", "/a/b.php", false);
    expect_path("compress.zlib:///a/b.php", "/a/b.php", false);
    expect_path("C:\\xampp\\a.php", "/xampp/a.php", false);
    expect_path("\\\\host\\share\\a.php", "/host/share/a.php", false);
}

static void test_a_stream_has_no_path(void **state)
{
    struct module_path path;

    (void) state;
    module_path_set(&path, SLICE("data:text/plain;base64,eA=="));
    assert_true(path.stream);
    assert_int_equal(path.count, 0);
    module_path_set(&path, SLICE("https://host/app/code/A/B/x.php"));
    assert_true(path.stream);
    module_path_set(&path, SLICE("/https://x"));
    assert_false(path.stream);
}

static void test_a_path_that_is_too_long_or_too_deep_is_cut_and_says_so(void **state)
{
    const size_t size_bytes = 3 * MODULE_PATH_BYTES;
    char *text = malloc(size_bytes);
    struct module_path path;

    (void) state;
    memset(text, 'a', size_bytes);
    module_path_set(&path, (struct slice){.ptr = text, .len_bytes = size_bytes});
    assert_true(path.cut);
    assert_int_equal(path.count, 0);
    for (size_t i = 0; i < size_bytes; i += 2)
        text[i] = '/';
    module_path_set(&path, (struct slice){.ptr = text, .len_bytes = size_bytes});
    assert_true(path.cut);
    assert_int_equal(path.count, MODULE_PATH_PARTS);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dots_and_slashes_are_resolved),
        cmocka_unit_test(test_marks_of_code_made_at_run_time_are_cut_off),
        cmocka_unit_test(test_an_archive_is_the_file),
        cmocka_unit_test(test_wrappers_and_drives_are_taken_away),
        cmocka_unit_test(test_a_stream_has_no_path),
        cmocka_unit_test(test_a_path_that_is_too_long_or_too_deep_is_cut_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

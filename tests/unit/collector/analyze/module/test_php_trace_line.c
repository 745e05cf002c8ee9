/* test_php_trace_line.c - lines from logs name the file in which something happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/module/php_trace_line.h"

static void expect_file(const char *line, const char *file)
{
    struct php_frame frame;

    assert_true(php_trace_line_parse(slice_of(line), &frame));
    assert_int_equal(frame.kind, PHP_FRAME_USER);
    assert_true(slice_equal(frame.file, slice_of(file)));
    assert_int_equal(frame.class_name.len_bytes, 0);
}

static void expect_none(const char *line)
{
    struct php_frame frame;

    assert_false(php_trace_line_parse(slice_of(line), &frame));
}

static void test_a_stack_trace_names_the_callers_file(void **state)
{
    struct php_frame frame;

    (void) state;
    expect_file("#3 /srv/app/code/Acme/Feed/Model/Export.php(12): "
                "Magento\\Framework\\DataObject->load(Array)",
                "/srv/app/code/Acme/Feed/Model/Export.php");
    expect_file("  #0 /srv/a (b)/x.php(7): f('): ')", "/srv/a (b)/x.php");
    expect_file("#12 /srv/x.php(12) : eval()'d code(3): f()", "/srv/x.php(12) : eval()'d code");
    assert_true(
        php_trace_line_parse(slice_of("#4 [internal function]: PDOStatement->fetchAll()"), &frame));
    assert_int_equal(frame.kind, PHP_FRAME_INTERNAL);
}

static void test_slow_log_and_messages_name_their_file(void **state)
{
    (void) state;
    expect_file("[0x00007f1a2c012345] fetchAll() /srv/vendor/x/y/Pdo.php:228",
                "/srv/vendor/x/y/Pdo.php");
    expect_file(
        "PHP Fatal error:  Allowed memory size of 8 bytes exhausted in /srv/x.php on line 41",
        "/srv/x.php");
    expect_file("Warning: no such file in /tmp in /srv/y.php on line 4", "/srv/y.php");
}

static void test_what_fpmscope_prints_names_its_class(void **state)
{
    struct php_frame frame;

    (void) state;
    assert_true(php_trace_line_parse(
        slice_of("Acme\\ErpSync\\Observer\\Push::execute (Push.php:41)"), &frame));
    assert_int_equal(frame.kind, PHP_FRAME_UNPLACED);
    assert_true(slice_equal(frame.class_name, slice_of("Acme\\ErpSync\\Observer\\Push")));
    assert_true(slice_equal(frame.function, slice_of("execute")));
}

static void test_a_path_is_no_line_of_a_log(void **state)
{
    (void) state;
    expect_none("/srv/app/code/Acme/Feed/Model/Export.php");
    expect_none("/srv/x.php(12) : eval()'d code");
    expect_none("phar:///srv/a.phar/x::y.php");
    expect_none("");
    expect_none("#");
    expect_none("#1 {main}");
    expect_none("#1 /srv/x.php(): f()");
    expect_none("[0x0] f() :5");
    expect_none("/srv/in /x.php");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stack_trace_names_the_callers_file),
        cmocka_unit_test(test_slow_log_and_messages_name_their_file),
        cmocka_unit_test(test_what_fpmscope_prints_names_its_class),
        cmocka_unit_test(test_a_path_is_no_line_of_a_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_php_frame.c - what the text of a frame says, and how people read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/module/php_frame.h"

static void expect_slice(struct slice got, const char *expected)
{
    assert_int_equal(got.len_bytes, strlen(expected));
    assert_memory_equal(got.ptr ? got.ptr : "", expected, got.len_bytes);
}

static void expect_human(const char *text, const char *expected)
{
    char buffer[PHP_FRAME_HUMAN_BYTES];

    assert_int_equal(php_frame_text(slice_of(text), buffer, sizeof buffer), strlen(expected));
    assert_string_equal(buffer, expected);
}

static void test_a_full_frame_has_function_class_file_and_line(void **state)
{
    const struct php_frame frame =
        php_frame_parse(SLICE("execute\tAcme\\ErpSync\\Observer\\Push\t/srv/shop/Push.php:41"));

    (void) state;
    assert_int_equal(frame.kind, PHP_FRAME_USER);
    expect_slice(frame.function, "execute");
    expect_slice(frame.class_name, "Acme\\ErpSync\\Observer\\Push");
    expect_slice(frame.file, "/srv/shop/Push.php");
    assert_int_equal(frame.line, 41);
}

static void test_a_frame_without_a_file_is_internal_unless_nobody_could_say(void **state)
{
    (void) state;
    assert_int_equal(php_frame_parse(SLICE("save\tDOMDocument\t")).kind, PHP_FRAME_INTERNAL);
    assert_int_equal(php_frame_parse(SLICE("save\tDOMDocument")).kind, PHP_FRAME_INTERNAL);
    assert_int_equal(php_frame_parse(SLICE("curl_exec\t\t")).kind, PHP_FRAME_INTERNAL);
    assert_int_equal(php_frame_parse(SLICE("App::handle")).kind, PHP_FRAME_UNPLACED);
    assert_int_equal(php_frame_parse(SLICE("curl_exec")).kind, PHP_FRAME_UNPLACED);
    assert_int_equal(php_frame_parse(SLICE("{12 frames cut}\t\t")).kind, PHP_FRAME_GAP);
    assert_int_equal(php_frame_parse(SLICE("{stack cut}")).kind, PHP_FRAME_GAP);
}

static void test_a_bare_frame_is_split_at_its_member(void **state)
{
    const struct php_frame frame = php_frame_parse(SLICE("Acme\\X\\Y::m"));
    const struct php_frame closure = php_frame_parse(SLICE("A\\B::{closure:A\\B::c():12}"));

    (void) state;
    expect_slice(frame.class_name, "Acme\\X\\Y");
    expect_slice(frame.function, "m");
    expect_slice(closure.class_name, "A\\B");
    expect_slice(closure.function, "{closure}");
    expect_slice(php_frame_parse(SLICE("{closure:A\\B::c():12}")).origin, "A\\B");
}

static void test_lines_are_numbers_at_the_end_of_a_file_that_may_have_colons(void **state)
{
    const struct php_frame phar = php_frame_parse(SLICE("f\t\tphar:///a/b.phar/x.php:7"));
    const struct php_frame eval = php_frame_parse(SLICE("\t\t/a/b.php(12) : eval()'d code:3"));
    const struct php_frame none = php_frame_parse(SLICE("f\t\tphar:///a/b.phar/x.php"));

    (void) state;
    expect_slice(phar.file, "phar:///a/b.phar/x.php");
    assert_int_equal(phar.line, 7);
    expect_slice(eval.file, "/a/b.php(12) : eval()'d code");
    assert_int_equal(eval.line, 3);
    expect_slice(none.file, "phar:///a/b.phar/x.php");
    assert_int_equal(none.line, 0);
    assert_int_equal(php_frame_parse(SLICE("f\t\tx.php:99999999999")).line, 0);
    assert_int_equal(php_frame_parse(SLICE("f\t\tx.php:")).line, 0);
    assert_int_equal(php_frame_parse(SLICE("f\t\t:5")).line, 0);
}

static void test_closures_of_all_versions_are_one_function(void **state)
{
    (void) state;
    expect_human("Acme\\X\\{closure}\tAcme\\X\\C\t/s/C.php:9", "Acme\\X\\C::{closure} (C.php:9)");
    expect_human("{closure:Acme\\X\\C::m():9}\tAcme\\X\\C\t/s/C.php:9",
                 "Acme\\X\\C::{closure} (C.php:9)");
    expect_human("{closure:{closure:Acme\\X\\C::m():9}:10}\tAcme\\X\\C\t/s/C.php:10",
                 "Acme\\X\\C::{closure} (C.php:10)");
    /* without a class, the namespace is what both spellings share */
    expect_human("Composer\\Autoload\\{closure}\t\t/v/ClassLoader.php:575",
                 "Composer\\Autoload\\{closure} (ClassLoader.php:575)");
    expect_human("{closure:Composer\\Autoload\\ClassLoader::init():571}\t\t/v/ClassLoader.php:575",
                 "Composer\\Autoload\\{closure} (ClassLoader.php:575)");
    expect_human("{closure:Acme\\f():3}\t\t/v/f.php:4", "Acme\\{closure} (f.php:4)");
    expect_human("{closure:/srv/routes/web.php:12}\t\t/srv/routes/web.php:13",
                 "{closure} (web.php:13)");
    expect_human("{closure}\t\t/srv/x.php:1", "{closure} (x.php:1)");
}

static void test_anonymous_classes_lose_the_path_behind_their_name(void **state)
{
    const struct php_frame raw =
        php_frame_parse(SLICE("m\tclass@anonymous\0/a/b.php:20$0\t/a/b.php:21"));
    const struct php_frame written =
        php_frame_of(SLICE("/a/b.php"), SLICE("P\\Q@anonymous\\0/a/b.php:20$0"), SLICE("m"));

    (void) state;
    assert_true(raw.anonymous_class);
    expect_slice(raw.class_name, "class@anonymous");
    assert_int_equal(raw.line, 21);
    assert_true(written.anonymous_class);
    expect_slice(written.class_name, "P\\Q@anonymous");
}

static void test_people_read_class_method_and_place(void **state)
{
    (void) state;
    expect_human("execute\tAcme\\ErpSync\\Observer\\Push\t/srv/shop/Push.php:41",
                 "Acme\\ErpSync\\Observer\\Push::execute (Push.php:41)");
    expect_human("\tMagento\\Framework\\View\\TemplateEngine\\Php\t/t/list.phtml:12",
                 "include (list.phtml:12)");
    expect_human("save\tDOMDocument\t", "DOMDocument::save");
    expect_human("App::handle", "App::handle");
    expect_human("f\t\t/a/x\x1b\xff.php:1", "f (x%1B%FF.php:1)");
    expect_human("", "include");
}

static void test_the_human_form_is_cut_to_its_buffer(void **state)
{
    char buffer[12];

    (void) state;
    assert_true(php_frame_text(SLICE("executeeeee\tAcme\tx"), buffer, sizeof buffer) < 12);
    assert_int_equal(strlen(buffer), php_frame_text(SLICE("executeeeee\tAcme\tx"), buffer, 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_frame_has_function_class_file_and_line),
        cmocka_unit_test(test_a_frame_without_a_file_is_internal_unless_nobody_could_say),
        cmocka_unit_test(test_a_bare_frame_is_split_at_its_member),
        cmocka_unit_test(test_lines_are_numbers_at_the_end_of_a_file_that_may_have_colons),
        cmocka_unit_test(test_closures_of_all_versions_are_one_function),
        cmocka_unit_test(test_anonymous_classes_lose_the_path_behind_their_name),
        cmocka_unit_test(test_people_read_class_method_and_place),
        cmocka_unit_test(test_the_human_form_is_cut_to_its_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

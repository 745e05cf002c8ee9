/* test_php_class_scan.c - the class of a file, whatever stands in front of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/module/php_class_scan.h"

static void expect(const char *text, const char *name)
{
    char buf[PHP_CLASS_NAME_BYTES];
    const struct slice found = php_class_scan(slice_of(text), buf);

    assert_int_equal(found.len_bytes, strlen(name));
    assert_memory_equal(found.ptr, name, found.len_bytes);
}

static void test_a_class_has_its_namespace(void **state)
{
    (void) state;
    expect("<?php\nnamespace Acme\\Feed;\nfinal class Writer extends Base {}",
           "Acme\\Feed\\Writer");
    expect("<?php class Mage_Catalog_Model_Product {", "Mage_Catalog_Model_Product");
    expect("<?php namespace A { trait T {} }", "A\\T");
}

static void test_comments_strings_and_mentions_are_no_classes(void **state)
{
    (void) state;
    expect("<?php // class No\n# class Nor\n/* class Neither */ $a = 'class \\' X'; class Yes {}",
           "Yes");
    expect("<?php #[Attribute]\nclass Yes {}", "Yes");
    expect("<?php $x = Foo::class; $y = new class { }; function f() {}", "");
}

static void test_broken_files_end(void **state)
{
    (void) state;
    expect("", "");
    expect("<?php 'unterminated \\", "");
    expect("<?php /* unterminated", "");
    expect("<?php namespace", "");
    expect("<?php class", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_class_has_its_namespace),
        cmocka_unit_test(test_comments_strings_and_mentions_are_no_classes),
        cmocka_unit_test(test_broken_files_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

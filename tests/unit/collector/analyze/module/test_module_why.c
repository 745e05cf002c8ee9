/* test_module_why.c - the evidence that is named is the evidence that the answer needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/module/module_evidence.h"
#include "analyze/module/module_overrides.h"
#include "analyze/module/module_why.h"

static void expect(const struct module_rules *rules, const char *file, const char *class_name,
                   const char *name, const char *why)
{
    const struct php_frame frame =
        php_frame_of(slice_of(file), slice_of(class_name), SLICE("execute"));
    char buf[MODULE_WHY_BYTES];
    struct module module;

    module_of_frame(rules, &frame, &module);
    assert_string_equal(module.name, name);
    assert_non_null(strstr(module_why(rules, &frame, &module, buf), why));
}

/* A shop where every directory declares itself. */
static ssize_t declare(void *context, const char *path, char *buffer, size_t size_bytes)
{
    static const char text[] = "<?php ComponentRegistrar::register(ComponentRegistrar::MODULE, "
                               "'Acme_Declared', __DIR__);";

    (void) context;
    if (!strstr(path, "registration.php") || size_bytes < sizeof text)
        return -1;
    memcpy(buffer, text, sizeof text - 1);
    return sizeof text - 1;
}

static void test_a_directory_that_owns_code_is_enough(void **state)
{
    const struct module_rules none = {.evidence = NULL};

    (void) state;
    expect(&none, "/w/wp-content/plugins/woo/a.php", "Anything\\At\\All", "plugin:woo",
           "directories of its path");
}

static void test_a_class_is_named_where_it_decides(void **state)
{
    const struct module_rules none = {.evidence = NULL};

    (void) state;
    expect(&none, "/elsewhere/Observer/Sign.php", "Acme\\Link\\Observer\\Sign", "Acme_Link",
           "its class");
}

static void test_files_are_named_where_they_decide(void **state)
{
    const struct module_rules rules = {.evidence = module_evidence_new(declare, NULL)};

    (void) state;
    expect(&rules, "/elsewhere/x/y.php", "", "Acme_Declared", "registration.php");
    module_evidence_free(rules.evidence);
}

static void test_the_operators_rule_is_named_first(void **state)
{
    struct module_overrides *overrides = module_overrides_new();
    const struct module_rules rules = {.overrides = overrides};

    (void) state;
    assert_int_equal(module_overrides_add_line(overrides, SLICE("/srv/x/ = Acme_Own third_party")),
                     0);
    expect(&rules, "/srv/x/y.php", "", "Acme_Own", "a rule of yours");
    module_overrides_free(overrides);
}

static void test_code_in_no_module_says_what_it_is_blamed_as(void **state)
{
    const struct module_rules none = {.evidence = NULL};

    (void) state;
    expect(&none, "/usr/share/dokuwiki/inc/x.php", "", "(entry)", "blamed as app:dokuwiki");
}

static void test_an_extension_is_told_by_what_it_does(void **state)
{
    enum module_tier tier;

    (void) state;
    assert_non_null(
        strstr(module_why_native(native_library_kind(SLICE("newrelic.so")), &tier), "an agent"));
    assert_int_equal(tier, MODULE_THIRD_PARTY);
    assert_non_null(
        strstr(module_why_native(native_library_kind(SLICE("dom.so")), &tier), "never blamed"));
    assert_int_equal(tier, MODULE_LIBRARY);
    assert_non_null(strstr(module_why_native(native_library_kind(SLICE("imagick.so")), &tier),
                           "PHP does not ship"));
    assert_non_null(
        strstr(module_why_native(native_library_kind(SLICE("libxml2.so.2")), &tier), "a library"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_directory_that_owns_code_is_enough),
        cmocka_unit_test(test_a_class_is_named_where_it_decides),
        cmocka_unit_test(test_files_are_named_where_they_decide),
        cmocka_unit_test(test_the_operators_rule_is_named_first),
        cmocka_unit_test(test_code_in_no_module_says_what_it_is_blamed_as),
        cmocka_unit_test(test_an_extension_is_told_by_what_it_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_module.c - rules that need more than a line of text: evidence, overrides, hostile names.
 * The labelled frames are scored by `make check-modules`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "analyze/module/module.h"
#include "analyze/module/module_evidence.h"
#include "analyze/module/module_overrides.h"
#include "base/utf8.h"

struct fake_file {
    const char *path, *text;
};

struct fake_files {
    struct fake_file files[4];
    int reads;
};

static ssize_t fake_read(void *context, const char *path, char *buffer, size_t size_bytes)
{
    struct fake_files *fake = context;

    fake->reads++;
    for (size_t i = 0; i < 4; i++)
        if (fake->files[i].path && strcmp(fake->files[i].path, path) == 0) {
            size_t n = strlen(fake->files[i].text);

            n = n < size_bytes ? n : size_bytes;
            memcpy(buffer, fake->files[i].text, n);
            return (ssize_t) n;
        }
    return -ENOENT;
}

static struct module find(const struct module_rules *rules, const char *file,
                          const char *class_name, const char *function)
{
    const struct php_frame frame =
        php_frame_of(slice_of(file), slice_of(class_name), slice_of(function));
    struct module module;

    module_of_frame(rules, &frame, &module);
    return module;
}

static void expect_module(const struct module_rules *rules, const char *file,
                          const char *class_name, const char *name, enum module_tier tier)
{
    const struct module module = find(rules, file, class_name, "m");

    assert_string_equal(module.name, name);
    assert_int_equal(module.tier, tier);
}

#define REGISTER(kind, name)                                                                       \
    "<?php\n// register('x')\nuse Magento\\Framework\\Component\\ComponentRegistrar;\n"            \
    "ComponentRegistrar::register(ComponentRegistrar::" kind ", " name ", __DIR__);\n"

static void test_registration_names_modules_and_themes_that_strings_cannot(void **state)
{
    struct fake_files fake = {
        .files = {
            {"/v/vendor/acme/oddly-named/registration.php", REGISTER("MODULE", "'Acme_Odd'")},
            {"/v/vendor/acme/look/registration.php", REGISTER("THEME", "\"frontend/Acme/look\"")},
            {"/srv/link/registration.php", REGISTER("MODULE", "'Acme_Link'")},
            {"/v/vendor/acme/constant/registration.php", REGISTER("MODULE", "Name::X")}}};
    struct module_evidence *evidence = module_evidence_new(fake_read, &fake);
    const struct module_rules rules = {.evidence = evidence};

    (void) state;
    expect_module(&rules, "/v/vendor/acme/oddly-named/view/frontend/templates/a.phtml", "",
                  "Acme_Odd", MODULE_THIRD_PARTY);
    expect_module(&rules, "/v/vendor/acme/look/Magento_Theme/templates/a.phtml", "",
                  "theme:frontend/Acme/look", MODULE_THEME);
    expect_module(&rules, "/srv/link/view/frontend/templates/a.phtml", "", "Acme_Link",
                  MODULE_THIRD_PARTY);
    /* only that it is a module can be told; the class has the name */
    expect_module(&rules, "/v/vendor/acme/constant/Model/A.php", "Acme\\Constant\\Model\\A",
                  "Acme_Constant", MODULE_THIRD_PARTY);
    expect_module(&rules, "/v/vendor/acme/nothing/a.phtml", "", "acme/nothing", MODULE_THIRD_PARTY);
    module_evidence_free(evidence);
}

static void test_module_xml_is_asked_when_registration_does_not_say(void **state)
{
    struct fake_files fake = {
        .files = {{"/v/vendor/acme/constant/registration.php", REGISTER("MODULE", "Name::X")},
                  {"/v/vendor/acme/constant/etc/module.xml",
                   "<config><!-- <module name=\"No_No\"/> --><module setup_version='1'\n "
                   "name='Acme_Xml'/></config>"}}};
    struct module_evidence *evidence = module_evidence_new(fake_read, &fake);
    const struct module_rules rules = {.evidence = evidence};

    (void) state;
    expect_module(&rules, "/v/vendor/acme/constant/a.phtml", "", "Acme_Xml", MODULE_THIRD_PARTY);
    module_evidence_free(evidence);
}

static void test_a_directory_is_read_once_until_it_is_forgotten(void **state)
{
    struct fake_files fake = {.reads = 0};
    struct module_evidence *evidence = module_evidence_new(fake_read, &fake);
    const struct module_rules rules = {.evidence = evidence};
    int once;

    (void) state;
    find(&rules, "/v/vendor/acme/pkg/a/b.php", "", "m");
    once = fake.reads;
    assert_int_equal(once, 4); /* two files in a/ and in the package, nothing above */
    find(&rules, "/v/vendor/acme/pkg/a/c.php", "", "m");
    assert_int_equal(fake.reads, once);
    module_evidence_forget(evidence);
    find(&rules, "/v/vendor/acme/pkg/a/c.php", "", "m");
    assert_int_equal(fake.reads, 2 * once);
    module_evidence_free(evidence);
}

static void test_evidence_survives_more_directories_than_it_remembers(void **state)
{
    struct fake_files fake = {
        .files = {{"/v/vendor/a/p7/registration.php", REGISTER("MODULE", "'Acme_Seven'")}}};
    struct module_evidence *evidence = module_evidence_new(fake_read, &fake);
    const struct module_rules rules = {.evidence = evidence};
    char path[64];

    (void) state;
    for (int i = 0; i < MODULE_EVIDENCE_DIRECTORIES + 100; i++) {
        snprintf(path, sizeof path, "/v/vendor/a/p%d/x.php", i);
        find(&rules, path, "", "m");
    }
    expect_module(&rules, "/v/vendor/a/p7/x.php", "", "Acme_Seven", MODULE_THIRD_PARTY);
    module_evidence_free(evidence);
}

static void test_nothing_is_read_for_what_strings_decide(void **state)
{
    struct fake_files fake = {.reads = 0};
    struct module_evidence *evidence = module_evidence_new(fake_read, &fake);
    const struct module_rules rules = {.evidence = evidence};

    (void) state;
    find(&rules, "/w/app/code/Acme/Foo/Model/A.php", "Acme\\Foo\\Model\\A", "m");
    find(&rules, "/w/vendor/symfony/console/Application.php", "", "m");
    find(&rules, "/w/wp-content/plugins/x/y.php", "", "m");
    assert_int_equal(fake.reads, 0);
    module_evidence_free(evidence);
}

static struct module_overrides *overrides_of(const char *const *lines)
{
    struct module_overrides *overrides = module_overrides_new();

    for (; *lines; lines++)
        assert_int_equal(module_overrides_add_line(overrides, slice_of(*lines)), 0);
    return overrides;
}

static void test_the_operators_longest_prefix_wins(void **state)
{
    struct module_overrides *overrides = overrides_of((const char *const[]){
        "# ours", "", "/w/tools/ = Acme_Tools third_party", "/w/tools/core/ = Acme_Core platform",
        "*shared/acme- = Acme_Shared library", "Acme\\Legacy\\ = Acme_Legacy platform",
        "PayPal_ = - platform", "plugin:woocommerce = plugin:woo platform", NULL});
    const struct module_rules rules = {.overrides = overrides};

    (void) state;
    expect_module(&rules, "/w/tools/a.php", "", "Acme_Tools", MODULE_THIRD_PARTY);
    expect_module(&rules, "/w//tools/core/a.php", "", "Acme_Core", MODULE_PLATFORM);
    expect_module(&rules, "/r/1/shared/acme-x/a.php", "", "Acme_Shared", MODULE_LIBRARY);
    expect_module(&rules, "/x/y.php", "Acme\\Legacy\\Y", "Acme_Legacy", MODULE_PLATFORM);
    expect_module(&rules, "/w/app/code/PayPal/Braintree/a.php", "", "PayPal_Braintree",
                  MODULE_PLATFORM);
    expect_module(&rules, "/w/wp-content/plugins/woocommerce/a.php", "", "plugin:woo",
                  MODULE_PLATFORM);
    expect_module(&rules, "/w/app/code/Acme/Foo/a.php", "", "Acme_Foo", MODULE_THIRD_PARTY);
    module_overrides_free(overrides);
}

static void test_a_line_that_is_no_rule_is_refused(void **state)
{
    static const char *const wrong[] = {"/x/",
                                        "/x/ =",
                                        "/x/ = Acme_X",
                                        "/x/ = Acme_X nobody",
                                        "= Acme_X platform",
                                        "/x/ = - platform",
                                        "* = A library"};
    struct module_overrides *overrides = module_overrides_new();

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(module_overrides_add_line(overrides, slice_of(wrong[i])), -EINVAL);
    for (int i = 0; i < MODULE_OVERRIDES_MAX; i++)
        assert_int_equal(module_overrides_add(overrides, SLICE("/x/"), SLICE("A library")), 0);
    assert_int_equal(module_overrides_add(overrides, SLICE("/x/"), SLICE("A library")), -ENOSPC);
    module_overrides_free(overrides);
}

static void test_a_theme_says_whose_template_it_replaces(void **state)
{
    const struct module module =
        find(NULL, "/w/app/design/frontend/Acme/shop/Magento_Catalog/templates/list.phtml", "", "");

    (void) state;
    assert_string_equal(module.name, "theme:frontend/Acme/shop");
    assert_string_equal(module.hint, "Magento_Catalog");
}

static void test_a_class_without_a_path_names_its_module(void **state)
{
    static const struct {
        const char *text, *name;
        enum module_tier tier;
    } cases[] = {
        {"Acme\\ErpSync\\Observer\\Push::execute", "Acme_ErpSync", MODULE_THIRD_PARTY},
        {"Magento\\Catalog\\Model\\Product::load", "Magento_Catalog", MODULE_PLATFORM},
        {"Magento\\Framework\\DB\\Select::assemble", "Magento_Framework", MODULE_FRAMEWORK},
        {"Acme\\X\\Model\\Y\\Interceptor::z", "Acme_X", MODULE_GENERATED},
        {"Acme_Feed_Model_Cron::run", "Acme_Feed", MODULE_THIRD_PARTY},
        {"Symfony\\Component\\Console\\Application::run", "symfony", MODULE_LIBRARY},
        {"App\\Http\\Kernel::handle", "(app)", MODULE_THIRD_PARTY},
        {"App::handle", "(internal)", MODULE_LIBRARY},
        {"PDO::__construct", "(internal)", MODULE_LIBRARY},
        {"curl_exec", "(internal)", MODULE_LIBRARY},
        {"{3 frames cut}", "(internal)", MODULE_LIBRARY},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct php_frame frame = php_frame_parse(slice_of(cases[i].text));
        struct module module;

        module_of_frame(NULL, &frame, &module);
        assert_string_equal(module.name, cases[i].name);
        assert_int_equal(module.tier, cases[i].tier);
    }
}

static void test_a_plugin_of_any_application_is_told_by_its_directory(void **state)
{
    static const struct {
        const char *file, *class_name, *name;
        enum module_tier tier;
    } cases[] = {
        {"/usr/share/mail/plugins/archive/archive.php", "archive", "plugin:archive",
         MODULE_THIRD_PARTY},
        {"/srv/mail/plugins/sieve/lib/Mail/rcube_sieve.php", "rcube_sieve", "plugin:sieve",
         MODULE_THIRD_PARTY},
        {"/var/lib/wiki/lib/plugins/sync/action.php", "action_plugin_sync", "plugin:sync",
         MODULE_THIRD_PARTY},
        {"/var/lib/wiki/lib/plugins/sync/core/Queue.php", "wiki\\plugin\\sync\\core\\Queue",
         "plugin:sync", MODULE_THIRD_PARTY},
        {"/srv/stats/plugins/Live/API.php", "Stats\\Plugins\\Live\\API", "plugin:Live",
         MODULE_THIRD_PARTY},
        {"/srv/cake/plugins/Feed/src/Controller/AController.php", "Feed\\Controller\\AController",
         "plugin:Feed", MODULE_THIRD_PARTY},
        {"/usr/share/mon/modules/maps/library/Maps/Web/Map.php", "Mon\\Module\\Maps\\Web\\Map",
         "module:maps", MODULE_THIRD_PARTY},
        {"/srv/j/administrator/components/com_sync/a.php", "", "com_sync", MODULE_THIRD_PARTY},
        {"/srv/j/plugins/system/cache/cache.php", "", "plugin:system/cache", MODULE_THIRD_PARTY},
        {"/srv/wiki/lib/tpl/green/main.php", "", "theme:green", MODULE_THEME},
        {"/srv/wiki/lib/plugins/action.php", "", "plugin:action", MODULE_THIRD_PARTY},
        {"/srv/wiki/plugins/index.php", "", "(entry)", MODULE_ENTRY},
        {"/srv/wiki/inc/parser.php", "", "(entry)", MODULE_ENTRY},
        /* a class that names its module knows better */
        {"/srv/modules/feed/Model/Export.php", "Acme\\Feed\\Model\\Export", "Acme_Feed",
         MODULE_THIRD_PARTY},
        {"/srv/shop/vendor/acme/tool/plugins/x/y.php", "", "acme/tool", MODULE_THIRD_PARTY},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_module(NULL, cases[i].file, cases[i].class_name, cases[i].name, cases[i].tier);
}

static void test_names_are_printable_and_bounded_whatever_the_path(void **state)
{
    char path[1024] = "/w/app/code/A\x1b[2J\xff\t/";
    struct module module;
    size_t length;

    (void) state;
    length = strlen(path);
    memset(path + length, 'M', 900);
    memcpy(path + length + 900, "/x.php", 7);
    module = find(NULL, path, "", "m");
    assert_true(strlen(module.name) < MODULE_NAME_BYTES);
    assert_memory_equal(module.name, "A%1B[2J%FF%09_MMM", 17);
    for (struct slice rest = slice_of(module.name); rest.len_bytes > 0;
         rest = slice_skip(rest, utf8_printable(rest)))
        assert_true(utf8_printable(rest) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registration_names_modules_and_themes_that_strings_cannot),
        cmocka_unit_test(test_module_xml_is_asked_when_registration_does_not_say),
        cmocka_unit_test(test_a_directory_is_read_once_until_it_is_forgotten),
        cmocka_unit_test(test_evidence_survives_more_directories_than_it_remembers),
        cmocka_unit_test(test_nothing_is_read_for_what_strings_decide),
        cmocka_unit_test(test_the_operators_longest_prefix_wins),
        cmocka_unit_test(test_a_line_that_is_no_rule_is_refused),
        cmocka_unit_test(test_a_theme_says_whose_template_it_replaces),
        cmocka_unit_test(test_a_class_without_a_path_names_its_module),
        cmocka_unit_test(test_a_plugin_of_any_application_is_told_by_its_directory),
        cmocka_unit_test(test_names_are_printable_and_bounded_whatever_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

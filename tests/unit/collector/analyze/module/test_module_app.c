/* test_module_app.c - an application is called like the folder in which the host keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/module/module_app.h"

static void expect(const char *file, const char *name)
{
    struct module module;

    module_app_of_file(slice_of(file), &module);
    assert_string_equal(module.name, name);
    assert_int_equal(module.tier, MODULE_THIRD_PARTY);
}

static void test_the_folder_of_the_application_is_its_name(void **state)
{
    (void) state;
    expect("/usr/share/dokuwiki/inc/parser/xhtml.php", "app:dokuwiki");
    expect("/var/www/shop.example/htdocs/lib/cart.php", "app:shop.example");
    expect("/var/www/vhosts/shop.example/httpdocs/x.php", "app:shop.example");
    expect("/srv/www/wiki/index.php", "app:wiki");
    expect("/var/www/shop/releases/20261122/x.php", "app:shop");
    expect("/opt/crm/lib/x.php(12) : eval()'d code", "app:crm");
}

static void test_a_folder_that_every_host_has_is_no_name(void **state)
{
    (void) state;
    expect("/var/www/html/lib/cart.php", "(app)");
    expect("/var/www/index.php", "(app)");
    expect("/data/web/public/index.php", "(app)");
    expect("/app/lib/cart.php", "(app)");
    expect("/home/bob/public_html/cart.php", "(app)");
}

static void test_what_is_no_file_has_no_folder(void **state)
{
    (void) state;
    expect("", "(app)");
    expect("Command line code", "(app)");
    expect("data://text/plain;base64,PD9waHA=", "(app)");
    expect("phar:///opt/crm/tool.phar/x.php", "(app)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_folder_of_the_application_is_its_name),
        cmocka_unit_test(test_a_folder_that_every_host_has_is_no_name),
        cmocka_unit_test(test_what_is_no_file_has_no_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

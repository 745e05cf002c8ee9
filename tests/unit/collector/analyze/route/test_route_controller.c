/* test_route_controller.c - which frame of a stack names the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/route/route_controller.h"

#define STACK(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool controller_of(const char *const *frames, struct route_controller *ret)
{
    struct slice slices[16];
    size_t count = 0;

    for (; *frames; frames++)
        slices[count++] = slice_of(*frames);
    return route_controller_of_stack(slices, count, ret);
}

static void expect_controller(const char *const *frames, const char *expected)
{
    struct route_controller controller;

    assert_true(controller_of(frames, &controller));
    assert_string_equal(controller.name, expected);
}

static void expect_none(const char *const *frames)
{
    struct route_controller controller;

    assert_false(controller_of(frames, &controller));
}

static void test_magento_2_pages_are_named_by_their_action(void **state)
{
    (void) state;
    expect_controller(
        STACK("load\tMagento\\Catalog\\Model\\Product\t/p.php:1",
              "_initProduct\tMagento\\Catalog\\Controller\\Product\t/c.php:1",
              "execute\tMagento\\Catalog\\Controller\\Product\\View\t/v.php:9",
              "execute\tMagento\\Catalog\\Controller\\Product\\View\\Interceptor\t/i.php:1",
              "dispatch\tMagento\\Framework\\App\\Action\\Action\t/a.php:1",
              "dispatch\tMagento\\Framework\\App\\FrontController\t/f.php:1"),
        "Magento\\Catalog\\Controller\\Product\\View");
    expect_controller(
        STACK("execute\tMagento\\Catalog\\Controller\\Adminhtml\\Product\\Edit\t/e.php:3"),
        "Magento\\Catalog\\Controller\\Adminhtml\\Product\\Edit");
    expect_controller(STACK("getList\tMagento\\Catalog\\Model\\ProductRepository\t/p.php:1",
                            "execute\tAcme\\Blog\\Controller\\Post\\View\t/v.php:1",
                            "dispatch\tMagento\\Backend\\App\\AbstractAction\t/a.php:1"),
                      "Acme\\Blog\\Controller\\Post\\View");
}

static void test_routers_and_plugins_of_controllers_are_no_controllers(void **state)
{
    (void) state;
    expect_none(STACK("match\tAcme\\Blog\\Controller\\Router\t/r.php:1"));
    expect_none(STACK("aroundExecute\tAcme\\Blog\\Controller\\Plugin\\Login\t/p.php:1"));
    expect_none(STACK("dispatch\tMagento\\Framework\\App\\FrontController\t/f.php:1"));
    expect_none(STACK("execute\tAcme\\ErpSync\\Observer\\Push\t/o.php:1"));
    expect_none(STACK("{closure}\t\t/x.php:1"));
}

static void test_what_answers_for_every_page_is_no_controller(void **state)
{
    (void) state;
    expect_none(STACK("dispatch\tMagento\\Webapi\\Controller\\Rest\t/r.php:3"));
    expect_none(STACK("dispatch\tMagento\\Webapi\\Controller\\Rest\\Interceptor\t/r.php:3"));
    expect_none(
        STACK("process\tMagento\\Webapi\\Controller\\Rest\\SynchronousRequestProcessor\t/r.php:3",
              "dispatch\tMagento\\Webapi\\Controller\\Rest\t/r.php:3"));
    expect_none(STACK("dispatch\tMagento\\GraphQl\\Controller\\GraphQl\t/g.php:1"));
    expect_none(
        STACK("render\tTYPO3\\CMS\\Frontend\\Controller\\TypoScriptFrontendController\t/t.php:1"));
    expect_controller(STACK("view\tApp\\Controller\\ArticlesController\t/a.php:1",
                            "invokeAction\tCake\\Controller\\Controller\t/c.php:1"),
                      "App\\Controller\\ArticlesController::view");
}

static void test_controllers_without_the_suffix_are_known_by_their_place(void **state)
{
    (void) state;
    expect_controller(STACK("__invoke\tApp\\Controller\\ShowProduct\t/c.php:1"),
                      "App\\Controller\\ShowProduct::__invoke");
    expect_controller(STACK("__invoke\tApp\\Http\\Controllers\\ShowProduct\t/c.php:1"),
                      "App\\Http\\Controllers\\ShowProduct::__invoke");
    expect_controller(STACK("index\tApp\\Controllers\\Home\t/c.php:1"),
                      "App\\Controllers\\Home::index");
    expect_controller(STACK("actionView\tapp\\controllers\\SiteController\t/c.php:1",
                            "runAction\tyii\\base\\Controller\t/y.php:1"),
                      "app\\controllers\\SiteController::actionView");
    expect_none(STACK("__construct\tApp\\Controller\\ProductController\t/c.php:1"));
    expect_none(STACK("map\tApp\\Controller\\Dto\\Product\t/c.php:1"));
}

static void test_a_wordpress_page_is_named_by_the_template_that_the_loader_chose(void **state)
{
    (void) state;
    expect_controller(STACK("get_header\t\t/srv/wp-includes/general-template.php:48",
                            "\t\t/srv/wp-content/themes/storefront/single.php:10",
                            "\t\t/srv/wp-includes/template-loader.php:106",
                            "\t\t/srv/wp-blog-header.php:19"),
                      "themes/storefront/single.php");
    expect_none(STACK("\t\t/srv/wp-content/themes/storefront/functions.php:10",
                      "\t\t/srv/wp-settings.php:672"));
    expect_none(STACK("get_header\t\t/srv/wp-content/themes/storefront/x.php:48",
                      "\t\t/srv/wp-includes/template-loader.php:106"));
}

static void test_other_frameworks_are_named_by_class_and_method(void **state)
{
    (void) state;
    expect_controller(STACK("viewAction\tMage_Catalog_ProductController\t/c.php:1",
                            "dispatch\tMage_Core_Controller_Varien_Action\t/a.php:1"),
                      "Mage_Catalog_ProductController::viewAction");
    expect_controller(STACK("show\tApp\\Http\\Controllers\\ShopController\t/c.php:1",
                            "callAction\tIlluminate\\Routing\\Controller\t/r.php:1"),
                      "App\\Http\\Controllers\\ShopController::show");
    expect_controller(STACK("index\tShopware\\Storefront\\Controller\\ProductController\t/c.php:1"),
                      "Shopware\\Storefront\\Controller\\ProductController::index");
}

static void expect_template(const char *const *frames, const char *expected)
{
    struct slice slices[16];
    size_t count = 0;

    for (; *frames; frames++)
        slices[count++] = slice_of(*frames);
    assert_true(slice_equal(route_template_of_stack(slices, count), slice_of(expected)));
}

static void test_the_outermost_template_of_a_page_is_found(void **state)
{
    (void) state;
    expect_template(STACK("load\tAcme\\Boost\\Model\\Loader\t/l.php:1",
                          "\tMagento\\Framework\\View\\TemplateEngine\\Php\t/srv/price.phtml:3",
                          "render\tMagento\\Framework\\View\\TemplateEngine\\Php\t/p.php:1",
                          "\tMagento\\Framework\\View\\TemplateEngine\\Php\t/srv/view.phtml:9",
                          "launch\tMagento\\Framework\\App\\Http\t/h.php:1"),
                    "/srv/view.phtml");
    expect_template(STACK("f\t\t/srv/helper.phtml:9", "\t\t/srv/index.php:1"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magento_2_pages_are_named_by_their_action),
        cmocka_unit_test(test_routers_and_plugins_of_controllers_are_no_controllers),
        cmocka_unit_test(test_what_answers_for_every_page_is_no_controller),
        cmocka_unit_test(test_controllers_without_the_suffix_are_known_by_their_place),
        cmocka_unit_test(test_a_wordpress_page_is_named_by_the_template_that_the_loader_chose),
        cmocka_unit_test(test_the_outermost_template_of_a_page_is_found),
        cmocka_unit_test(test_other_frameworks_are_named_by_class_and_method),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

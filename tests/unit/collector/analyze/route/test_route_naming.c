/* test_route_naming.c - ten thousand pages behind a front controller are a few routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "analyze/route/route_naming.h"

enum { PRODUCTS = 10000, TEXTS_BYTES = 16 << 20 };

static const char product[] = "Magento\\Catalog\\Controller\\Product\\View";
static const char category[] = "Magento\\Catalog\\Controller\\Category\\View";

struct shop {
    struct intern texts;
    struct route_naming naming;
};

static int set_up(void **state)
{
    static struct shop shop;

    intern_init(&shop.texts, TEXTS_BYTES);
    *state = &shop;
    return route_naming_init(&shop.naming, &shop.texts);
}

static int tear_down(void **state)
{
    struct shop *shop = *state;

    route_naming_release(&shop->naming);
    intern_release(&shop->texts);
    return 0;
}

static struct slice hit(struct shop *shop, const char *uri, const char *controller)
{
    return intern_text(&shop->texts, route_naming_hit(&shop->naming, slice_of(uri),
                                                      slice_of(controller ? controller : "")));
}

/* "/shirt-aab.html": words, as shops have them; numbers would be templates. */
static const char *page_uri(char *buf, size_t size_bytes, const char *kind, int n)
{
    snprintf(buf, size_bytes, "/%s-%c%c%c.html", kind, 'a' + n / 676 % 26, 'a' + n / 26 % 26,
             'a' + n % 26);
    return buf;
}

static void expect(struct shop *shop, const char *uri, const char *controller, const char *name)
{
    const struct slice found = hit(shop, uri, controller);

    assert_string_equal(found.ptr, name);
}

static void test_few_pages_keep_their_uri_whoever_answers_them(void **state)
{
    expect(*state, "/contact/", "Magento\\Contact\\Controller\\Index\\Index", "/contact/");
    expect(*state, "/shirt.html", product, "/shirt.html");
    expect(*state, "/catalog/product/view/id/4711", product, "/catalog/product/view/id/{id}");
}

static void test_ten_thousand_products_are_one_route(void **state)
{
    char uri[64];

    for (int n = 0; n < PRODUCTS; n++)
        hit(*state, page_uri(uri, sizeof uri, "shirt", n), product);
    for (int n = 0; n < PRODUCTS; n += 100)
        expect(*state, page_uri(uri, sizeof uri, "shirt", n), product, product);
    expect(*state, "/contact/", NULL, "/contact/");
}

static void test_controllers_behind_one_shape_of_uri_are_told_apart(void **state)
{
    char uri[64];

    for (int n = 0; n < PRODUCTS; n++) {
        hit(*state, page_uri(uri, sizeof uri, "shirt", n), product);
        if (n % 10 == 0)
            hit(*state, page_uri(uri, sizeof uri, "sale", n), category);
    }
    /* No stack this time: remembered, by the page. */
    expect(*state, page_uri(uri, sizeof uri, "shirt", 5), NULL, product);
    expect(*state, page_uri(uri, sizeof uri, "sale", 50), NULL, category);
    /* A page that nobody has seen a stack of: either is possible, so neither is said. */
    expect(*state, "/unseen.html", NULL, "/{*}.html");
}

static void test_a_page_without_a_stack_goes_with_all_others_when_they_agree(void **state)
{
    char uri[64];

    for (int n = 0; n < 200; n++)
        hit(*state, page_uri(uri, sizeof uri, "shirt", n), n % 8 == 0 ? product : NULL);
    expect(*state, "/unseen.html", NULL, product);
}

static void test_few_stacks_decide_nothing_for_others(void **state)
{
    char uri[64];

    for (int n = 0; n < 200; n++)
        hit(*state, page_uri(uri, sizeof uri, "shirt", n), n > 196 ? product : NULL);
    expect(*state, "/unseen.html", NULL, "/{*}.html");
}

static void test_a_page_with_two_controllers_is_nobodys(void **state)
{
    char uri[64];

    for (int n = 0; n < 200; n++)
        hit(*state, page_uri(uri, sizeof uri, "shirt", n), n % 2 ? product : category);
    expect(*state, "/both.html", product, product);
    expect(*state, "/both.html", category, category);
    expect(*state, "/both.html", NULL, "/{*}.html");
}

static void test_early_names_settle_to_the_controller(void **state)
{
    struct shop *shop = *state;
    char uri[64];
    const text_id early = route_naming_hit(
        &shop->naming, slice_of(page_uri(uri, sizeof uri, "shirt", 0)), slice_of(product));
    const text_id contact = route_naming_hit(&shop->naming, SLICE("/contact/"), SLICE(""));

    assert_int_equal(route_naming_settled(&shop->naming, early), early);
    for (int n = 0; n < 200; n++)
        hit(shop, page_uri(uri, sizeof uri, "shirt", n), product);
    assert_string_equal(intern_text(&shop->texts, route_naming_settled(&shop->naming, early)).ptr,
                        product);
    assert_int_equal(route_naming_settled(&shop->naming, contact), contact);
}

static void test_a_death_is_named_without_being_counted(void **state)
{
    struct shop *shop = *state;
    char uri[64];
    text_id name;

    for (int n = 0; n < 200; n++)
        hit(shop, page_uri(uri, sizeof uri, "shirt", n), n % 2 ? product : category);
    name = route_naming_name(&shop->naming, SLICE("/dead.html"), slice_of(category));
    assert_string_equal(intern_text(&shop->texts, name).ptr, category);
    name = route_naming_name(&shop->naming, SLICE("/dead.html"), SLICE(""));
    assert_string_equal(intern_text(&shop->texts, name).ptr, "/{*}.html");
    assert_int_equal(route_naming_name(&shop->naming, SLICE(""), SLICE("")), 0);
}

int main(void)
{
#define SHOP_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_few_pages_keep_their_uri_whoever_answers_them),
        SHOP_TEST(test_ten_thousand_products_are_one_route),
        SHOP_TEST(test_controllers_behind_one_shape_of_uri_are_told_apart),
        SHOP_TEST(test_a_page_without_a_stack_goes_with_all_others_when_they_agree),
        SHOP_TEST(test_few_stacks_decide_nothing_for_others),
        SHOP_TEST(test_a_page_with_two_controllers_is_nobodys),
        SHOP_TEST(test_early_names_settle_to_the_controller),
        SHOP_TEST(test_a_death_is_named_without_being_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_route.c - which pages are one route and which are two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/route/route.h"
#include "base/utf8.h"

static void expect_route(const char *uri, const char *expected)
{
    struct route route;

    route_of_uri(slice_of(uri), &route);
    assert_string_equal(route.text, expected);
    assert_int_equal(route.len_bytes, strlen(expected));
}

static void test_words_stay_and_the_query_goes(void **state)
{
    (void) state;
    expect_route("/contact/?name=x&mail=y", "/contact/");
    expect_route("/contact/#top", "/contact/");
    expect_route("/catalogsearch/result/index/?q=/id/5", "/catalogsearch/result/index/");
    expect_route("/wp-admin/admin-ajax.php", "/wp-admin/admin-ajax.php");
    expect_route("/rest/V1/products", "/rest/V1/products");
    expect_route("/api/v1.2/items", "/api/v1.2/items");
    expect_route("/", "/");
    expect_route("", "/");
    expect_route("?a=http://x/y", "/");
}

static void test_numbers_hashes_and_ids_become_placeholders(void **state)
{
    (void) state;
    expect_route("/page/54", "/page/{id}");
    expect_route("/order/000000123/view", "/order/{id}/view");
    expect_route("/product/4711.html", "/product/{id}.html");
    expect_route("/price/10-20", "/price/{id}");
    expect_route("/x/-5", "/x/{id}");
    expect_route("/cart/a3f8b2c1", "/cart/{hash}");
    expect_route("/cart/D41D8CD98F00B204E9800998ECF8427E/x", "/cart/{hash}/x");
    expect_route("/o/550e8400-e29b-41d4-a716-446655440000", "/o/{uuid}");
    expect_route("/report/2026-01-31/", "/report/{date}/");
    expect_route("/report/2026-01-31T10:00:00Z", "/report/{date}");
    expect_route("/u/jane@shop.example/edit", "/u/{email}/edit");
    expect_route("/u/jane%40shop.example/edit", "/u/{email}/edit");
    expect_route("/rest/V1/guest-carts/kZ3x9QpL7vB2nM8wR4tY6uA1sD5fG0hJ/items",
                 "/rest/V1/guest-carts/{token}/items");
    expect_route("/invoice-000123456.pdf", "/invoice-{id}.pdf");
    expect_route("/app-0b5e0f4f0c1d2e3f405162738495a6b7", "/app-{hash}");
    expect_route("/static/3fa9c1d27be0/x", "/static/{hash}/x");
}

static void test_words_that_look_like_values_stay(void **state)
{
    (void) state;
    expect_route("/facade/decade/deadbeef", "/facade/decade/deadbeef");
    expect_route("/iphone-15-pro", "/iphone-15-pro");
    expect_route("/iphone15promax256gb.html", "/iphone15promax256gb.html");
    expect_route("/GetCustomerAddressList", "/GetCustomerAddressList");
    expect_route("/2fa/setup", "/2fa/setup");
    expect_route("/sale-20261122", "/sale-20261122");
    expect_route("/leak-8f3a2c1d/", "/leak-8f3a2c1d/");
    expect_route("/leak-8f3a2c1d77aa/", "/leak-8f3a2c1d77aa/");
    expect_route("/healthy_8f3a2c1d_77aa01/", "/healthy_8f3a2c1d_77aa01/");
    expect_route("/shirt-10234.html", "/shirt-10234.html");
    expect_route("/token/refresh", "/token/refresh");
    expect_route("/key/edit", "/key/edit");
    expect_route("/s/sale", "/s/sale");
}

static void test_magento_path_parameters_become_placeholders(void **state)
{
    (void) state;
    expect_route("/catalog/product/view/id/12/s/blue-cotton-shirt/category/7/",
                 "/catalog/product/view/id/{id}/s/{slug}/category/{id}/");
    expect_route(
        "/checkout/cart/add/uenc/aHR0cHM6Ly9zaG9wLmV4YW1wbGUv/product/9/form_key/AbCdEfGhIjKlMnOp/",
        "/checkout/cart/add/uenc/{base64}/product/{id}/form_key/{token}/");
    expect_route("/admin/sales/order/view/order_id/12/key/"
                 "0b5e0f4f0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7/",
                 "/admin/sales/order/view/order_id/{id}/key/{hash}/");
    expect_route("/order_id/M2-12/x", "/order_id/{id}/x");
}

static void test_slashes_dots_and_the_entry_script_are_resolved(void **state)
{
    (void) state;
    expect_route("//catalog///product//", "/catalog/product/");
    expect_route("/a/./b/../c", "/a/c");
    expect_route("/../../etc/passwd", "/etc/passwd");
    expect_route("/a/..", "/");
    expect_route("/index.php/customer/account", "/customer/account");
    expect_route("/index.php/", "/index.php/");
    expect_route("/index.php", "/index.php");
    expect_route("/shop/index.php/x", "/shop/index.php/x");
    expect_route("http://shop.example:8080/a/b?c", "/a/b");
    expect_route("HTTPS://shop.example", "/");
    expect_route("*", "*");
    expect_route("no-slash/x", "/no-slash/x");
    expect_route("/cart;jsessionid=9F3C/x", "/cart/x");
}

static void test_a_trailing_slash_makes_another_route(void **state)
{
    (void) state;
    expect_route("/contact", "/contact");
    expect_route("/contact/", "/contact/");
}

static void test_escapes_are_decoded_once_and_never_become_structure(void **state)
{
    (void) state;
    expect_route("/%63ontact", "/contact");
    expect_route("/a%2Fb", "/a%2Fb");
    expect_route("/a%3fb", "/a%3Fb");
    expect_route("/100%25", "/100%25");
    expect_route("/a%zz%", "/a%25zz%25");
    expect_route("/%2e%2e/x", "/../x");
    expect_route("/a%00b", "/a%00b");
    expect_route("/%7Bid%7D/{id}", "/%7Bid%7D/%7Bid%7D");
    expect_route("/caf%C3%A9", "/caf\xc3\xa9");
    expect_route("/\xff\xfe", "/%FF%FE");
    expect_route("/%2531", "/%2531");
}

static void test_endless_paths_are_cut_and_marked(void **state)
{
    struct route route;
    char deep[4096], wide[4096];

    (void) state;
    for (size_t i = 0; i < sizeof deep; i += 2)
        memcpy(deep + i, "/a", 2);
    route_of_uri((struct slice){.ptr = deep, .len_bytes = sizeof deep}, &route);
    assert_string_equal(route.text + route.len_bytes - 6, "/{...}");
    assert_int_equal(route.len_bytes, 2 * ROUTE_MAX_SEGMENTS + 6);

    memset(wide, '\x01', sizeof wide);
    for (size_t i = 0; i < sizeof wide; i += 64)
        wide[i] = '/';
    route_of_uri((struct slice){.ptr = wide, .len_bytes = sizeof wide}, &route);
    assert_true(route.len_bytes < ROUTE_MAX_BYTES);
    assert_int_equal(strlen(route.text), route.len_bytes);
    assert_string_equal(route.text + route.len_bytes - 6, "/{...}");

    memset(deep, 'z', sizeof deep);
    deep[0] = '/';
    route_of_uri((struct slice){.ptr = deep, .len_bytes = sizeof deep}, &route);
    assert_string_equal(route.text, "/{slug}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_stay_and_the_query_goes),
        cmocka_unit_test(test_numbers_hashes_and_ids_become_placeholders),
        cmocka_unit_test(test_words_that_look_like_values_stay),
        cmocka_unit_test(test_magento_path_parameters_become_placeholders),
        cmocka_unit_test(test_slashes_dots_and_the_entry_script_are_resolved),
        cmocka_unit_test(test_a_trailing_slash_makes_another_route),
        cmocka_unit_test(test_escapes_are_decoded_once_and_never_become_structure),
        cmocka_unit_test(test_endless_paths_are_cut_and_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

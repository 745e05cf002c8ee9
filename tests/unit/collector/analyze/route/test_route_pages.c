/*
 * test_route_pages.c - what the pages of well-known shops and frameworks are called: a table of
 * URIs as their users send them, and of the names that an operator would give to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/route/route.h"

struct page {
    const char *uri, *route;
};

#define EXPECT_PAGES(pages) expect_pages(pages, sizeof(pages) / sizeof((pages)[0]))

static void expect_pages(const struct page *pages, size_t count)
{
    struct route route;

    for (size_t i = 0; i < count; i++) {
        route_of_uri(slice_of(pages[i].uri), &route);
        assert_string_equal(route.text, pages[i].route);
    }
}

static void test_magento_pages_keep_what_an_operator_knows_them_by(void **state)
{
    static const struct page pages[] = {
        {"/", "/"},
        {"/women/tops-women.html?p=2&color=49", "/women/tops-women.html"},
        {"/catalog/category/view/s/women-tops/id/9/", "/catalog/category/view/s/{slug}/id/{id}/"},
        {"/catalog/product/view/id/42/s/blue-shirt/", "/catalog/product/view/id/{id}/s/{slug}/"},
        {"/catalog/product_compare/add/product/42/uenc/aHR0cHM6Ly9zaG9wLmV4YW1wbGUv/",
         "/catalog/product_compare/add/product/{id}/uenc/{base64}/"},
        {"/checkout/cart/delete/id/5/uenc/aHR0cHM6Ly9zaG9wLmV4YW1wbGUvY2FydC8%2C/",
         "/checkout/cart/delete/id/{id}/uenc/{base64}/"},
        {"/customer/account/loginPost/referer/aHR0cHM6Ly9zaG9wLmV4YW1wbGUvY2hlY2tvdXQv~~/",
         "/customer/account/loginPost/referer/{base64}/"},
        {"/customer/section/load/?sections=cart%2Ccustomer&force_new_section_timestamp=false",
         "/customer/section/load/"},
        {"/wishlist/shared/index/code/0b5e0f4f0c1d2e3f405162738495a6b7/",
         "/wishlist/shared/index/code/{hash}/"},
        {"/downloadable/download/link/id/MC44NzY1NDMyMSAxNjAwMDAwMDAw/",
         "/downloadable/download/link/id/{token}/"},
        {"/page_cache/block/esi/blocks/%5B%22catalog.topnav%22%5D/handles/"
         "WyJkZWZhdWx0IiwiY21zX2luZGV4X2luZGV4Il0%3D/",
         "/page_cache/block/esi/blocks/[\"catalog.topnav\"]/handles/{base64}/"},
        {"/rest/V1/products/24-MB01", "/rest/V1/products/24-MB01"},
        {"/rest/default/V1/carts/mine/items/17", "/rest/default/V1/carts/mine/items/{id}"},
        {"/rest/all/V1/orders/000000123", "/rest/all/V1/orders/{id}"},
        {"/rest/V1/bulk/550e8400-e29b-41d4-a716-446655440000/detailed-status",
         "/rest/V1/bulk/{uuid}/detailed-status"},
        {"/rest/V1/directory/countries/DE", "/rest/V1/directory/countries/DE"},
        {"/graphql?query=%7Bproducts%7D", "/graphql"},
        {"/admin_1fhs7x/sales/order/view/order_id/12/key/"
         "0b5e0f4f0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7/",
         "/admin_1fhs7x/sales/order/view/order_id/{id}/key/{hash}/"},
        {"/admin/catalog/product/edit/id/12/set/4/type/simple/store/0/key/"
         "0b5e0f4f0c1d2e3f405162738495a6b7/",
         "/admin/catalog/product/edit/id/{id}/set/{id}/type/simple/store/{id}/key/{hash}/"},
        {"/admin/mui/index/render_handle/handle/review_catalog_product/buttons/1/",
         "/admin/mui/index/render_handle/handle/review_catalog_product/buttons/{id}/"},
        {"/media/catalog/product/cache/0b5e0f4f0c1d2e3f405162738495a6b7/w/s/wsh01-black_main.jpg",
         "/media/catalog/product/cache/{hash}/w/s/wsh01-black_main.jpg"},
        {"/static/version1700000000/frontend/Magento/luma/en_US/requirejs-config.js",
         "/static/version{id}/frontend/Magento/luma/en_US/requirejs-config.js"},
        {"/de/checkout/cart/", "/de/checkout/cart/"},
        {"/stores/store/redirect/___store/de/___from_store/en/uenc/aHR0cHM6Ly9zaG9wLmV4YW1wbGUv/",
         "/stores/store/redirect/___store/de/___from_store/en/uenc/{base64}/"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

static void test_wordpress_pages_keep_their_words(void **state)
{
    static const struct page pages[] = {
        {"/blog/page/2/", "/blog/page/{id}/"},
        {"/2024/05/31/hello-world/", "/{id}/{id}/{id}/hello-world/"},
        {"/wp-admin/admin-ajax.php", "/wp-admin/admin-ajax.php"},
        {"/wp-json/wp/v2/posts/123?_embed=1", "/wp-json/wp/v2/posts/{id}"},
        {"/wp-json/wc/store/v1/cart/items/3f9ac1d20b5e0f4f",
         "/wp-json/wc/store/v1/cart/items/{hash}"},
        {"/wp-json/oembed/1.0/embed?url=x", "/wp-json/oembed/1.0/embed"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

static void test_versions_of_an_interface_are_words_and_ids_behind_them_are_not(void **state)
{
    static const struct page pages[] = {
        {"/api/2.0/orders/17", "/api/2.0/orders/{id}"},
        {"/api/2/orders/17", "/api/2/orders/{id}"},
        {"/api/v1/users/12/posts", "/api/v1/users/{id}/posts"},
        {"/api/12345", "/api/{id}"},
        {"/rest/1.0/issue/12", "/rest/1.0/issue/{id}"},
        {"/price/12.50", "/price/{id}"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

static void test_pages_of_other_frameworks_lose_only_values(void **state)
{
    static const struct page pages[] = {
        {"/detail/0194f3a2c1d24b5e8f3a2c1d77aa01ff", "/detail/{hash}"},
        {"/store-api/product-listing/0194f3a2c1d24b5e8f3a2c1d77aa01ff",
         "/store-api/product-listing/{hash}"},
        {"/checkout/line-item/delete/0194f3a2c1d24b5e8f3a2c1d77aa01ff",
         "/checkout/line-item/delete/{hash}"},
        {"/Main-product/SW1000.7", "/Main-product/SW1000.7"},
        {"/node/12/edit", "/node/{id}/edit"},
        {"/user/reset/1/1700000000/pOkXvT8qLw3nZr5yBd7cFh9jKm2sAu4e/login",
         "/user/reset/{id}/{id}/{token}/login"},
        {"/sites/default/files/styles/large/public/2024-05/pic.jpg?itok=abc",
         "/sites/default/files/styles/large/public/{date}/pic.jpg"},
        {"/jsonapi/node/article/550e8400-e29b-41d4-a716-446655440000",
         "/jsonapi/node/article/{uuid}"},
        {"/email/verify/12/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/email/verify/{id}/{hash}"},
        {"/livewire/message/shop.cart", "/livewire/message/shop.cart"},
        {"/_profiler/3f9ac1?panel=db", "/_profiler/{token}"},
        {"/_wdt/3f9ac1", "/_wdt/{token}"},
        {"/invoices/INV000000123.pdf", "/invoices/INV{id}.pdf"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

static void test_values_go_and_names_with_digits_stay(void **state)
{
    static const struct page pages[] = {
        {"/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/orders/{token}"},
        {"/files/V1StGXR8_Z5jdHi6B-myT", "/files/{token}"},
        {"/objects/507f1f77bcf86cd799439011/edit", "/objects/{hash}/edit"},
        {"/ip/10.0.0.1", "/ip/{id}"},
        {"/product/12345-blue-shirt.html", "/product/12345-blue-shirt.html"},
        {"/sale-20261122", "/sale-20261122"},
        {"/iphone-15-pro-256gb.html", "/iphone-15-pro-256gb.html"},
        {"/4k-tv/", "/4k-tv/"},
        {"/b2b/", "/b2b/"},
        {"/error/404", "/error/{id}"},
        {"/.env", "/.env"},
        {"/sitemap-2.xml", "/sitemap-2.xml"},
        {"/feed/google_shopping_de.xml", "/feed/google_shopping_de.xml"},
        {"/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", "/привет"},
        {"/p/MacBook-Pro-16/B0CM5JV26D", "/p/MacBook-Pro-16/B0CM5JV26D"},
        {"/orders/ORD-2024-000123", "/orders/ORD-2024-000123"},
        {"/api/1234", "/api/{id}"},
        {"/api/10.0.0.1", "/api/{id}"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

static void test_one_script_for_many_pages_is_named_with_its_page(void **state)
{
    static const struct page pages[] = {
        {"/graphql?query=query&operationName=getProductDetail&variables=%7B%7D",
         "/graphql?operationName=getProductDetail"},
        {"/admin/mui/index/render/key/0b5e0f4f0c1d2e3f405162738495a6b7/"
         "?namespace=product_listing&search=&isAjax=true",
         "/admin/mui/index/render/key/{hash}/?namespace=product_listing"},
        {"/wp-admin/admin-ajax.php?action=heartbeat&_nonce=3f9ac1d2",
         "/wp-admin/admin-ajax.php?action=heartbeat"},
        {"/wp-admin/admin-ajax.php?action=*&_nonce=*", "/wp-admin/admin-ajax.php"},
        {"/blog/wp-admin/admin-post.php?action=export_orders",
         "/blog/wp-admin/admin-post.php?action=export_orders"},
        {"/wp-admin/admin-ajax.php?action=jane%40shop.example", "/wp-admin/admin-ajax.php"},
        {"/wp-admin/admin-ajax.php?action=Kd83hQz71LmPq02xVb9T", "/wp-admin/admin-ajax.php"},
        {"/wp-admin/admin-ajax.php?action=4711", "/wp-admin/admin-ajax.php"},
        {"/doku.php?id=start&do=recent", "/doku.php?do=recent"},
        {"/?_task=mail&_action=list&_mbox=INBOX", "/?_task=mail"},
        {"/index.php?route=checkout/cart&coupon=X1", "/index.php?route=checkout/cart"},
        {"/index.php?route=/database/structure&db=shop", "/index.php?route=/database/structure"},
        {"/index.php?route=/a/4711", "/index.php"},
        {"/index.php?route=//a", "/index.php"},
        {"/index.php?route=/", "/index.php"},
        {"/index.php?route=*", "/index.php"},
        {"/?wc-ajax=get_refreshed_fragments", "/?wc-ajax=get_refreshed_fragments"},
        {"/cart/?wc-ajax=%%endpoint%%", "/cart/"},
        {"/search/?action=heartbeat", "/search/"},
        {"/wp-admin/admin.php?page=wc-settings&tab=tax", "/wp-admin/admin.php?page=wc-settings"},
        {"/wp-admin/edit.php?post_type=shop_order&paged=2",
         "/wp-admin/edit.php?post_type=shop_order"},
        {"/wp-admin/admin-ajax.php#action=heartbeat", "/wp-admin/admin-ajax.php"},
        {"/de/graphql/?operationName=cart_v2", "/de/graphql/?operationName=cart_v2"},
    };

    (void) state;
    EXPECT_PAGES(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magento_pages_keep_what_an_operator_knows_them_by),
        cmocka_unit_test(test_wordpress_pages_keep_their_words),
        cmocka_unit_test(test_versions_of_an_interface_are_words_and_ids_behind_them_are_not),
        cmocka_unit_test(test_pages_of_other_frameworks_lose_only_values),
        cmocka_unit_test(test_one_script_for_many_pages_is_named_with_its_page),
        cmocka_unit_test(test_values_go_and_names_with_digits_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_uri_mask.c - what of a URI may be shown, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/route/uri_mask.h"

static void expect_masked_bytes(struct slice uri, const char *expected)
{
    char buffer[512];
    bool cut;

    assert_int_equal(uri_mask(uri, URI_HIDE_VALUES, buffer, sizeof buffer, &cut), strlen(expected));
    assert_string_equal(buffer, expected);
    assert_false(cut);
}

static void expect_masked(const char *uri, const char *expected)
{
    expect_masked_bytes(slice_of(uri), expected);
}

static void test_names_stay_and_values_become_stars(void **state)
{
    (void) state;
    expect_masked("/search/?q=blue+shirt&p=2", "/search/?q=*&p=*");
    expect_masked("/x?a=", "/x?a=*");
    expect_masked("/x?a=b=c==", "/x?a=*");
    expect_masked("/x?filter[price][0]=1&f%5Bx%5D=2", "/x?filter[price][0]=*&f%5Bx%5D=*");
    expect_masked("/x?_=17638639369742&___store=de", "/x?_=*&___store=*");
    expect_masked("/plain/path", "/plain/path");
    expect_masked("/x?", "/x?");
    expect_masked("", "");
}

static void test_a_value_in_the_place_of_a_name_is_hidden(void **state)
{
    (void) state;
    expect_masked("/x?wsdl", "/x?wsdl");
    expect_masked("/x?3f9ac1d27be0", "/x?*");
    expect_masked("/x?aHR0cHM6Ly9leGFtcGxlLmNvbS8=", "/x?*=*");
    expect_masked("/x?averyverylongflagthatmaybeasecret", "/x?*");
    expect_masked("/x?jane@shop.example=1", "/x?*=*");
    expect_masked("/x?550e8400-e29b-41d4-a716-446655440000=1", "/x?*=*");
    expect_masked("/x?4111111111111111=1", "/x?*=*");
    expect_masked("/x?0=a&1=b", "/x?0=*&1=*");
}

static void test_a_value_that_names_the_page_is_shown_where_scripts_answer_for_many(void **state)
{
    (void) state;
    expect_masked("/wp-admin/admin-ajax.php?action=heartbeat&_nonce=3f9a",
                  "/wp-admin/admin-ajax.php?action=heartbeat&_nonce=*");
    expect_masked("/?wc-ajax=get_refreshed_fragments", "/?wc-ajax=get_refreshed_fragments");
    expect_masked("/wp-admin/admin-ajax.php?action=4711", "/wp-admin/admin-ajax.php?action=*");
    expect_masked("/wp-admin/admin-ajax.php?action=jane@shop.example",
                  "/wp-admin/admin-ajax.php?action=*");
    expect_masked("/wp-admin/admin-ajax.php?action=a%20b", "/wp-admin/admin-ajax.php?action=*");
    expect_masked("/wp-admin/admin-ajax.php?action=pw4f7Kq29", "/wp-admin/admin-ajax.php?action=*");
    expect_masked("/contact/?action=heartbeat", "/contact/?action=*");
    expect_masked("/index.php?route=checkout/cart&coupon=X1",
                  "/index.php?route=checkout/cart&coupon=*");
    expect_masked("/index.php?route=reset/pw4f7Kq29", "/index.php?route=*");
    expect_masked("/index.php?route=a/jane@shop.example", "/index.php?route=*");
    expect_masked("/graphql?query=x&operationName=getCart",
                  "/graphql?query=*&operationName=getCart");
}

static void test_odd_separators_hide_more_rather_than_less(void **state)
{
    (void) state;
    expect_masked("/x?a=1;secret=2", "/x?a=*");
    expect_masked("/x?a;secret=2", "/x?*=*");
    expect_masked("/x?a=1?b=2", "/x?a=*");
    expect_masked("/x??a=1", "/x?*=*");
    expect_masked("/x?a=1#token=2&c=3", "/x?a=*&c=*");
    expect_masked("/x#token=2", "/x#*");
    expect_masked("/x?a=1&&b=2&", "/x?a=*&&b=*&");
    expect_masked("/x?=secret", "/x?=*");
}

static void test_secrets_outside_the_query_are_hidden_too(void **state)
{
    (void) state;
    expect_masked("/a;jsessionid=9F3C/b;v=1?c=d", "/a;jsessionid=*/b;v=*?c=*");
    expect_masked("http://user:pw@shop.example/x?y=1", "http://*@shop.example/x?y=*");
    expect_masked("http://shop.example/a@b", "http://shop.example/a@b");
}

static void test_control_bytes_and_broken_utf8_come_out_printable(void **state)
{
    (void) state;
    expect_masked_bytes(SLICE("/a\0b?q=\0\xff"), "/a%00b?q=*");
    expect_masked_bytes(SLICE("/x?n\0m=1"), "/x?*=*");
    expect_masked("/\x1b[31m\xff\xc3\xa9\xc2\x85", "/%1B[31m%FF\xc3\xa9%C2%85");
    expect_masked("/x?\xc3\xa9=1", "/x?*=*");
}

static void test_show_query_only_makes_the_uri_printable(void **state)
{
    char buffer[64];

    (void) state;
    uri_mask(SLICE("/x?a=b\x01&c"), URI_SHOW_VALUES, buffer, sizeof buffer, NULL);
    assert_string_equal(buffer, "/x?a=b%01&c");
}

static void test_a_small_buffer_cuts_between_characters_and_says_so(void **state)
{
    char buffer[8];
    bool cut;

    (void) state;
    assert_int_equal(
        uri_mask(SLICE("/abc\xc3\xa9\x01?x=1"), URI_HIDE_VALUES, buffer, sizeof buffer, &cut), 6);
    assert_string_equal(buffer, "/abc\xc3\xa9");
    assert_true(cut);
    assert_int_equal(uri_mask(SLICE("/abc"), URI_HIDE_VALUES, buffer, 1, &cut), 0);
    assert_true(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_stay_and_values_become_stars),
        cmocka_unit_test(test_a_value_in_the_place_of_a_name_is_hidden),
        cmocka_unit_test(test_a_value_that_names_the_page_is_shown_where_scripts_answer_for_many),
        cmocka_unit_test(test_odd_separators_hide_more_rather_than_less),
        cmocka_unit_test(test_secrets_outside_the_query_are_hidden_too),
        cmocka_unit_test(test_control_bytes_and_broken_utf8_come_out_printable),
        cmocka_unit_test(test_show_query_only_makes_the_uri_printable),
        cmocka_unit_test(test_a_small_buffer_cuts_between_characters_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

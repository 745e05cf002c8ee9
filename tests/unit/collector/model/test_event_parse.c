/* test_event_parse.c - what one line of the event stream means, and what is not a line of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "model/event_parse.h"

static int make_parser(void **state)
{
    *state = event_parser_new();
    return *state ? 0 : -1;
}

static int free_parser(void **state)
{
    event_parser_free(*state);
    return 0;
}

static int parse(void **state, const char *text, struct event *ret_event)
{
    return event_parse(*state, slice_of(text), ret_event);
}

static void assert_slice(struct slice actual, struct slice expected)
{
    assert_int_equal(actual.len_bytes, expected.len_bytes);
    assert_memory_equal(actual.ptr, expected.ptr, expected.len_bytes);
}

static void test_a_request_line_fills_its_fields_and_no_others(void **state)
{
    struct event event;

    assert_int_equal(
        parse(state,
              "{\"e\":\"req\",\"ts\":4300,\"pid\":3508,\"seq\":1,\"uri\":\"/api\",\"st\":200,"
              "\"l0\":1716116,\"l1\":-5}",
              &event),
        0);
    assert_int_equal(event.kind, EVENT_req);
    assert_int_equal(event.ts_us, 4300);
    assert_int_equal(event.live0_bytes, 1716116);
    assert_int_equal(event.live1_bytes, -5);
    assert_slice(event.uri, SLICE("/api"));
    assert_true(event_has(&event, EVENT_HAS_live1_bytes));
    assert_false(event_has(&event, EVENT_HAS_rss0_kib));
    assert_int_equal(event.rss0_kib, 0);
}

static void test_keys_and_kinds_of_later_versions_are_stepped_over(void **state)
{
    struct event event;

    assert_int_equal(parse(state,
                           "{\"e\":\"lost\",\"x\":{\"a\":[1,\"}\",{\"b\":null}]},\"y\":[],\"n\":3}",
                           &event),
                     0);
    assert_int_equal(event.count, 3);
    assert_int_equal(parse(state, "{\"e\":\"nova\",\"pid\":1}", &event), -ENOMSG);
    assert_int_equal(parse(state, " \t\r", &event), -ENOMSG);
}

static void test_escapes_are_undone_and_half_surrogates_replaced(void **state)
{
    struct event event;

    assert_int_equal(
        parse(state, "{\"e\":\"mark\",\"name\":\"a\\n\\\"\\u00e9\\ud83d\\ude00\\ud800/\"}", &event),
        0);
    assert_slice(event.name, SLICE("a\n\"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd/"));
}

static void test_two_escaped_texts_do_not_overwrite_each_other(void **state)
{
    struct event event;

    assert_int_equal(parse(state, "{\"e\":\"beg\",\"uri\":\"\\/a\",\"ua\":\"\\/b\"}", &event), 0);
    assert_slice(event.uri, SLICE("/a"));
    assert_slice(event.ua, SLICE("/b"));
}

static void test_stacks_keep_both_lists_up_to_the_limit(void **state)
{
    char line[4096] = "{\"e\":\"stk\",\"id\":7,\"nat\":[";
    struct event event;

    for (int i = 0; i < EVENT_FRAMES_MAX + 9; i++)
        strcat(line, i > 0 ? ",\"f\"" : "\"leaf\"");
    strcat(line, "],\"php\":[\"m\\tC\", 5, \"main\"]}");
    assert_int_equal(parse(state, line, &event), 0);
    assert_int_equal(event.nat->count, EVENT_FRAMES_MAX);
    assert_slice(event.nat->items[0], SLICE("leaf"));
    assert_int_equal(event.php->count, 2);
    assert_slice(event.php->items[0], SLICE("m\tC"));
    assert_slice(event.php->items[1], SLICE("main"));
}

static void test_ip_of_a_crash_is_an_address_and_of_a_request_a_client(void **state)
{
    struct event event;

    assert_int_equal(parse(state, "{\"e\":\"crash\",\"addr\":\"(nil)\",\"ip\":\"0x7f01\"}", &event),
                     0);
    assert_int_equal(event.crash_ip, 0x7f01);
    assert_true(event_has(&event, EVENT_HAS_addr));
    assert_true(event_has(&event, EVENT_HAS_crash_ip));
    assert_false(event_has(&event, EVENT_HAS_ip));
    assert_int_equal(parse(state, "{\"e\":\"beg\",\"ip\":\"10.0.0.1\"}", &event), 0);
    assert_slice(event.ip, SLICE("10.0.0.1"));
}

static void test_absurd_numbers_are_clamped_and_other_types_are_not_known(void **state)
{
    struct event event;

    assert_int_equal(
        parse(state,
              "{\"e\":\"req\",\"l0\":99999999999999999999999,\"l1\":-1e300,\"dur\":1.9,"
              "\"st\":null,\"pid\":\"12\",\"re\":1,\"master\":true,\"port\":8080}",
              &event),
        0);
    assert_true(event.live0_bytes == INT64_MAX);
    assert_true(event.live1_bytes == INT64_MIN);
    assert_int_equal(event.dur_us, 1);
    assert_false(event_has(&event, EVENT_HAS_status));
    assert_false(event_has(&event, EVENT_HAS_pid));
    assert_true(event.realloced);
    assert_int_equal(event.master, 1);
    assert_slice(event.port, SLICE("8080"));
}

static void test_damaged_lines_are_damaged_wherever_they_break(void **state)
{
    static const char whole[] =
        "{\"e\":\"stk\",\"id\":1,\"nat\":[\"a\\u0041\"],\"php\":[],\"z\":{\"y\":true}}";
    static const char *const broken[] = {
        "{}",
        "[]",
        "{\"e\":1}",
        "{\"pid\":1}",
        "{\"e\":\"req\"} x",
        "{\"e\":\"req\",}",
        "{\"e\":\"req\",\"st\":12x}",
        "{\"e\":\"mark\",\"name\":\"\\q\"}",
        "\xff\xfe",
        "{\"e\":\"mark\",\"name\":\"\\u12g4\"}",
        "{\"e\":\"req\",\"st\":-}",
    };
    struct event event;

    assert_int_equal(parse(state, whole, &event), 0);
    for (size_t len = 1; len < sizeof whole - 1; len++) {
        const struct slice cut = {.ptr = whole, .len_bytes = len};

        assert_int_equal(event_parse(*state, cut, &event), -EBADMSG);
    }
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(parse(state, broken[i], &event), -EBADMSG);
}

static void test_a_line_beyond_the_limit_is_refused_unread(void **state)
{
    const size_t len = EVENT_LINE_MAX_BYTES + 1;
    char *line = malloc(len);
    struct event event;

    memset(line, ' ', len);
    assert_int_equal(event_parse(*state, (struct slice){.ptr = line, .len_bytes = len}, &event),
                     -EMSGSIZE);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_line_fills_its_fields_and_no_others),
        cmocka_unit_test(test_keys_and_kinds_of_later_versions_are_stepped_over),
        cmocka_unit_test(test_escapes_are_undone_and_half_surrogates_replaced),
        cmocka_unit_test(test_two_escaped_texts_do_not_overwrite_each_other),
        cmocka_unit_test(test_stacks_keep_both_lists_up_to_the_limit),
        cmocka_unit_test(test_ip_of_a_crash_is_an_address_and_of_a_request_a_client),
        cmocka_unit_test(test_absurd_numbers_are_clamped_and_other_types_are_not_known),
        cmocka_unit_test(test_damaged_lines_are_damaged_wherever_they_break),
        cmocka_unit_test(test_a_line_beyond_the_limit_is_refused_unread),
    };

    return cmocka_run_group_tests(tests, make_parser, free_parser);
}

/* test_human.c - what people read is short, in the right unit, and cannot move their cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/human.h"

static void test_bytes_are_printed_in_the_largest_unit_below_1024(void **state)
{
    char buf[HUMAN_BYTES];

    (void) state;
    assert_string_equal(human_bytes(0, buf, sizeof buf), "0 B");
    assert_string_equal(human_bytes(1023, buf, sizeof buf), "1023 B");
    assert_string_equal(human_bytes(65536, buf, sizeof buf), "64.0 KiB");
    assert_string_equal(human_bytes(-1536, buf, sizeof buf), "-1.5 KiB");
    assert_string_equal(human_bytes(3.5 * 1024 * 1024 * 1024, buf, sizeof buf), "3.5 GiB");
}

static void test_durations_change_their_unit_with_their_size(void **state)
{
    char buf[HUMAN_TIME_BYTES];

    (void) state;
    assert_string_equal(human_duration(850, buf, sizeof buf), "850 us");
    assert_string_equal(human_duration(12345, buf, sizeof buf), "12 ms");
    assert_string_equal(human_duration(3400000, buf, sizeof buf), "3.4 s");
    assert_string_equal(human_duration(INT64_C(300) * 1000000, buf, sizeof buf), "5 min");
    assert_string_equal(human_duration(INT64_C(12000) * 1000000, buf, sizeof buf), "3 h 20 min");
    assert_string_equal(human_duration(INT64_C(187200) * 1000000, buf, sizeof buf), "2 days 4 h");
    assert_string_equal(human_duration(INT64_C(90000) * 1000000, buf, sizeof buf), "25 h");
    assert_string_equal(human_duration(-5, buf, sizeof buf), "0 us");
}

static void test_times_are_utc_and_unknown_is_a_dash(void **state)
{
    char buf[HUMAN_TIME_BYTES];

    (void) state;
    assert_string_equal(human_time(INT64_C(1795332329) * 1000000, buf, sizeof buf),
                        "2026-11-22 07:25:29");
    assert_string_equal(human_clock(INT64_C(1795332329) * 1000000, buf, sizeof buf), "07:25:29");
    assert_string_equal(human_time(0, buf, sizeof buf), "-");
}

static void test_control_characters_and_broken_utf8_are_escaped(void **state)
{
    char buf[64];

    (void) state;
    assert_string_equal(human_text(SLICE("/a\x1b[2J"), buf, sizeof buf), "/a\\x1b[2J");
    assert_string_equal(human_text(SLICE("caf\xc3\xa9\t\x7f"), buf, sizeof buf),
                        "caf\xc3\xa9\\x09\\x7f");
    assert_string_equal(human_text(SLICE("\xff\xc2\x9b\xed\xa0\x80"), buf, sizeof buf),
                        "\\xff\\xc2\\x9b\\xed\\xa0\\x80");
    assert_string_equal(human_text(SLICE("\xe2\x80\xae"), buf, sizeof buf), "\\xe2\\x80\\xae");
    assert_string_equal(human_text(SLICE("\xe2\x81\xa6"), buf, sizeof buf), "\\xe2\\x81\\xa6");
}

static void test_a_text_is_cut_at_a_whole_character(void **state)
{
    char buf[5];

    (void) state;
    assert_string_equal(human_text(SLICE("abc\xc3\xa9"), buf, sizeof buf), "abc");
    assert_string_equal(human_text(SLICE("a\x01 b"), buf, sizeof buf), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_printed_in_the_largest_unit_below_1024),
        cmocka_unit_test(test_durations_change_their_unit_with_their_size),
        cmocka_unit_test(test_times_are_utc_and_unknown_is_a_dash),
        cmocka_unit_test(test_control_characters_and_broken_utf8_are_escaped),
        cmocka_unit_test(test_a_text_is_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

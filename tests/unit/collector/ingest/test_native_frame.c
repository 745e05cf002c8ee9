/* test_native_frame.c - lines from the child are hostile, texts from them are for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/native_frame.h"

static char buffer[1024];

static const char *text_of(const char *line)
{
    struct text_out out = text_out_into(buffer, sizeof buffer);
    struct native_frame frame;

    if (!native_frame_parse(slice_of(line), &frame))
        return NULL;
    native_frame_text(&frame, &out);
    return buffer;
}

static void test_each_kind_of_frame_reads_as_documented(void **state)
{
    (void) state;
    assert_string_equal(text_of("=\t167ad8\tlibc.so.6\tmemset"), "memset (libc.so.6)");
    assert_string_equal(text_of("~\t77a1\tffi.so\tzif_x"), "near zif_x (ffi.so)");
    assert_string_equal(text_of("-\t77a1\tffi.so\t"), "ffi.so+0x77a1");
    assert_string_equal(text_of("-\t0\t\t"), "0x0");
}

static void test_the_place_of_a_named_frame_is_library_and_offset(void **state)
{
    struct text_out out = text_out_into(buffer, sizeof buffer);
    struct native_frame frame;

    (void) state;
    assert_true(native_frame_parse(SLICE("=\t167ad8\tlibc.so.6\tmemset"), &frame));
    native_frame_place(&frame, &out);
    assert_string_equal(buffer, "libc.so.6+0x167ad8");
}

static void test_lines_that_are_no_frames_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "=",
        "=\t1\tlib",
        "=\t1\tlib\tsym\tmore",
        "x\t1\tlib\tsym",
        "==\t1\tlib\tsym",
        "=\t\tlib\tsym",
        "=\t1g\tlib\tsym",
        "=\t11111111111111111\tlib\tsym",
        "=\t1\tlib\t",
        "=\t1\t\tsym",
    };

    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_null(text_of(lines[i]));
}

static void test_names_beyond_their_limits_are_refused(void **state)
{
    char line[1024];
    int len = snprintf(line, sizeof line, "=\t1\t%0*d\tsym", NATIVE_FRAME_LIBRARY_BYTES + 1, 7);

    (void) state;
    assert_true(len > NATIVE_FRAME_LIBRARY_BYTES);
    assert_null(text_of(line));
    snprintf(line, sizeof line, "=\t1\tlib\t%0*d", NATIVE_FRAME_SYMBOL_BYTES + 1, 7);
    assert_null(text_of(line));
}

static void test_control_characters_of_a_symbol_do_not_reach_the_terminal(void **state)
{
    (void) state;
    assert_string_equal(text_of("=\t1\tl\x1b[2J\ta\x07\xff"), "a%07%FF (l%1B[2J)");
}

static void test_a_guess_needs_no_file(void **state)
{
    struct code_row row = {.start = 0x1000, .end = 0x2000, .file_offset = 0x300, .path = "/l/x.so"};
    const struct code_map map = {.count = 1, .rows = &row};
    struct native_frame frame = native_frame_guess(&map, 0x1010);
    struct text_out out = text_out_into(buffer, sizeof buffer);

    (void) state;
    native_frame_text(&frame, &out);
    assert_string_equal(buffer, "x.so+0x310");
    frame = native_frame_guess(&map, 0x10);
    out = text_out_into(buffer, sizeof buffer);
    native_frame_text(&frame, &out);
    assert_string_equal(buffer, "0x10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_of_frame_reads_as_documented),
        cmocka_unit_test(test_the_place_of_a_named_frame_is_library_and_offset),
        cmocka_unit_test(test_lines_that_are_no_frames_are_refused),
        cmocka_unit_test(test_names_beyond_their_limits_are_refused),
        cmocka_unit_test(test_control_characters_of_a_symbol_do_not_reach_the_terminal),
        cmocka_unit_test(test_a_guess_needs_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

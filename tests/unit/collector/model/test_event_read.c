/* test_event_read.c - files with an event stream: plain, gzip, damaged, cut, with endless lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "model/event_parse.h"
#include "model/event_read.h"

static const char good[] = "{\"e\":\"end\",\"pid\":7}\n";

/* A new temporary file; the caller unlinks it. */
static FILE *create(char path[static 32])
{
    int fd;

    strcpy(path, "/tmp/test_event_read.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    return fdopen(fd, "w");
}

/* Read all of `path`; returns what event_reader_next() returned last. */
static int drain(const char *path, struct event_read_stats *ret_stats)
{
    struct event_reader *reader;
    struct event event;
    int r;

    assert_int_equal(event_reader_open(path, &reader), 0);
    while ((r = event_reader_next(reader, &event)) == 1)
        assert_int_equal(event.pid, 7);
    *ret_stats = *event_reader_stats(reader);
    event_reader_close(reader);
    return r;
}

static void test_damaged_lines_are_counted_with_the_first_place_and_the_rest_is_read(void **state)
{
    struct event_read_stats stats;
    char path[32];
    FILE *file = create(path);

    (void) state;
    fprintf(file, "%s\n{\"e\":\"new\"}\n%s{\"e\":\"end\",\n{\"e\":\n%s{\"e\":\"end\",\"pi", good,
            good, good);
    fclose(file);
    assert_int_equal(drain(path, &stats), 0);
    assert_int_equal(stats.lines, 8);
    assert_int_equal(stats.events, 3);
    assert_int_equal(stats.unknown_lines, 2);
    assert_int_equal(stats.damaged_lines, 3);
    assert_int_equal(stats.first_damaged_line, 5);
    assert_true(stats.cut_short);
    unlink(path);
}

static void test_a_line_longer_than_the_buffer_is_one_long_line(void **state)
{
    struct event_read_stats stats;
    char path[32];
    FILE *file = create(path);

    (void) state;
    fputs(good, file);
    for (int i = 0; i < 10 * EVENT_LINE_MAX_BYTES; i++)
        fputc('x', file);
    fprintf(file, "\n%s", good);
    for (int i = 0; i < EVENT_LINE_MAX_BYTES + 1; i++)
        fputc(' ', file);
    fprintf(file, "\n%s", good);
    fclose(file);
    assert_int_equal(drain(path, &stats), 0);
    assert_int_equal(stats.events, 3);
    assert_int_equal(stats.long_lines, 2);
    assert_int_equal(stats.first_long_line, 2);
    assert_int_equal(stats.lines, 5);
    unlink(path);
}

static void test_the_last_line_needs_no_newline(void **state)
{
    struct event_read_stats stats;
    char path[32];
    FILE *file = create(path);

    (void) state;
    fprintf(file, "%.*s", (int) sizeof good - 2, good);
    fclose(file);
    assert_int_equal(drain(path, &stats), 0);
    assert_int_equal(stats.events, 1);
    assert_false(stats.cut_short);
    unlink(path);
}

static void test_gzip_is_read_directly_and_a_broken_one_up_to_where_it_breaks(void **state)
{
    enum { LINES = 20000 };
    struct event_read_stats stats;
    char path[32];
    gzFile zip;

    (void) state;
    fclose(create(path));
    zip = gzopen(path, "wb");
    for (int i = 0; i < LINES; i++)
        gzprintf(zip, "{\"e\":\"end\",\"pid\":7,\"n\":%d}\n", i * 7919);
    gzclose(zip);
    assert_int_equal(drain(path, &stats), 0);
    assert_int_equal(stats.events, LINES);
    assert_false(stats.cut_short);
    assert_int_equal(truncate(path, 30000), 0);
    assert_int_equal(drain(path, &stats), 0);
    assert_true(stats.cut_short);
    assert_in_range(stats.events, 1, LINES - 1);
    unlink(path);
}

static void test_what_cannot_be_opened_or_read_says_why(void **state)
{
    struct event_read_stats stats;
    struct event_reader *reader;

    (void) state;
    assert_int_equal(event_reader_open("/nonexistent/trace", &reader), -ENOENT);
    assert_int_equal(drain("/", &stats), -EISDIR);
}

static void test_the_report_names_lines_and_says_nothing_when_all_was_read(void **state)
{
    const struct event_read_stats stats = {.lines = 9, .damaged_lines = 2, .first_damaged_line = 4};
    const struct event_read_stats clean = {.lines = 9, .events = 9};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void) state;
    event_read_stats_print(&clean, "x: ", out);
    fflush(out);
    assert_int_equal(len, 0);
    event_read_stats_print(&stats, "x: ", out);
    fclose(out);
    assert_string_equal(text, "x: 2 of 9 lines are damaged, the first is line 4\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_lines_are_counted_with_the_first_place_and_the_rest_is_read),
        cmocka_unit_test(test_a_line_longer_than_the_buffer_is_one_long_line),
        cmocka_unit_test(test_the_last_line_needs_no_newline),
        cmocka_unit_test(test_gzip_is_read_directly_and_a_broken_one_up_to_where_it_breaks),
        cmocka_unit_test(test_what_cannot_be_opened_or_read_says_why),
        cmocka_unit_test(test_the_report_names_lines_and_says_nothing_when_all_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

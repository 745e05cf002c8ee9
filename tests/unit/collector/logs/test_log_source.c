/* test_log_source.c - whole logs: recognised, joined, counted, explained. */
#include <errno.h>

#include "log_tmp.h"
#include "logs/log_decoder.h"
#include "logs/log_source.h"
#include "logs/log_zone.h"

#define ACCESS(path, status)                                                                       \
    "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET " path " HTTP/1.1\" " status " 5 \"-\" "       \
    "\"-\"\n"
#define ERROR_HEAD "2026/11/22 05:38:44 [error] 1#1: *6 "

enum { EVENTS_MAX = 16 };

struct seen {
    int count, stop_after, stream_lines;
    struct {
        enum log_kind kind;
        int64_t offset_bytes;
        int file;
        char line[256];
    } events[EVENTS_MAX];
};

static int on_event(void *ctx, const struct log_event *event)
{
    struct seen *seen = ctx;

    assert_true(seen->count < EVENTS_MAX);
    seen->events[seen->count].kind = event->kind;
    seen->events[seen->count].file = event->file;
    seen->events[seen->count].offset_bytes = event->offset_bytes;
    snprintf(seen->events[seen->count].line, sizeof seen->events[0].line, "%.*s",
             (int) event->line.len_bytes, event->line.ptr);
    seen->count++;
    return seen->stop_after && seen->count == seen->stop_after ? 77 : 0;
}

static int on_stream_line(void *ctx, struct slice line, int64_t offset_bytes)
{
    struct seen *seen = ctx;

    (void) line;
    (void) offset_bytes;
    seen->stream_lines++;
    return 0;
}

/* Read `text` from a file. */
static int read_text(void **state, const char *text, struct seen *seen, struct log_report *report)
{
    static const struct log_options options = {.on_stream_line = on_stream_line};
    struct log_tmp *tmp = *state;

    log_tmp_text(tmp->path, "w", text);
    return log_source_read(tmp->path, 3, &options, on_event, seen, report);
}

static void test_each_log_is_known_by_its_lines(void **state)
{
    static const struct {
        const char *text;
        enum log_format_id format;
    } cases[] = {
        {ACCESS("/", "200"), LOG_FORMAT_ACCESS_COMBINED},
        {"{\"msec\":1795325923.6,\"request\":\"GET / HTTP/1.1\",\"status\":200}\n",
         LOG_FORMAT_ACCESS_JSON},
        {ERROR_HEAD "x\n", LOG_FORMAT_NGINX_ERROR},
        {"[22-Nov-2026 05:38:42] NOTICE: ready to handle connections\n", LOG_FORMAT_FPM},
        {"[22-Nov-2026 05:38:42 UTC] PHP Warning:  x in y on line 3\n", LOG_FORMAT_PHP_ERROR},
        {"\n[22-Nov-2026 05:38:42]  [pool www] pid 5\nscript_filename = /x\n", LOG_FORMAT_PHP_SLOW},
        {"[ 1320.067615] usb 1-1: new device\n", LOG_FORMAT_KERNEL},
        {"Nov 22 05:38:44 shop CRON[5]: (root) CMD (x)\n", LOG_FORMAT_KERNEL},
        {"*   << Request  >> 3         \n-   End\n", LOG_FORMAT_VARNISHLOG},
        {"2026-11-22T05:38:43+0000 b GET \"/\" 200 1 2 x vxid=3\n", LOG_FORMAT_NCSA},
        {"Debug: Child (14463) Started\n", LOG_FORMAT_VARNISHD},
        {"{\"e\":\"hdr\",\"v\":1}\n", LOG_FORMAT_EVENTS},
        {"hello\n", LOG_FORMAT_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct log_report report;

        assert_int_equal(read_text(state, cases[i].text, &seen, &report), 0);
        assert_int_equal(report.format, cases[i].format);
        assert_string_equal(report.format_title, log_format_title(cases[i].format));
        assert_int_equal(seen.count, cases[i].format != LOG_FORMAT_EVENTS &&
                                         cases[i].format != LOG_FORMAT_UNKNOWN);
    }
}

static void test_a_log_that_begins_in_the_middle_of_a_line_is_recognised(void **state)
{
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(read_text(state,
                               " HTTP/1.1\" 200 5 \"-\" \"-\"\n\xff\xfe\n" ACCESS("/a", "502"),
                               &seen, &report),
                     0);
    assert_int_equal(report.format, LOG_FORMAT_ACCESS_COMBINED);
    assert_int_equal(seen.count, 1);
    assert_int_equal(report.skipped_lines, 2);
    assert_int_equal(report.skipped_offset_bytes, 0);
    assert_non_null(strstr(report.message, "2 of 3 lines"));
}

static void test_events_say_where_they_were(void **state)
{
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(read_text(state, ACCESS("/a", "502") ACCESS("/b", "200"), &seen, &report), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.events[0].offset_bytes, 0);
    assert_int_equal(seen.events[1].offset_bytes, strlen(ACCESS("/a", "502")));
    assert_int_equal(seen.events[1].file, 3);
    assert_int_equal(report.lines, 2);
    assert_int_equal(report.events, 2);
    assert_int_equal(report.first_us, 1795325923000000);
    assert_string_equal(report.message, "");
}

static void test_lines_that_belong_together_are_one_event(void **state)
{
    static const char stderr_record[] =
        ERROR_HEAD "FastCGI sent in stderr: \"PHP message: a\nb\" while reading, client: 1.2.3.4";
    struct seen seen = {0};
    struct log_report report;
    char text[512];

    snprintf(text, sizeof text, "%s\n%s\nstray\n", ERROR_HEAD "first, client: 1.2.3.4",
             stderr_record);
    assert_int_equal(read_text(state, text, &seen, &report), 0);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.events[1].line, stderr_record);
    assert_int_equal(report.skipped_lines, 1);
}

static void test_a_record_that_the_end_cuts_is_given(void **state)
{
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(
        read_text(state, ERROR_HEAD "FastCGI sent in stderr: \"PHP message: a\nb", &seen, &report),
        0);
    assert_int_equal(seen.count, 1);
}

static void test_a_php_message_cannot_forge_an_access_line(void **state)
{
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(
        read_text(state, ERROR_HEAD "x, client: a\n" ACCESS("/forged", "502"), &seen, &report), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.events[0].kind, LOG_NGINX_ERROR);
    assert_int_equal(report.skipped_lines, 1);
}

static void test_the_name_says_nothing_and_gzip_is_unpacked(void **state)
{
    struct log_tmp *tmp = *state;
    struct seen seen = {0};
    struct log_report report;

    log_tmp_gzip(tmp->path, "wb", ACCESS("/a", "502"), strlen(ACCESS("/a", "502")));
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(report.format, LOG_FORMAT_ACCESS_COMBINED);
}

static void test_standard_input_may_mix_logs(void **state)
{
    struct log_tmp *tmp = *state;
    int saved = dup(STDIN_FILENO), fd;
    struct seen seen = {0};
    struct log_report report;

    log_tmp_text(tmp->path, "w",
                 "[22-Nov-2026 05:38:42] NOTICE: ready to handle connections\n" ACCESS("/a", "502")
                     ERROR_HEAD "x, client: a\n" ACCESS("/b", "200"));
    fd = open(tmp->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(log_source_read("-", 0, NULL, on_event, &seen, &report), 0);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    close(fd);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.events[0].kind, LOG_FPM);
    assert_int_equal(seen.events[1].kind, LOG_ACCESS);
    assert_int_equal(seen.events[2].kind, LOG_NGINX_ERROR);
    assert_int_equal(seen.events[3].kind, LOG_ACCESS);
    assert_int_equal(report.skipped_lines, 0);
}

static void test_an_event_stream_is_handed_on_line_by_line(void **state)
{
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(read_text(state, "{\"e\":\"hdr\",\"v\":1}\n{\"e\":\"mark\"}\n{\"e\":\"end\"}",
                               &seen, &report),
                     0);
    assert_int_equal(seen.stream_lines, 3);
    assert_int_equal(seen.count, 0);
}

static void test_the_callback_can_end_the_reading(void **state)
{
    struct seen seen = {.stop_after = 1};
    struct log_report report;

    assert_int_equal(read_text(state, ACCESS("/a", "502") ACCESS("/b", "200"), &seen, &report), 77);
    assert_int_equal(seen.count, 1);
}

static void test_what_is_no_log_is_skipped_with_a_reason(void **state)
{
    struct log_tmp *tmp = *state;
    struct seen seen = {0};
    struct log_report report;

    log_tmp_write(tmp->path, "w",
                  "\x7f"
                  "ELF\0\0\0\n\0\0",
                  10);
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
    assert_non_null(strstr(report.message, "binary"));
    assert_non_null(strstr(report.message, tmp->path));
    log_tmp_text(tmp->path, "w", "hello\nworld\n");
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
    assert_non_null(strstr(report.message, "not a log"));
    log_tmp_text(tmp->path, "w", "");
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
    assert_string_equal(report.message, "");
}

static void test_what_cannot_be_read_says_why(void **state)
{
    struct log_tmp *tmp = *state;
    struct seen seen = {0};
    struct log_report report;

    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), -ENOENT);
    assert_non_null(strstr(report.message, "cannot open '"));
    assert_int_equal(log_source_read(tmp->dir, 0, NULL, on_event, &seen, &report), -EISDIR);
    assert_non_null(strstr(report.message, "Is a directory"));
    log_tmp_write(tmp->path, "w", "BZh91AY", 7);
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), -ENOTSUP);
    assert_non_null(strstr(report.message, "unpack"));
    log_tmp_write(tmp->path, "w", "\x1f\x8b\x08garbage", 10);
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), -EBADMSG);
    assert_non_null(strstr(report.message, "gzip"));
}

static void test_a_log_without_zone_takes_the_one_of_the_access_log_beside_it(void **state)
{
    struct log_tmp *tmp = *state;
    const char *const paths[] = {tmp->path, tmp->dir, tmp->other};
    struct log_zone zone;

    log_tmp_text(tmp->path, "w", "[22-Nov-2026 05:38:42 UTC] PHP Warning:  x in y on line 3\n");
    log_tmp_text(tmp->other, "w",
                 "{\"msec\":1795325923.6,\"request\":\"GET / HTTP/1.1\",\"status\":200,"
                 "\"time\":\"2026-11-22T06:38:43+01:00\"}\n");
    zone = log_zone_of_files(paths, 3, NULL, (struct log_zone){.local = true});
    assert_false(zone.local);
    assert_int_equal(zone.offset_s, 3600);
    zone = log_zone_of_files(paths, 2, NULL, (struct log_zone){.local = true});
    assert_true(zone.local); /* PHP's zone is not the host's */
}

static void test_a_peek_reads_no_further_than_it_was_told(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_report report;

    log_tmp_text(tmp->path, "w", ACCESS("/a", "502") ACCESS("/b", "200") "garbage\n");
    assert_int_equal(log_source_peek(tmp->path, 2, NULL, &report), 0);
    assert_int_equal(report.lines, 2);
    assert_int_equal(report.format, LOG_FORMAT_ACCESS_COMBINED);
    assert_true(report.zone_printed);
    assert_string_equal(report.message, "");
}

static void test_php_fpm_and_php_may_share_a_file_in_either_order(void **state)
{
    static const char fpm[] =
        "[22-Nov-2026 05:38:44] WARNING: [pool www] child 5 exited on signal 11 "
        "(SIGSEGV) after 2.0 seconds from start\n";
    static const char php[] = "[22-Nov-2026 05:38:44 UTC] PHP Fatal error:  Uncaught E: x in /a:1\n"
                              "Stack trace:\n#0 {main}\n  thrown in /a on line 1\n";
    struct seen seen = {0};
    struct log_report report;
    char text[512];

    snprintf(text, sizeof text, "%s%sraw words of a worker\n%s", php, fpm, php);
    assert_int_equal(read_text(state, text, &seen, &report), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.events[1].kind, LOG_FPM);
    snprintf(text, sizeof text, "%s%s%s", fpm, php, fpm);
    assert_int_equal(read_text(state, text, &seen, &report), 0);
    assert_int_equal(seen.count, 6);
    assert_int_equal(seen.events[3].kind, LOG_FPM);
    assert_int_equal(seen.events[4].kind, LOG_PHP_ERROR);
    assert_int_equal(seen.events[5].kind, LOG_FPM);
}

static void test_a_given_format_is_used_where_it_fits(void **state)
{
    static const struct log_options options = {.access_format = "$msec [$status] $request"};
    static const struct log_options bad = {.access_format = "$msec"};
    struct log_tmp *tmp = *state;
    struct seen seen = {0};
    struct log_report report;

    log_tmp_text(tmp->path, "w", "1795325923.623 [502] GET /a HTTP/1.1\n");
    assert_int_equal(log_source_read(tmp->path, 0, &options, on_event, &seen, &report), 0);
    assert_int_equal(report.format, LOG_FORMAT_ACCESS_CUSTOM);
    assert_int_equal(seen.count, 1);
    log_tmp_text(tmp->path, "w", ERROR_HEAD "x\n");
    assert_int_equal(log_source_read(tmp->path, 0, &options, on_event, &seen, &report), 0);
    assert_int_equal(report.format, LOG_FORMAT_NGINX_ERROR);
    assert_int_equal(log_source_read(tmp->path, 0, &bad, on_event, &seen, &report), -EINVAL);
    assert_non_null(strstr(report.message, "$status"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_tmp_test(test_each_log_is_known_by_its_lines),
        log_tmp_test(test_a_log_that_begins_in_the_middle_of_a_line_is_recognised),
        log_tmp_test(test_events_say_where_they_were),
        log_tmp_test(test_lines_that_belong_together_are_one_event),
        log_tmp_test(test_a_record_that_the_end_cuts_is_given),
        log_tmp_test(test_a_php_message_cannot_forge_an_access_line),
        log_tmp_test(test_the_name_says_nothing_and_gzip_is_unpacked),
        log_tmp_test(test_standard_input_may_mix_logs),
        log_tmp_test(test_an_event_stream_is_handed_on_line_by_line),
        log_tmp_test(test_the_callback_can_end_the_reading),
        log_tmp_test(test_what_is_no_log_is_skipped_with_a_reason),
        log_tmp_test(test_what_cannot_be_read_says_why),
        log_tmp_test(test_a_log_without_zone_takes_the_one_of_the_access_log_beside_it),
        log_tmp_test(test_a_peek_reads_no_further_than_it_was_told),
        log_tmp_test(test_php_fpm_and_php_may_share_a_file_in_either_order),
        log_tmp_test(test_a_given_format_is_used_where_it_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

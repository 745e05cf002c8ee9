/* test_captures.c - every log of the labelled captures is recognised, and not one line is skipped.
 */
#include <glob.h>
#include <stdio.h>

#include "log_fixture.h"
#include "logs/log_source.h"

static const struct {
    const char *pattern;
    enum log_format_id format;
} logs[] = {
    {"access.json.log*", LOG_FORMAT_ACCESS_JSON},
    {"access.ext.log*", LOG_FORMAT_ACCESS_JSON},
    {"access.combined.log*", LOG_FORMAT_ACCESS_COMBINED},
    {"error.log*", LOG_FORMAT_NGINX_ERROR},
    {"fpm.log*", LOG_FORMAT_FPM},
    {"php-slow.log*", LOG_FORMAT_PHP_SLOW},
    {"php_errors.log*", LOG_FORMAT_PHP_ERROR},
    {"kern.log*", LOG_FORMAT_KERNEL},
    {"kern.syslog.log*", LOG_FORMAT_KERNEL},
    {"varnishlog.txt*", LOG_FORMAT_VARNISHLOG},
    {"varnishncsa.log*", LOG_FORMAT_NCSA},
    {"varnishd.out*", LOG_FORMAT_VARNISHD},
    {"events.jsonl*", LOG_FORMAT_EVENTS},
};

static int count_event(void *ctx, const struct log_event *event)
{
    (void) event;
    ++*(int64_t *) ctx;
    return 0;
}

/* Some captures' logs are empty: nothing happened. */
static void check_file(const char *path, enum log_format_id format)
{
    struct log_report report;
    int64_t events = 0;

    assert_int_equal(log_source_read(path, 0, NULL, count_event, &events, &report), 0);
    if (report.lines == 0)
        return;
    if (report.format != format || report.message[0] || events != report.events)
        print_error("%s: %s, %s\n", path, report.format_title, report.message);
    assert_int_equal(report.format, format);
    assert_string_equal(report.message, "");
    assert_int_equal(events, report.events);
    assert_true(events > 0 || format == LOG_FORMAT_EVENTS);
}

static void test_every_log_of_the_captures_is_read_without_a_skipped_line(void **state)
{
    char pattern[128];
    size_t files = 0;

    (void) state;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        glob_t found;

        snprintf(pattern, sizeof pattern, "tests/fixtures/captures/*/%s", logs[i].pattern);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            check_file(found.gl_pathv[k], logs[i].format);
        files += found.gl_pathc;
        globfree(&found);
    }
    assert_in_range(files, 200, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_log_of_the_captures_is_read_without_a_skipped_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

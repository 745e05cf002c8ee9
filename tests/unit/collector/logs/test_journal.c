/* test_journal.c - one journal in three forms: systemd's file, an export, JSON; and followed. */
#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>

#include "log_tmp.h"
#include "logs/journal.h"
#include "logs/journal_entry.h"
#include "logs/journal_follow.h"
#include "logs/log_source.h"

#define FIXTURES "tests/fixtures/journal/"
#define T0_US    INT64_C(1795348800067615)

/* What matters of one reading. */
struct seen {
    int events, kernel, segfaults, oom_kills, fpm, resets, reloads, varnishd;
    int64_t oom_pid, first_us, last_us;
    char varnishd_said[64];
};

static void count_kernel(struct seen *seen, const struct log_kernel *kernel)
{
    seen->segfaults += kernel->what == KERNEL_SEGFAULT;
    seen->oom_kills += kernel->what == KERNEL_OOM_KILLED;
    seen->reloads += kernel->what == KERNEL_UNIT_RELOAD;
    if (kernel->what == KERNEL_OOM_KILLED)
        seen->oom_pid = kernel->pid;
}

static int on_event(void *ctx, const struct log_event *event)
{
    struct seen *seen = ctx;

    if (seen->events++ == 0)
        seen->first_us = event->time_us;
    seen->last_us = event->time_us;
    if (event->kind == LOG_KERNEL)
        count_kernel(seen, &event->kernel);
    seen->fpm += event->kind == LOG_FPM;
    seen->resets += event->kind == LOG_NGINX_ERROR && event->nginx.cause == NGINX_RESET;
    if (event->kind == LOG_VARNISHD) {
        seen->varnishd++;
        snprintf(seen->varnishd_said, sizeof seen->varnishd_said, "%.*s",
                 (int) event->varnishd.message.len_bytes, event->varnishd.message.ptr);
    }
    return 0;
}

/* The entries of tests/fixtures/journal/make-fixture, whatever they came in. */
static void assert_fixture(const struct seen *seen)
{
    assert_int_equal(seen->segfaults, 1);
    assert_int_equal(seen->oom_kills, 1); /* a user's program that calls itself kernel is not */
    assert_int_equal(seen->oom_pid, 4242);
    assert_int_equal(seen->fpm, 2);     /* one is known by _COMM only */
    assert_int_equal(seen->reloads, 1); /* another user's systemd reloads nothing of ours */
    assert_int_equal(seen->resets, 1);
    assert_int_equal(seen->varnishd, 1);
    assert_int_equal(seen->first_us, T0_US);
}

/* The fixture's journal, unpacked. */
static void unpack_journal(const char *path)
{
    static char buffer[1 << 16];
    gzFile from = gzopen(FIXTURES "host.journal.gz", "rb");
    FILE *to = fopen(path, "w");
    int n;

    assert_non_null(from);
    assert_non_null(to);
    while ((n = gzread(from, buffer, sizeof buffer)) > 0)
        assert_int_equal(fwrite(buffer, 1, (size_t) n, to), (size_t) n);
    assert_int_equal(gzclose(from), Z_OK);
    assert_int_equal(fclose(to), 0);
}

static bool is_built_with_libsystemd(void)
{
    struct journal *journal;
    const int r = journal_open("/nowhere", 0, &journal);

    assert_true(r < 0);
    return r != -ENOTSUP;
}

static void test_a_journal_file_of_systemd_is_read(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_report report;
    struct seen seen = {0};

    unpack_journal(tmp->path);
    assert_true(journal_is(tmp->path));
    if (!is_built_with_libsystemd()) {
        assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), -ENOTSUP);
        assert_non_null(strstr(report.message, "built without libsystemd"));
        return;
    }
    assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
    assert_fixture(&seen);
    assert_int_equal(report.skipped_lines, 0);
    assert_string_equal(report.message, "");
    assert_string_equal(seen.varnishd_said, "Child (9902) died signal=6  second line");
}

static void test_what_is_older_than_asked_for_is_not_read(void **state)
{
    const struct log_options options = {.since_us = T0_US + 5 * INT64_C(1000000)};
    struct log_tmp *tmp = *state;
    struct log_report report;
    struct seen seen = {0};

    if (!is_built_with_libsystemd())
        skip();
    unpack_journal(tmp->path);
    assert_int_equal(log_source_read(tmp->path, 0, &options, on_event, &seen, &report), 0);
    assert_int_equal(seen.segfaults, 0);
    assert_int_equal(seen.varnishd, 1);
}

static void test_a_directory_with_journals_is_one(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_report report;
    struct seen seen = {0};
    char path[160];

    assert_false(journal_is(tmp->dir));
    snprintf(path, sizeof path, "%s/x.journal", tmp->dir);
    unpack_journal(path);
    assert_true(journal_is(tmp->dir));
    const int r = log_source_read(tmp->dir, 0, NULL, on_event, &seen, &report);
    unlink(path);
    if (!is_built_with_libsystemd())
        skip();
    assert_int_equal(r, 0);
    assert_fixture(&seen);
}

static void test_a_damaged_journal_is_a_sentence_and_no_crash(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_report report;
    struct seen seen = {0};

    if (!is_built_with_libsystemd())
        skip();
    unpack_journal(tmp->path);
    assert_int_equal(truncate(tmp->path, 700), 0);
    (void) log_source_read(tmp->path, 0, NULL, on_event, &seen, &report);
    assert_int_equal(seen.events, 0);
    assert_non_null(strstr(report.message, tmp->path));
}

static void test_an_export_is_read_with_its_binary_values(void **state)
{
    struct log_report report;
    struct seen seen = {0};

    (void) state;
    assert_int_equal(log_source_read(FIXTURES "host.export", 0, NULL, on_event, &seen, &report), 0);
    assert_int_equal(report.format, LOG_FORMAT_JOURNAL_EXPORT);
    assert_fixture(&seen);
    assert_int_equal(seen.events, 12);
    assert_int_equal(report.skipped_lines, 0); /* the empty line inside a value ends nothing */
    assert_string_equal(seen.varnishd_said, "Child (9902) died signal=6  second line");
}

static void test_an_export_that_is_cut_keeps_what_came_before(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_report report;
    char *text = calloc(1, 8192);
    FILE *from = fopen(FIXTURES "host.export", "r");

    assert_non_null(from);
    const size_t size_bytes = fread(text, 1, 8192, from);
    fclose(from);
    for (size_t cut = 0; cut < size_bytes; cut += 7) {
        struct seen seen = {0};

        log_tmp_write(tmp->path, "w", text, cut);
        assert_int_equal(log_source_read(tmp->path, 0, NULL, on_event, &seen, &report), 0);
        assert_true(seen.events <= 12);
    }
    free(text);
}

#define JSON(fields) "{\"__REALTIME_TIMESTAMP\":\"1795348800067615\"," fields "}\n"

static int read_json(void **state, const char *text, struct seen *seen, struct log_report *report)
{
    struct log_tmp *tmp = *state;

    *seen = (struct seen){0};
    log_tmp_text(tmp->path, "w", text);
    return log_source_read(tmp->path, 0, NULL, on_event, seen, report);
}

static void test_json_is_read_and_knows_the_kernel_from_who_calls_itself_so(void **state)
{
    struct log_report report;
    struct seen seen;

    assert_int_equal(
        read_json(state,
                  JSON("\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"Out of memory: Killed process 7 "
                       "(php-fpm8.2) total-vm:1kB, anon-rss:1kB\"")
                      JSON("\"_TRANSPORT\":\"syslog\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":"
                           "\"Out of memory: Killed process 8 (php-fpm8.2) total-vm:1kB\""),
                  &seen, &report),
        0);
    assert_int_equal(report.format, LOG_FORMAT_JOURNAL_JSON);
    assert_int_equal(seen.oom_kills, 1);
    assert_int_equal(seen.oom_pid, 7);
    assert_int_equal(seen.first_us, T0_US);
}

static void test_json_messages_may_be_escaped_binary_or_missing(void **state)
{
    struct log_report report;
    struct seen seen;

    read_json(state,
              JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":\"Child (1) died\\nsignal=6\"")
                  JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":[67,104,105,108,100, 27]")
                      JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":null")
                          JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":[300]")
                              JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":\"cut"),
              &seen, &report);
    assert_int_equal(seen.varnishd, 2);
    assert_string_equal(seen.varnishd_said, "Child "); /* its escape byte became a blank */
    assert_int_equal(report.skipped_lines, 2);
}

/* journalctl writes a field that an entry has several times as a list; disks have such names. */
static void test_a_json_field_may_have_several_values(void **state)
{
    struct log_report report;
    struct seen seen;

    read_json(state,
              JSON("\"_UDEV_DEVLINK\":[\"/dev/disk/a\",\"/dev/disk/b\"],\"_TRANSPORT\":"
                   "\"kernel\",\"MESSAGE\":\"Out of memory: Killed process 7 (php-fpm8.2) "
                   "total-vm:1kB, anon-rss:1kB\"")
                  JSON("\"SYSLOG_IDENTIFIER\":[ \"varnishd\" , \"other\" ],\"MESSAGE\":"
                       "[[67,104,105,108,100],null]")
                      JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":[[[67]]]")
                          JSON("\"SYSLOG_IDENTIFIER\":\"varnishd\",\"MESSAGE\":[\"a\""),
              &seen, &report);
    assert_int_equal(seen.oom_kills, 1);
    assert_int_equal(seen.varnishd, 1);
    assert_string_equal(seen.varnishd_said, "Child");
    assert_int_equal(report.skipped_lines, 2);
}

static void test_a_line_never_leaves_its_buffer_and_never_breaks(void **state)
{
    struct journal_entry entry;
    char *message = malloc(5000), *buffer = malloc(64);

    (void) state;
    memset(message, '\n', 5000);
    message[0] = 'a';
    message[4999] = 'z';
    journal_entry_init(&entry);
    entry.time_us = T0_US;
    entry.host = SLICE("sh op:[evil]");
    entry.identifier = SLICE("nginx");
    entry.message = (struct slice){message, 5000};
    for (size_t size_bytes = 1; size_bytes <= 64; size_bytes++) {
        const struct slice line = journal_entry_line(&entry, buffer, size_bytes);

        assert_true(line.len_bytes < size_bytes);
        assert_true(slice_index(line, '\n') < 0);
    }
    assert_memory_equal(buffer, "1795348800.067615 shopevil nginx: a ", 36);
    free(buffer);
    free(message);
}

static int open_follower(const char *path, const char *cursor, struct journal_follow **ret_follow)
{
    return journal_follow_new(path, 0, cursor, NULL, ret_follow);
}

static void test_a_follower_begins_at_the_end_and_goes_on_behind_its_cursor(void **state)
{
    struct log_tmp *tmp = *state;
    struct journal_follow *follow;
    struct seen seen = {0};
    char second[JOURNAL_CURSOR_BYTES];
    struct log_line line;
    struct journal *journal;

    if (!is_built_with_libsystemd())
        skip();
    unpack_journal(tmp->path);
    assert_int_equal(journal_open(tmp->path, 0, &journal), 0);
    assert_int_equal(journal_next(journal, 0, &line), 1);
    assert_int_equal(journal_next(journal, 0, &line), 1);
    assert_true(journal_cursor(journal, second));
    journal_close(journal);

    assert_int_equal(open_follower(tmp->path, NULL, &follow), 0);
    assert_int_equal(journal_follow_poll(follow, on_event, &seen), 0);
    assert_int_equal(seen.events, 0);
    assert_non_null(journal_follow_cursor(follow));
    journal_follow_free(follow);

    assert_int_equal(open_follower(tmp->path, second, &follow), 0);
    assert_int_equal(journal_follow_poll(follow, on_event, &seen), 0);
    assert_int_equal(seen.oom_kills, 0); /* the second entry, and the first, were read before */
    assert_int_equal(seen.fpm, 2);
    assert_int_equal(seen.reloads, 1);
    assert_int_equal(journal_follow_poll(follow, on_event, &seen), 0);
    assert_int_equal(seen.fpm, 2);
    journal_follow_free(follow);

    assert_int_equal(open_follower(tmp->path, "s=nonsense", &follow), 0);
    journal_follow_free(follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_tmp_test(test_a_journal_file_of_systemd_is_read),
        log_tmp_test(test_what_is_older_than_asked_for_is_not_read),
        log_tmp_test(test_a_directory_with_journals_is_one),
        log_tmp_test(test_a_damaged_journal_is_a_sentence_and_no_crash),
        cmocka_unit_test(test_an_export_is_read_with_its_binary_values),
        log_tmp_test(test_an_export_that_is_cut_keeps_what_came_before),
        log_tmp_test(test_json_is_read_and_knows_the_kernel_from_who_calls_itself_so),
        log_tmp_test(test_json_messages_may_be_escaped_binary_or_missing),
        log_tmp_test(test_a_json_field_may_have_several_values),
        cmocka_unit_test(test_a_line_never_leaves_its_buffer_and_never_breaks),
        log_tmp_test(test_a_follower_begins_at_the_end_and_goes_on_behind_its_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

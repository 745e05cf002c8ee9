/* test_log_follow.c - a log that is rotated, emptied, taken away and brought back. */
#include "log_tmp.h"
#include "logs/log_follow.h"

#define LINE(uri)                                                                                  \
    "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET /" uri " HTTP/1.1\" 502 5 \"-\" \"-\"\n"

enum { SECOND_US = 1000000 };

struct seen {
    char uris[256]; /* "/a /b " */
    int64_t last_offset_bytes;
};

static int on_event(void *ctx, const struct log_event *event)
{
    struct seen *seen = ctx;
    size_t used = strlen(seen->uris);

    if (event->kind == LOG_ACCESS)
        snprintf(seen->uris + used, sizeof seen->uris - used, "%.*s ",
                 (int) event->access.uri.len_bytes, event->access.uri.ptr);
    else
        snprintf(seen->uris + used, sizeof seen->uris - used, "event ");
    seen->last_offset_bytes = event->offset_bytes;
    return 0;
}

/* Poll at `second`; the uris that were given, for one assertion. */
static const char *poll_at(struct log_follow *follow, int second)
{
    static struct seen seen;

    memset(&seen, 0, sizeof seen);
    assert_int_equal(log_follow_poll(follow, (int64_t) second * SECOND_US, on_event, &seen), 0);
    return seen.uris;
}

static struct log_follow *follow_new(const char *path)
{
    struct log_follow *follow;

    assert_int_equal(log_follow_new(path, 0, NULL, &follow), 0);
    return follow;
}

static struct log_follow *follow_from_start(const char *path)
{
    struct log_follow *follow = follow_new(path);

    log_follow_resume(follow, NULL);
    return follow;
}

static void test_reading_begins_at_the_end_and_goes_on_with_what_comes(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_new(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("old"));
    assert_string_equal(poll_at(follow, 1), "");
    log_tmp_text(tmp->path, "a", LINE("a") LINE("b"));
    assert_string_equal(poll_at(follow, 2), "/a /b ");
    assert_string_equal(poll_at(follow, 3), "");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_READING);
    log_follow_free(follow);
}

static void test_half_a_line_waits_for_its_end(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);
    const char *line = LINE("half");

    log_tmp_write(tmp->path, "w", line, 40);
    assert_string_equal(poll_at(follow, 1), "");
    log_tmp_text(tmp->path, "a", line + 40);
    assert_string_equal(poll_at(follow, 2), "/half ");
    log_follow_free(follow);
}

static void test_a_file_that_appears_later_is_read_from_its_beginning(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_new(tmp->path);

    assert_string_equal(poll_at(follow, 1), "");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_MISSING);
    assert_non_null(strstr(log_follow_status(follow)->message, "No such file"));
    log_tmp_text(tmp->path, "w", LINE("a"));
    assert_string_equal(poll_at(follow, 2), "/a ");
    assert_string_equal(log_follow_status(follow)->message, "");
    log_follow_free(follow);
}

static void test_lines_that_arrive_in_the_renamed_file_are_not_lost(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    assert_string_equal(poll_at(follow, 1), "/a ");
    assert_int_equal(rename(tmp->path, tmp->other), 0);
    log_tmp_text(tmp->other, "a", LINE("b"));
    assert_string_equal(poll_at(follow, 2), "/b "); /* nobody has the name yet */
    log_tmp_text(tmp->path, "w", LINE("d"));
    log_tmp_text(tmp->other, "a", LINE("c"));
    assert_string_equal(poll_at(follow, 3), "/c /d ");
    log_tmp_text(tmp->other, "a", LINE("late"));
    assert_string_equal(poll_at(follow, 40), "/late ");
    assert_int_equal(log_follow_status(follow)->rotations, 1);
    log_follow_free(follow);
}

static void test_a_renamed_file_is_let_go_when_it_has_been_quiet(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    (void) poll_at(follow, 1);
    assert_int_equal(rename(tmp->path, tmp->other), 0);
    log_tmp_text(tmp->path, "w", LINE("b"));
    assert_string_equal(poll_at(follow, 2), "/b ");
    assert_true(log_follow_bookmark(follow).rotated.inode != 0);
    assert_string_equal(poll_at(follow, 70), "");
    assert_int_equal(log_follow_bookmark(follow).rotated.inode, 0);
    log_follow_free(follow);
}

static void test_an_emptied_file_is_read_from_its_beginning(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a") LINE("b"));
    assert_string_equal(poll_at(follow, 1), "/a /b ");
    assert_int_equal(truncate(tmp->path, 0), 0);
    log_tmp_text(tmp->path, "a", LINE("c"));
    assert_string_equal(poll_at(follow, 2), "/c ");
    assert_int_equal(log_follow_status(follow)->truncations, 1);
    log_follow_free(follow);
}

static void test_a_file_that_was_emptied_and_grew_longer_than_before_is_noticed(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    assert_string_equal(poll_at(follow, 1), "/a ");
    assert_int_equal(truncate(tmp->path, 0), 0);
    log_tmp_text(tmp->path, "a", LINE("c") LINE("d"));
    assert_string_equal(poll_at(follow, 2), "/c /d ");
    assert_int_equal(log_follow_status(follow)->truncations, 1);
    log_follow_free(follow);
}

static void test_half_a_line_is_forgotten_when_the_file_is_emptied(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET /half");
    assert_string_equal(poll_at(follow, 1), "");
    assert_int_equal(truncate(tmp->path, 0), 0);
    assert_string_equal(poll_at(follow, 2), "");
    log_tmp_text(tmp->path, "a", LINE("c"));
    assert_string_equal(poll_at(follow, 3), "/c ");
    log_follow_free(follow);
}

static void test_a_directory_in_its_place_is_said_and_survived(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    (void) poll_at(follow, 1);
    assert_int_equal(rename(tmp->path, tmp->other), 0);
    assert_int_equal(mkdir(tmp->path, 0700), 0);
    assert_string_equal(poll_at(follow, 2), "");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_NO_FILE);
    assert_non_null(strstr(log_follow_status(follow)->message, "a directory"));
    log_tmp_text(tmp->other, "a", LINE("b"));
    assert_string_equal(poll_at(follow, 3), "/b ");
    assert_int_equal(rmdir(tmp->path), 0);
    log_tmp_text(tmp->path, "w", LINE("c"));
    assert_string_equal(poll_at(follow, 4), "/c ");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_READING);
    log_follow_free(follow);
}

static void test_a_pipe_in_its_place_does_not_block(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_new(tmp->path);

    assert_int_equal(mkfifo(tmp->path, 0600), 0);
    assert_string_equal(poll_at(follow, 1), "");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_NO_FILE);
    log_follow_free(follow);
}

static void test_an_unreadable_file_is_said_and_tried_again(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    assert_int_equal(chmod(tmp->path, 0), 0);
    if (access(tmp->path, R_OK) == 0) { /* root reads everything */
        log_follow_free(follow);
        skip();
    }
    assert_string_equal(poll_at(follow, 1), "");
    assert_int_equal(log_follow_status(follow)->state, LOG_FOLLOW_UNREADABLE);
    assert_non_null(strstr(log_follow_status(follow)->message, "Permission denied"));
    assert_int_equal(chmod(tmp->path, 0600), 0);
    assert_string_equal(poll_at(follow, 2), "/a ");
    log_follow_free(follow);
}

/* What a collector does: the bookmark goes through the store as text. */
static struct log_follow *restart(struct log_follow *follow, const char *path)
{
    struct log_bookmark bookmark = log_follow_bookmark(follow), again;
    char text[LOG_BOOKMARK_TEXT_BYTES];

    log_bookmark_print(&bookmark, text);
    assert_true(log_bookmark_scan(text, &again));
    assert_memory_equal(&bookmark, &again, sizeof again);
    log_follow_free(follow);
    follow = follow_new(path);
    log_follow_resume(follow, &again);
    return follow;
}

static void test_a_restart_goes_on_where_it_was(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a") "half");
    assert_string_equal(poll_at(follow, 1), "/a ");
    follow = restart(follow, tmp->path);
    log_tmp_text(tmp->path, "a", "\n" LINE("b"));
    assert_string_equal(poll_at(follow, 2), "/b ");
    follow = restart(follow, tmp->path);
    follow = restart(follow, tmp->path); /* twice, without a poll between */
    log_tmp_text(tmp->path, "a", LINE("c"));
    assert_string_equal(poll_at(follow, 3), "/c ");
    log_follow_free(follow);
}

static void test_a_rotation_while_nobody_followed_loses_nothing(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    (void) poll_at(follow, 1);
    follow = restart(follow, tmp->path);
    log_tmp_text(tmp->path, "a", LINE("b"));
    assert_int_equal(rename(tmp->path, tmp->other), 0);
    log_tmp_text(tmp->path, "w", LINE("c"));
    assert_string_equal(poll_at(follow, 2), "/b /c ");
    assert_int_equal(log_follow_status(follow)->lost, 0);
    log_follow_free(follow);
}

static void test_a_log_that_is_gone_with_its_rest_is_counted_as_lost(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w", LINE("a"));
    (void) poll_at(follow, 1);
    follow = restart(follow, tmp->path);
    log_tmp_text(tmp->other, "w", LINE("x")); /* keeps the inode from being given out again */
    assert_int_equal(unlink(tmp->path), 0);
    log_tmp_text(tmp->path, "w", LINE("c"));
    assert_string_equal(poll_at(follow, 2), "/c ");
    assert_int_equal(log_follow_status(follow)->lost, 1);
    log_follow_free(follow);
}

static void test_a_record_of_several_lines_is_given_when_nothing_more_comes(void **state)
{
    struct log_tmp *tmp = *state;
    struct log_follow *follow = follow_from_start(tmp->path);

    log_tmp_text(tmp->path, "w",
                 "[22-Nov-2026 05:40:16 UTC] PHP Fatal error:  Uncaught Exception: x in "
                 "/a:1\nStack trace:\n");
    assert_string_equal(poll_at(follow, 1), "");
    log_tmp_text(tmp->path, "a", "#0 {main}\n");
    assert_string_equal(poll_at(follow, 2), "");
    assert_int_equal(log_follow_bookmark(follow).current.offset_bytes, 0);
    assert_string_equal(poll_at(follow, 3), "event ");
    assert_string_equal(poll_at(follow, 4), "");
    log_follow_free(follow);
}

static void test_what_is_no_bookmark_is_refused(void **state)
{
    static const char *const texts[] = {"", "1:2:3:4", "1:2:3:4,5:6:7:8x", "1:2:-3:4,5:6:7:8",
                                        "a,b"};
    struct log_bookmark bookmark;

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(log_bookmark_scan(texts[i], &bookmark));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_tmp_test(test_reading_begins_at_the_end_and_goes_on_with_what_comes),
        log_tmp_test(test_half_a_line_waits_for_its_end),
        log_tmp_test(test_a_file_that_appears_later_is_read_from_its_beginning),
        log_tmp_test(test_lines_that_arrive_in_the_renamed_file_are_not_lost),
        log_tmp_test(test_a_renamed_file_is_let_go_when_it_has_been_quiet),
        log_tmp_test(test_an_emptied_file_is_read_from_its_beginning),
        log_tmp_test(test_a_file_that_was_emptied_and_grew_longer_than_before_is_noticed),
        log_tmp_test(test_half_a_line_is_forgotten_when_the_file_is_emptied),
        log_tmp_test(test_a_directory_in_its_place_is_said_and_survived),
        log_tmp_test(test_a_pipe_in_its_place_does_not_block),
        log_tmp_test(test_an_unreadable_file_is_said_and_tried_again),
        log_tmp_test(test_a_restart_goes_on_where_it_was),
        log_tmp_test(test_a_rotation_while_nobody_followed_loses_nothing),
        log_tmp_test(test_a_log_that_is_gone_with_its_rest_is_counted_as_lost),
        log_tmp_test(test_a_record_of_several_lines_is_given_when_nothing_more_comes),
        log_tmp_test(test_what_is_no_bookmark_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

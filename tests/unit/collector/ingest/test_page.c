/* test_page.c - a recorder page is believed only as far as its lengths hold. */
#include "stage.h"

#include <errno.h>
#include <sys/stat.h>

static void test_a_page_name_is_a_pid_and_a_start_time_and_nothing_else(void **state)
{
    static const char *const wrong[] = {"",
                                        "12",
                                        "12-",
                                        "-12",
                                        "12-34x",
                                        "012-34",
                                        "12-034",
                                        "+12-34",
                                        "12--34",
                                        " 12-34",
                                        "12-34 ",
                                        "0-1",
                                        "99999999999-1",
                                        "12-99999999999999999999",
                                        "a-b"};
    uint64_t start_ticks;
    pid_t pid;

    (void) state;
    assert_true(page_parse_name("812-335049", &pid, &start_ticks));
    assert_int_equal(pid, 812);
    assert_int_equal(start_ticks, 335049);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(page_parse_name(wrong[i], &pid, &start_ticks));
}

static int read_page(const struct stage *stage, struct recorder_page *ret_page)
{
    return page_read(stage->pages, "7-8", PAGE_WHOLE, ret_page);
}

static void test_a_file_that_is_no_page_of_this_version_is_refused(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a"), *read = calloc(1, sizeof *read);

    assert_int_equal(read_page(stage, read), -ENOENT);
    stage_write_page(stage, 7, 8, page, sizeof *page);
    assert_int_equal(read_page(stage, read), 0);
    stage_write_page(stage, 7, 8, page, 100);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    stage_write_page(stage, 7, 8, page, 0);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    page->version = RECORDER_VERSION + 1;
    stage_write_page(stage, 7, 8, page, sizeof *page);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    page->version = RECORDER_VERSION;
    page->magic = 0;
    stage_write_page(stage, 7, 8, page, sizeof *page);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    free(page);
    free(read);
}

static void test_a_link_a_pipe_and_a_directory_are_not_read(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *read = calloc(1, sizeof *read);
    char path[192];

    snprintf(path, sizeof path, "%s/7-8", stage->pages);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(read_page(stage, read), -EBADMSG);
    free(read);
}

static void test_a_truncated_page_keeps_its_requests_and_loses_its_crash(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 3, "/cut"), *read = calloc(1, sizeof *read);
    struct request_facts facts;
    bool damaged = false;

    page->crash.state = RECORDER_CRASH_COMPLETE;
    stage_write_page(stage, 7, 8, page, offsetof(struct recorder_page, growths));
    assert_int_equal(read_page(stage, read), 0);
    assert_true(page_request(read, &facts, &damaged));
    assert_true(slice_equal(facts.uri, SLICE("/cut")));
    assert_int_equal(read->crash.state, RECORDER_CRASH_NONE);
    assert_false(damaged);
    free(page);
    free(read);
}

static void test_an_impossible_length_loses_its_text_only(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 3, "/u");
    struct request_facts facts;
    bool damaged = false;

    page->slots[1].host_len_bytes = UINT16_MAX;
    page->slots[1].uri_len_bytes = LIMIT_URI_BYTES;
    assert_true(page_request(page, &facts, &damaged));
    assert_true(damaged);
    assert_int_equal(facts.host.len_bytes, 0);
    assert_int_equal(facts.uri.len_bytes, LIMIT_URI_BYTES);
    page->current = RECORDER_SLOTS;
    assert_false(page_request(page, &facts, &damaged));
    free(page);
}

static void test_an_idle_worker_has_no_request_in_flight(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 3, "/u");
    struct request_facts facts;
    bool damaged = false;

    page->slots[1].phase = RECORDER_IDLE;
    assert_false(page_request(page, &facts, &damaged));
    page->slots[1].phase = 77;
    assert_false(page_request(page, &facts, &damaged));
    page->slots[1].phase = RECORDER_RUNNING;
    page->slots[1].seq = 0;
    assert_false(page_request(page, &facts, &damaged));
    assert_false(damaged);
    free(page);
}

static void test_growths_come_oldest_first_whatever_the_ring_says(void **state)
{
    struct recorder_page *page = calloc(1, sizeof *page);
    const struct recorder_growth *growth;
    struct slice php;

    (void) state;
    page->growth_next = UINT32_MAX; /* as if it had gone round for years, or a lie */
    for (size_t i = 0; i < RECORDER_GROWTHS; i++)
        assert_false(page_growth(page, i, &growth, &php));
    page->growth_next = 2;
    page->growths[1].seq = 9;
    page->growths[1].php_len_bytes = UINT32_MAX;
    page->growths[2].seq = 8;
    assert_true(page_growth(page, 0, &growth, &php));
    assert_int_equal(growth->seq, 8);
    assert_true(page_growth(page, RECORDER_GROWTHS - 1, &growth, &php));
    assert_int_equal(growth->seq, 9);
    assert_int_equal(php.len_bytes, 0);
    free(page);
}

static int open_page(const struct stage *stage, const struct recorder_page *page, size_t bytes,
                     int *ret_fd)
{
    stage_write_page(stage, 7, 8, page, bytes);
    return page_open(stage->pages, "7-8", ret_fd);
}

static void test_what_is_no_page_of_this_version_is_not_opened(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    char path[192];
    int fd;

    assert_int_equal(page_open(stage->pages, "7-8", &fd), -ENOENT);
    assert_int_equal(open_page(stage, page, 4, &fd), -EBADMSG);
    page->version++;
    assert_int_equal(open_page(stage, page, sizeof *page, &fd), -EBADMSG);
    snprintf(path, sizeof path, "%s/7-9", stage->pages);
    assert_int_equal(symlink("7-8", path), 0);
    assert_int_equal(page_open(stage->pages, "7-9", &fd), -EBADMSG);
    free(page);
}

static void test_a_file_too_short_for_a_page_is_asked_for_nothing(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    int fd;

    assert_int_equal(open_page(stage, page, sizeof *page - 1, &fd), 0);
    assert_int_equal(page_write_hold(fd, 1000), -EBADMSG);
    close(fd);
    assert_int_equal(open_page(stage, page, sizeof *page, &fd), 0);
    assert_int_equal(page_write_hold(fd, 1000), 0);
    assert_int_equal(read_page(stage, page), 0);
    assert_int_equal(page->hold_us, 1000);
    close(fd);
    free(page);
}

static void test_an_outbox_is_copied_when_there_is_something_new(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    struct recorder_outbox copy;
    int fd;

    memcpy(page->outbox.bytes, "abc", 3);
    page->outbox.state = recorder_outbox_state(9, 3);
    assert_int_equal(open_page(stage, page, sizeof *page, &fd), 0);
    assert_int_equal(page_read_outbox(fd, recorder_outbox_state(9, 3), &copy), 0);
    assert_int_equal(page_read_outbox(fd, recorder_outbox_state(9, 2), &copy), 1);
    assert_int_equal(copy.state, recorder_outbox_state(9, 3));
    assert_memory_equal(copy.bytes, "abc", 3);
    close(fd);
    page->outbox.state = recorder_outbox_state(10, 0);
    assert_int_equal(open_page(stage, page, sizeof *page, &fd), 0);
    assert_int_equal(page_read_outbox(fd, recorder_outbox_state(9, 3), &copy), 0);
    close(fd);
    free(page);
}

static void test_an_outbox_longer_than_itself_or_than_its_file_is_not_copied(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/a");
    struct recorder_outbox copy;
    int fd;

    page->outbox.state = recorder_outbox_state(1, RECORDER_OUTBOX_BYTES + 1);
    assert_int_equal(open_page(stage, page, sizeof *page, &fd), 0);
    assert_int_equal(page_read_outbox(fd, 0, &copy), -EBADMSG);
    close(fd);
    page->outbox.state = recorder_outbox_state(1, RECORDER_OUTBOX_BYTES);
    assert_int_equal(open_page(stage, page, sizeof *page - 1, &fd), 0);
    assert_int_equal(page_read_outbox(fd, 0, &copy), -EBADMSG);
    close(fd);
    free(page);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_page_name_is_a_pid_and_a_start_time_and_nothing_else),
        TEST(test_a_file_that_is_no_page_of_this_version_is_refused),
        TEST(test_a_link_a_pipe_and_a_directory_are_not_read),
        TEST(test_a_truncated_page_keeps_its_requests_and_loses_its_crash),
        TEST(test_an_impossible_length_loses_its_text_only),
        TEST(test_an_idle_worker_has_no_request_in_flight),
        TEST(test_what_is_no_page_of_this_version_is_not_opened),
        TEST(test_a_file_too_short_for_a_page_is_asked_for_nothing),
        TEST(test_an_outbox_is_copied_when_there_is_something_new),
        TEST(test_an_outbox_longer_than_itself_or_than_its_file_is_not_copied),
        TEST(test_growths_come_oldest_first_whatever_the_ring_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

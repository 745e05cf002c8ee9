/* test_recorder.c - the page file: where, whose, and what a reader sees at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/recorder.h"

static char dir[64];
static struct recorder recorder;

static int setup(void **state)
{
    (void) state;
    snprintf(dir, sizeof dir, "/dev/shm/fpmscope-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];

    (void) state;
    recorder_discard(&recorder);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void open_in(const char *pages, const char *socket)
{
    const struct recorder_place place = {.pages = pages, .socket = socket, .uid = geteuid()};

    recorder_open(&recorder, &place);
}

static void test_a_page_can_be_read_by_path(void **state)
{
    static struct recorder_page page;
    int fd;

    (void) state;
    open_in(dir, "");
    assert_true(recorder.shared);
    fd = open(recorder.path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &page, sizeof page, 0), sizeof page);
    close(fd);
    assert_int_equal(page.magic, RECORDER_MAGIC);
    assert_int_equal(page.version, RECORDER_VERSION);
    assert_int_equal(page.page_bytes, sizeof page);
    assert_int_equal(page.pid, getpid());
    assert_true(page.start_ticks > 0 && page.created_us > 0);
}

static void test_the_file_is_ours_alone(void **state)
{
    struct stat stat_buf;

    (void) state;
    open_in(dir, "");
    assert_int_equal(stat(recorder.path, &stat_buf), 0);
    assert_int_equal(stat_buf.st_mode & 0777, 0600);
    assert_true(stat_buf.st_blocks * 512 >= (off_t) sizeof(struct recorder_page)); /* no SIGBUS */
}

static void test_a_directory_that_others_can_enter_is_not_taken(void **state)
{
    (void) state;
    assert_int_equal(chmod(dir, 0755), 0);
    open_in(dir, "");
    assert_false(recorder.shared);
    assert_int_equal(recorder.error, -EPERM);
    assert_non_null(recorder.page); /* there is always something to write to */
    recorder.page->counters.requests++;
}

static void test_a_symbolic_link_is_not_followed(void **state)
{
    char link_path[96];

    (void) state;
    snprintf(link_path, sizeof link_path, "%s/link", dir);
    assert_int_equal(symlink("/dev/shm", link_path), 0);
    open_in(link_path, "");
    assert_false(recorder.shared);
}

static void test_a_name_that_is_taken_is_not_taken_over(void **state)
{
    (void) state;
    open_in(dir, "");
    assert_true(recorder.shared);
    {
        const struct recorder_place place = {.pages = dir, .socket = "", .uid = geteuid()};
        struct recorder second;

        recorder_open(&second, &place);
        assert_false(second.shared);
        assert_int_equal(second.error, -EEXIST);
    }
}

static void test_pages_lie_beside_a_socket_on_tmpfs(void **state)
{
    char socket[96], expected[96];

    (void) state;
    snprintf(socket, sizeof socket, "%s/collector.sock", dir);
    snprintf(expected, sizeof expected, "%s/pages/", dir);
    open_in("", socket);
    assert_true(recorder.shared);
    assert_memory_equal(recorder.path, expected, strlen(expected));
}

static void test_a_file_size_limit_means_no_page_and_no_signal(void **state)
{
    struct rlimit before, limit;

    (void) state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    open_in(dir, "");
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(recorder.shared);
    assert_int_equal(recorder.error, -EFBIG);
}

static void test_a_discarded_page_is_gone(void **state)
{
    char path[PAGE_PATH_BYTES];

    (void) state;
    open_in(dir, "");
    memcpy(path, recorder.path, sizeof path);
    recorder_discard(&recorder);
    assert_int_equal(access(path, F_OK), -1);
    recorder.page->counters.requests++; /* still something to write to */
}

static void test_a_sweep_removes_the_pages_of_one_process_only(void **state)
{
    static const char *const names[] = {"41-7", "410-7", "41-8", "4-1", "41"};
    const struct recorder_place place = {.pages = dir, .socket = "", .uid = geteuid()};
    char path[128];
    int left = 0;

    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
    recorder_sweep(&place, 41);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        left += (access(path, F_OK) == 0) << i;
    }
    assert_int_equal(left, 1 << 1 | 1 << 3 | 1 << 4);
}

static void test_the_slot_that_is_shown_is_never_the_one_that_is_written(void **state)
{
    (void) state;
    open_in(dir, "");
    for (int i = 0; i < 5; i++) {
        struct recorder_request *spare = recorder_spare(&recorder);

        assert_ptr_not_equal(spare, &recorder.page->slots[recorder.page->current]);
        recorder_publish(&recorder, spare);
        assert_ptr_equal(spare, &recorder.page->slots[recorder.page->current]);
    }
}

static void test_wishes_are_heard_once(void **state)
{
    struct recorder_wishes wishes;

    (void) state;
    open_in(dir, "");
    assert_false(recorder_wishes_changed(&recorder, &wishes));
    recorder.page->wishes.interval_bytes = 4711;
    recorder.page->wishes.generation = 9;
    assert_true(recorder_wishes_changed(&recorder, &wishes));
    assert_int_equal(wishes.interval_bytes, 4711);
    assert_false(recorder_wishes_changed(&recorder, &wishes));
}

static void test_growths_go_round(void **state)
{
    (void) state;
    open_in(dir, "");
    for (uint64_t i = 0; i < RECORDER_GROWTHS + 3; i++) {
        struct recorder_growth *entry = recorder_spare_growth(&recorder);

        entry->bytes = i;
        recorder_publish_growth(&recorder);
    }
    assert_int_equal(recorder.page->growth_next, 3);
    assert_int_equal(recorder.page->growths[2].bytes, RECORDER_GROWTHS + 2);
    assert_int_equal(recorder.page->growths[3].bytes, 3);
    recorder.page->growth_next = 0xfffffff0; /* a page is shared: indexes are not believed */
    assert_in_range((uintptr_t) recorder_spare_growth(&recorder),
                    (uintptr_t) &recorder.page->growths[0],
                    (uintptr_t) &recorder.page->growths[RECORDER_GROWTHS - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_page_can_be_read_by_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_file_is_ours_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_directory_that_others_can_enter_is_not_taken, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_symbolic_link_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_name_that_is_taken_is_not_taken_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_pages_lie_beside_a_socket_on_tmpfs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_size_limit_means_no_page_and_no_signal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_discarded_page_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_sweep_removes_the_pages_of_one_process_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_the_slot_that_is_shown_is_never_the_one_that_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wishes_are_heard_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_growths_go_round, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_native_names.c - return addresses of this process get the names that the linker knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <search.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/native_names.h"
#include "ingest/reader_child.h"

static struct native_names *names;
static struct code_map *map;
static char text[NATIVE_NAME_BYTES];

static int setup(void **state)
{
    (void) state;
    assert_int_equal(code_map_read(getpid(), &map), 0);
    return native_names_new(&names);
}

static int teardown(void **state)
{
    (void) state;
    native_names_free(names);
    code_map_free(map);
    return 0;
}

static bool ask(uint64_t pc)
{
    return native_names_text(names, map, pc, text, sizeof text);
}

static void resolve(void)
{
    assert_int_equal(native_names_start(names), 1);
    do {
        struct pollfd wait = {.fd = native_names_fd(names), .events = POLLIN};

        assert_int_equal(poll(&wait, 1, 10000), 1);
    } while (native_names_read(names) == 1);
}

static uint64_t inside(void *function)
{
    return (uint64_t) (uintptr_t) function + 5;
}

static void test_a_place_is_an_offset_first_and_a_name_later(void **state)
{
    (void) state;
    assert_false(ask(inside((void *) lsearch)));
    assert_non_null(strstr(text, "libc.so.6+0x"));
    assert_false(ask(inside((void *) lsearch)));
    resolve();
    assert_true(ask(inside((void *) lsearch)));
    assert_string_equal(text, "lsearch (libc.so.6)");
    assert_int_equal(native_names_start(names), 0);
}

static void test_a_batch_names_many_places_of_many_files(void **state)
{
    (void) state;
    ask(inside((void *) lsearch));
    ask(inside((void *) getsubopt));
    ask(inside((void *) _cmocka_run_group_tests));
    resolve();
    assert_true(ask(inside((void *) getsubopt)));
    assert_non_null(strstr(text, "getsubopt (libc.so.6)"));
    assert_true(ask(inside((void *) _cmocka_run_group_tests)));
    assert_memory_equal(text, "_cmocka_run_group_tests (libcmocka.so", 37);
    assert_true(ask(inside((void *) lsearch)));
    assert_string_equal(text, "lsearch (libc.so.6)");
}

static void test_the_first_byte_behind_a_call_belongs_to_the_caller(void **state)
{
    (void) state;
    /* A return address equal to a function's start: the call was the last thing before it. */
    ask((uint64_t) (uintptr_t) lsearch);
    resolve();
    assert_true(ask((uint64_t) (uintptr_t) lsearch));
    assert_string_not_equal(text, "lsearch (libc.so.6)");
}

static void test_the_same_file_elsewhere_is_known(void **state)
{
    const struct code_row *row = code_map_find(map, inside((void *) lsearch));
    struct code_row moved = *row;
    const struct code_map other = {.count = 1, .rows = &moved};
    const uint64_t shift = 0x10000000;

    (void) state;
    ask(inside((void *) lsearch));
    resolve();
    moved.start += shift;
    moved.end += shift;
    assert_true(
        native_names_text(names, &other, inside((void *) lsearch) + shift, text, sizeof text));
    assert_string_equal(text, "lsearch (libc.so.6)");
}

static void test_what_has_no_file_is_final_at_once(void **state)
{
    (void) state;
    assert_true(ask(0x10));
    assert_string_equal(text, "0xf");
    assert_true(native_names_text(names, NULL, 0x10, text, sizeof text));
}

/* One row that claims to be a file; asked, resolved, and still library + offset. */
static void assert_unnamed(const char *path, uint64_t inode)
{
    struct code_row row = {.start = 0x1000, .end = 0x200000, .inode = inode, .path = path};
    const struct code_map lie = {.count = 1, .rows = &row};

    native_names_text(names, &lie, 0x1101, text, sizeof text);
    resolve();
    assert_true(native_names_text(names, &lie, 0x1101, text, sizeof text));
    assert_non_null(strstr(text, "+0x100"));
}

static void test_files_that_could_be_traps_stay_unnamed(void **state)
{
    char link[] = "/tmp/test_native_names.XXXXXX";
    const int fd = mkstemp(link);

    (void) state;
    assert_true(fd >= 0);
    assert_unnamed("/dev/zero", 1);
    assert_unnamed("/nonexistent/lib.so", 2);
    assert_unnamed("/etc", 3);
    assert_unnamed("/etc/passwd", 4);
    assert_unnamed(link, 5);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("/bin/true", link), 0);
    assert_unnamed(link, 6);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkfifo(link, 0600), 0);
    assert_unnamed(link, 7);
    unlink(link);
    close(fd);
}

static void test_another_inode_on_the_same_device_is_another_file(void **state)
{
    const struct code_row *row = code_map_find(map, inside((void *) lsearch));
    struct code_row replaced = *row;
    const struct code_map other = {.count = 1, .rows = &replaced};
    struct stat file;

    (void) state;
    if (stat(row->path, &file) != 0 || file.st_ino != row->inode)
        skip(); /* a layered file system: inodes mean nothing here */
    replaced.inode++;
    native_names_text(names, &other, inside((void *) lsearch), text, sizeof text);
    resolve();
    assert_true(native_names_text(names, &other, inside((void *) lsearch), text, sizeof text));
    assert_non_null(strstr(text, "libc.so.6+0x"));
}

static void test_more_questions_than_a_batch_holds_wait_for_the_next(void **state)
{
    struct code_row row = {.start = 0x1000, .end = 0x4000000, .inode = 9, .path = "/none.so"};
    const struct code_map one = {.count = 1, .rows = &row};
    unsigned known = 0;

    (void) state;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 1500; i++)
            native_names_text(names, &one, 0x2000 + 16 * i, text, sizeof text);
        resolve();
    }
    for (uint64_t i = 0; i < 1500; i++)
        known += native_names_text(names, &one, 0x2000 + 16 * i, text, sizeof text);
    assert_int_equal(known, 1500);
}

/* ---- the child itself ---- */

static struct reader_child child;

static int wait_for_answer(reader_child_fn run)
{
    int r;

    assert_int_equal(reader_child_start(&child, run, "asked"), 0);
    do {
        struct pollfd wait = {.fd = child.fd, .events = POLLIN};

        poll(&wait, 1, 10000);
        r = reader_child_read(&child);
    } while (r == 1);
    return r;
}

static void say(const void *arg, FILE *out)
{
    fprintf(out, "%s", (const char *) arg);
}

static void hang(const void *arg, FILE *out)
{
    (void) arg, (void) out;
    for (;;)
        ;
}

static void talk_for_ever(const void *arg, FILE *out)
{
    for (;;)
        say(arg, out);
}

static void try_everything(const void *arg, FILE *out)
{
    const pid_t pid = fork();

    (void) arg;
    if (pid == 0)
        _exit(0);
    fprintf(out, "%s %s %s", pid < 0 ? "no fork" : "fork",
            kill(getpid(), 0) < 0 && errno == EPERM ? "no kill" : "kill",
            socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? "no socket" : "socket");
}

static void test_a_child_answers_within_its_bounds(void **state)
{
    (void) state;
    assert_int_equal(wait_for_answer(say), 0);
    assert_true(slice_equal(reader_child_answer(&child), SLICE("asked")));
    reader_child_release(&child);
}

static void test_a_child_s_pipe_stays_open_until_its_watch_is_gone(void **state)
{
    (void) state;
    assert_int_equal(wait_for_answer(say), 0);
    const int fd = child.fd;
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(reader_child_read(&child), 0); /* asked once more */
    reader_child_release(&child);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_a_child_that_hangs_is_gone_after_its_deadline(void **state)
{
    (void) state;
    assert_int_equal(wait_for_answer(hang), 0);
    assert_int_equal(child.answer_len_bytes, 0);
    reader_child_release(&child);
}

static void test_a_child_that_talks_for_ever_is_ended(void **state)
{
    (void) state;
    assert_int_equal(wait_for_answer(talk_for_ever), -E2BIG);
    assert_true(child.answer_len_bytes <= READER_CHILD_ANSWER_MAX_BYTES);
    reader_child_release(&child);
}

static void test_a_child_can_neither_fork_nor_connect(void **state)
{
    (void) state;
    assert_int_equal(wait_for_answer(try_everything), 0);
    assert_int_equal(slice_find(reader_child_answer(&child), SLICE("no fork no kill no socket")),
                     0);
    reader_child_release(&child);
}

#define NAMES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(test_a_place_is_an_offset_first_and_a_name_later),
        NAMES_TEST(test_a_batch_names_many_places_of_many_files),
        NAMES_TEST(test_the_first_byte_behind_a_call_belongs_to_the_caller),
        NAMES_TEST(test_the_same_file_elsewhere_is_known),
        NAMES_TEST(test_what_has_no_file_is_final_at_once),
        NAMES_TEST(test_files_that_could_be_traps_stay_unnamed),
        NAMES_TEST(test_another_inode_on_the_same_device_is_another_file),
        NAMES_TEST(test_more_questions_than_a_batch_holds_wait_for_the_next),
        cmocka_unit_test(test_a_child_answers_within_its_bounds),
        cmocka_unit_test(test_a_child_s_pipe_stays_open_until_its_watch_is_gone),
        cmocka_unit_test(test_a_child_that_hangs_is_gone_after_its_deadline),
        cmocka_unit_test(test_a_child_that_talks_for_ever_is_ended),
        cmocka_unit_test(test_a_child_can_neither_fork_nor_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

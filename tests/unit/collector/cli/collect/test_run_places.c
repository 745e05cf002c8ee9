/* test_run_places.c - what a killed run left is removed; what may be somebody's is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "cli/collect/run_places.h"

static char parent[64]; /* no process has the number 4194304: it is the kernel's ceiling */

static int setup(void **state)
{
    (void) state;
    snprintf(parent, sizeof parent, "/tmp/fpmscope-places.XXXXXX");
    return mkdtemp(parent) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];

    (void) state;
    snprintf(command, sizeof command, "rm -rf '%s'", parent);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", parent, name);
    return path;
}

static void make(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0700), 0);
}

static void put(const char *name)
{
    int fd = open(path_of(name), O_CREAT | O_EXCL | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(const char *name)
{
    struct stat status;

    return lstat(path_of(name), &status) == 0;
}

static void test_the_directory_of_a_dead_run_goes_with_its_pages(void **state)
{
    (void) state;
    make("run-4194304");
    put("run-4194304/4194304-77");
    put("run-4194304/4194303-5");
    make("run-4194303");
    assert_int_equal(run_places_sweep(parent), 2);
    assert_false(is_there("run-4194304"));
    assert_false(is_there("run-4194303"));
}

static void test_what_a_run_holds_stays_whoever_has_its_number(void **state)
{
    (void) state;
    make("run-4194304"); /* of another pid namespace */
    int fd = open(path_of("run-4194304"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(run_places_sweep(parent), 0);
    close(fd);
    assert_int_equal(run_places_sweep(parent), 1);
}

static void test_a_run_that_has_not_locked_its_directory_yet_keeps_it(void **state)
{
    char name[32];
    int to_child[2];

    (void) state;
    assert_int_equal(pipe(to_child), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;

        close(to_child[1]);
        _exit(read(to_child[0], &byte, 1) < 0);
    }
    snprintf(name, sizeof name, "run-%d", (int) child);
    make(name);
    assert_int_equal(run_places_sweep(parent), 0);
    close(to_child[0]);
    close(to_child[1]);
    waitpid(child, NULL, 0);
    assert_int_equal(run_places_sweep(parent), 1);
}

static void test_a_number_that_another_program_has_now_is_no_run(void **state)
{
    char name[256] = "";
    int ready[2];

    (void) state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(execlp("sleep", "sleep", "60", NULL));
    close(ready[1]);
    assert_int_equal(read(ready[0], name, 1), 0); /* it is another program now */
    close(ready[0]);
    snprintf(name, sizeof name, "run-%d", (int) child);
    make(name);
    size_t swept = run_places_sweep(parent);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(swept, 1);
}

static void test_a_leftover_with_our_own_number_goes_and_ours_is_held(void **state)
{
    char name[32], page[64], path[256];

    (void) state;
    snprintf(name, sizeof name, "run-%d", (int) getpid());
    snprintf(page, sizeof page, "%s/4194304-77", name);
    make(name);
    put(page);
    assert_int_equal(run_places_sweep(parent), 1);
    int fd = run_places_make(parent, path, sizeof path);
    assert_true(fd >= 0);
    assert_string_equal(path, path_of(name));
    assert_int_equal(run_places_sweep(parent), 0);
    assert_true(is_there(name));
    close(fd);
}

static void test_pages_of_living_workers_keep_it(void **state)
{
    struct process_stat self;
    char page[96];

    (void) state;
    assert_int_equal(process_stat(getpid(), &self), 0);
    make("run-4194304");
    snprintf(page, sizeof page, "run-4194304/%d-%llu", (int) getpid(),
             (unsigned long long) self.start_ticks);
    put(page);
    put("run-4194304/4194304-77");
    assert_int_equal(run_places_sweep(parent), 0);
    assert_true(is_there(page));
    assert_true(is_there("run-4194304/4194304-77"));
}

static void test_what_is_no_page_stays(void **state)
{
    (void) state;
    make("run-4194304");
    put("run-4194304/notes.txt");
    assert_int_equal(run_places_sweep(parent), 0);
    assert_true(is_there("run-4194304/notes.txt"));
}

static void test_links_are_not_followed(void **state)
{
    (void) state;
    make("precious");
    put("precious/4194304-77");
    assert_int_equal(symlink("precious", path_of("run-4194304")), 0);
    make("run-4194303");
    assert_int_equal(symlink("../precious/4194304-77", path_of("run-4194303/4194304-78")), 0);
    assert_int_equal(run_places_sweep(parent), 1);
    assert_true(is_there("run-4194304"));
    assert_true(is_there("precious/4194304-77"));
}

static void test_what_others_may_have_filled_is_left_alone(void **state)
{
    (void) state;
    make("run-4194304");
    chmod(path_of("run-4194304"), 0777);
    assert_int_equal(run_places_sweep(parent), 0);
    chmod(path_of("run-4194304"), 0700);
    chmod(parent, 0777);
    assert_int_equal(run_places_sweep(parent), 0);
    chmod(parent, 0700);
    if (geteuid() == 0) {
        assert_int_equal(chown(path_of("run-4194304"), 65534, 65534), 0);
        assert_int_equal(run_places_sweep(parent), 0);
        assert_int_equal(chown(path_of("run-4194304"), 0, 0), 0);
    }
    assert_int_equal(run_places_sweep(parent), 1);
}

static void test_what_is_called_otherwise_is_left_alone(void **state)
{
    static const char *const names[] = {
        "pages",      "run-", "run-x", "run-41943x", "run-0", "run--1", "run-99999999999999999999",
        "RUN-4194304"};

    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        make(names[i]);
    assert_int_equal(run_places_sweep(parent), 0);
    assert_int_equal(run_places_sweep("/nowhere/at/all"), 0);
}

/* Bound and, with `listens`, listening. */
static int put_socket(const char *name, bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    assert_true(strlen(path_of(name)) < sizeof address.sun_path);
    memcpy(address.sun_path, path_of(name), strlen(path_of(name)) + 1);
    assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal(listens ? listen(fd, 1) : 0, 0);
    return fd;
}

static void test_a_socket_on_which_nobody_listens_goes_and_no_other(void **state)
{
    (void) state;
    close(put_socket("run-4194304.sock", true));
    close(put_socket("collector.sock", true));
    int living = put_socket("run-4194303.sock", true);
    put("run-4194302.sock"); /* a file */
    assert_int_equal(symlink("collector.sock", path_of("run-4194301.sock")), 0);
    assert_int_equal(run_places_sweep_sockets(parent), 1);
    assert_false(is_there("run-4194304.sock"));
    assert_true(is_there("collector.sock") && is_there("run-4194303.sock"));
    assert_true(is_there("run-4194302.sock") && is_there("run-4194301.sock"));
    close(living);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_directory_of_a_dead_run_goes_with_its_pages),
        TEST(test_what_a_run_holds_stays_whoever_has_its_number),
        TEST(test_a_run_that_has_not_locked_its_directory_yet_keeps_it),
        TEST(test_a_number_that_another_program_has_now_is_no_run),
        TEST(test_a_leftover_with_our_own_number_goes_and_ours_is_held),
        TEST(test_pages_of_living_workers_keep_it),
        TEST(test_what_is_no_page_stays),
        TEST(test_links_are_not_followed),
        TEST(test_what_others_may_have_filled_is_left_alone),
        TEST(test_what_is_called_otherwise_is_left_alone),
        TEST(test_a_socket_on_which_nobody_listens_goes_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

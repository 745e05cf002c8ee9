/* test_command_output.c - other programs are asked with a deadline, and not everybody's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/input/command_output.h"
#include "cli/input/small_file.h"

static int ask_shell(char *script, struct slice *ret_text)
{
    char name[] = "sh", option[] = "-c";
    char *const argv[] = {name, option, script, NULL};
    const int fd = command_open("/bin/sh");
    int r;

    assert_true(fd >= 0);
    r = command_output(fd, argv, ret_text);
    close(fd);
    return r;
}

static void test_output_and_exit_status_come_back(void **state)
{
    char script[] = "echo hello; echo no >&2; exit 3";
    struct slice text;

    (void) state;
    assert_int_equal(ask_shell(script, &text), 3);
    assert_string_equal(text.ptr, "hello\n");
    small_file_free(&text);
}

static void test_the_child_gets_nothing_of_our_environment(void **state)
{
    char script[] = "echo \"$LD_PRELOAD$SECRET\"";
    struct slice text;

    (void) state;
    setenv("SECRET", "x", 1);
    assert_int_equal(ask_shell(script, &text), 0);
    assert_string_equal(text.ptr, "\n");
    small_file_free(&text);
}

static void test_a_program_that_hangs_is_ended_with_its_children(void **state)
{
    char script[] = "echo begun; sleep 60 & sleep 60";
    struct timespec begin, end;
    struct slice text;

    (void) state;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(ask_shell(script, &text), -ETIME);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - begin.tv_sec < 15);
    assert_string_equal(text.ptr, "begun\n");
    small_file_free(&text);
}

static void test_endless_output_is_cut(void **state)
{
    char script[] = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done";
    struct slice text;

    (void) state;
    (void) ask_shell(script, &text);
    assert_true(text.len_bytes <= COMMAND_OUTPUT_MAX_BYTES);
    small_file_free(&text);
}

static void test_a_program_that_others_may_write_is_not_run(void **state)
{
    char path[] = "/tmp/fpmscope-test-XXXXXX";
    const int fd = mkstemp(path);

    (void) state;
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0777), 0);
    assert_int_equal(command_open(path), -EACCES);
    assert_int_equal(fchmod(fd, 0755), 0);
    const int program = command_open(path);
    assert_true(program >= 0);
    close(program);
    close(fd);
    unlink(path);
    assert_int_equal(command_open(path), -ESRCH);
}

static void test_the_program_of_a_process_is_opened_by_its_own_name_only(void **state)
{
    const int program = command_open_of_process(getpid(), "test_command");

    (void) state;
    assert_true(program >= 0);
    close(program);
    assert_int_equal(command_open_of_process(getpid(), "nginx"), -EACCES);
    assert_int_equal(command_open_of_process(INT32_MAX, "nginx"), -ESRCH);
}

static void test_the_program_of_another_user_is_not_run_even_when_root_wrote_it(void **state)
{
    int ready[2];

    (void) state;
    if (geteuid() != 0) /* only root can make a process of another user */
        skip();
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const int r = setresuid(65534, (uid_t) -1, (uid_t) -1); /* as a setuid program is */

        (void) !write(ready[1], &r, sizeof r);
        pause();
        _exit(0);
    }
    int r = -1;
    assert_int_equal(read(ready[0], &r, sizeof r), sizeof r);
    assert_int_equal(r, 0);
    r = command_open_of_process(child, "test_command");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(r, -EACCES);
}

static void test_small_files_are_cut_and_what_is_no_file_is_refused(void **state)
{
    char path[] = "/tmp/fpmscope-test-XXXXXX";
    const int fd = mkstemp(path);
    struct slice text;

    (void) state;
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    assert_int_equal(small_file_read(path, 4, &text), 0);
    assert_string_equal(text.ptr, "0123");
    small_file_free(&text);
    assert_int_equal(small_file_read_tail(path, 4, &text), 0);
    assert_string_equal(text.ptr, "6789");
    small_file_free(&text);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(small_file_read(path, 4, &text), -EINVAL); /* and does not wait */
    unlink(path);
    assert_int_equal(small_file_read("/tmp", 4, &text), -EISDIR);
    assert_int_equal(small_file_read_proc(getpid(), "comm", 64, &text), 0);
    assert_true(text.len_bytes > 0);
    small_file_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_exit_status_come_back),
        cmocka_unit_test(test_the_child_gets_nothing_of_our_environment),
        cmocka_unit_test(test_a_program_that_hangs_is_ended_with_its_children),
        cmocka_unit_test(test_endless_output_is_cut),
        cmocka_unit_test(test_a_program_that_others_may_write_is_not_run),
        cmocka_unit_test(test_the_program_of_a_process_is_opened_by_its_own_name_only),
        cmocka_unit_test(test_the_program_of_another_user_is_not_run_even_when_root_wrote_it),
        cmocka_unit_test(test_small_files_are_cut_and_what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_masters_running.c - a master that opens a log while it runs is seen to have been reloaded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/input/masters_running.h"

struct master {
    pid_t pid;
    int to_fd, from_fd;
};

/* Called as a master is; each line that it reads makes it open the file. */
static struct master start_master(const char *path)
{
    int to[2], from[2];

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execl("/bin/sh", "nginx: master process test", "-c",
              "echo; read line; exec 9>>\"$0\"; echo; read line", path, NULL);
        _exit(1);
    }
    close(to[0]);
    close(from[1]);
    return (struct master){.pid = pid, .to_fd = to[1], .from_fd = from[0]};
}

static void wait_for_line(const struct master *master)
{
    char byte;

    assert_int_equal(read(master->from_fd, &byte, 1), 1);
}

static void test_a_log_that_a_master_opens_changes_the_mark_of_files(void **state)
{
    char path[64];

    (void) state;
    snprintf(path, sizeof path, "/tmp/fpmscope-masters-%d.log", (int) getpid());
    struct master master = start_master(path);
    wait_for_line(&master);
    const struct masters_mark before = masters_running_mark();
    assert_int_equal(write(master.to_fd, "\n", 1), 1);
    wait_for_line(&master);
    const struct masters_mark after = masters_running_mark();
    kill(master.pid, SIGKILL);
    waitpid(master.pid, NULL, 0);
    unlink(path);
    close(master.to_fd);
    close(master.from_fd);
    assert_true(after.files != before.files);
    assert_true(masters_running_mark().masters != after.masters); /* it is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_log_that_a_master_opens_changes_the_mark_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

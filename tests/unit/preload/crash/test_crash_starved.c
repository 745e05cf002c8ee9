/*
 * test_crash_starved.c - a crash handler that gets no CPU before its deadline.
 *
 * The parent traces the child and lets it stand still behind the system call that opens the door to
 * the deadline's signal; when it goes on, its time is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crash/crash.h"

static struct recorder_page *page;

__attribute__((no_sanitize("undefined"), no_sanitize("address"))) static void write_to_null(void)
{
    *(volatile int *volatile) NULL = 1;
}

static void crash_under_trace(void)
{
    const struct crash_sources sources = {.page = page};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};

    sigaction(SIGSEGV, &by_default, NULL);
    if (crash_install(&sources) == 0 && ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
        write_to_null();
    _exit(0);
}

static bool enters(pid_t pid, uint64_t call)
{
    struct __ptrace_syscall_info info;

    return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 &&
           info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == call;
}

/* The wait status of a child that is held up, once, for twice the deadline. */
static int status_of_starved(pid_t pid)
{
    enum { AT_SYSCALL = SIGTRAP | 0x80 };
    bool is_held_up = false;
    int status;

    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        const bool is_call = WSTOPSIG(status) == AT_SYSCALL;

        ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
        if (is_call && !is_held_up && enters(pid, SYS_rt_sigprocmask)) {
            is_held_up = true;
            usleep(2000 * CRASH_DEADLINE_MS);
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, is_call ? 0 : WSTOPSIG(status));
    }
    assert_true(is_held_up);
    return status;
}

static void test_a_handler_that_gets_no_cpu_in_time_has_told_the_signal(void **state)
{
    (void) state;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    page->slots[0].seq = 5;
    page->slots[0].phase = RECORDER_RUNNING;
    const pid_t pid = fork();
    if (pid == 0)
        crash_under_trace();
    const int status = status_of_starved(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_int_equal(page->crash.state, RECORDER_CRASH_BEGUN);
    assert_int_equal(page->crash.signo, SIGSEGV);
    assert_int_equal(page->crash.seq, 5);
    munmap(page, sizeof *page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handler_that_gets_no_cpu_in_time_has_told_the_signal),
    };
#ifdef __SANITIZE_THREAD__
    (void) tests;
    puts("skipped: this sanitizer puts its own code between a fault and its handler");
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}

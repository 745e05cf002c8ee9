/* crash_deadline.c - the timer behind the crash handler. */
#include "crash/crash_deadline.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "crash/crash.h"

#include "banned.h"

/* One crash per process: these belong to the handler that runs. */
static struct {
    int signo;
    const siginfo_t *info;
    int timer_id; /* the kernel's, not glibc's timer_t */
    bool armed;
    struct sigaction previous;
} deadline;

void crash_send_again(int signo, const siginfo_t *info)
{
    siginfo_t again = *info;

    /* To itself a thread may forge any siginfo: sender and code stay what they were. */
    syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signo, &again);
}

static void unblock(int signo)
{
    uint64_t set = (uint64_t) 1 << (signo - 1);

    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof set);
}

void crash_die(int signo, const siginfo_t *info)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};

    sigaction(signo, &by_default, NULL);
    crash_send_again(signo, info);
    unblock(signo);
    for (;;) /* not reached: the signal is pending and nothing holds it */
        syscall(SYS_kill, getpid(), SIGKILL);
}

static void on_deadline(int signo)
{
    (void) signo;
    crash_die(deadline.signo, deadline.info);
}

void crash_deadline_arm(int signo, const siginfo_t *info)
{
    const struct sigaction action = {.sa_handler = on_deadline, .sa_flags = SA_ONSTACK};
    const struct itimerspec when = {.it_value = {.tv_nsec = CRASH_DEADLINE_MS * 1000000L}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};

    event._sigev_un._tid = (pid_t) syscall(SYS_gettid);
    deadline.signo = signo;
    deadline.info = info;
    if (sigaction(SIGALRM, &action, &deadline.previous) != 0)
        return;
    /* By system call: timer_create() of glibc 2.34 and later does not exist in 2.31. */
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &deadline.timer_id) != 0) {
        sigaction(SIGALRM, &deadline.previous, NULL);
        return;
    }
    deadline.armed = true;
    syscall(SYS_timer_settime, deadline.timer_id, 0, &when, NULL);
    unblock(SIGALRM);
}

void crash_deadline_disarm(void)
{
    if (!deadline.armed)
        return;
    deadline.armed = false;
    syscall(SYS_timer_delete, deadline.timer_id);
    sigaction(SIGALRM, &deadline.previous, NULL);
}

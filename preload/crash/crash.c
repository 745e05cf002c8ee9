/*
 * crash.c - install the handlers, take the report, hand the signal on.
 *
 * A process crashes once.  `stage` says how far it has come:
 *
 *   WATCHING   nothing happened yet
 *   REPORTING  one thread (`reporter`) is in the handler; a fault of the same thread now is our own
 *              mistake or garbage that got past the guards: die of the first signal
 *   DONE       the report is out; further signals only pass through
 */
#include "crash/crash.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "crash/crash_copy.h"
#include "crash/crash_deadline.h"
#include "fpmscope/wire_codec.h"

#include "banned.h"

static const int watched_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

enum {
    WATCHED = sizeof watched_signals / sizeof *watched_signals,
    USABLE_ALTERNATE_STACK_BYTES = 32 * 1024, /* another tool's is kept from this size on */
    MESSAGE_PHP_BYTES = 15 * 1024,            /* of the PHP stack, whole lines */
};

enum stage { WATCHING, REPORTING, DONE };

static struct {
    struct crash_sources sources;
    pid_t pid; /* of the worker; 0: not installed */
    int stage;
    pid_t reporter;
    int signo; /* of the crash being reported */
    siginfo_t info;
    struct sigaction previous[WATCHED];
    uint8_t packet[WIRE_PACKET_MAX_BYTES];
    uint8_t alternate_stack[CRASH_ALTERNATE_STACK_BYTES];
} crash;

SIGNAL_SAFE static void send_message(const struct recorder_crash *report)
{
    const int fd = crash.sources.socket_fd ? *crash.sources.socket_fd : -1;
    struct wire_crash msg = {
        .seq = report->seq,
        .time_us = report->time_us,
        .signo = report->signo,
        .code = report->code,
        .address = report->address,
        .ip = report->ip,
        .sp = report->sp,
        .sender = report->sender,
        .in_request = report->in_request != 0,
        .response_sent = report->response_sent != 0,
        .php = {.ptr = report->php},
    };
    uint32_t php_len = report->php_len_bytes;
    size_t len;

    if (fd < 0)
        return;
    while (php_len > MESSAGE_PHP_BYTES || (php_len > 0 && report->php[php_len - 1] != '\n'))
        php_len--;
    msg.php.len_bytes = (uint16_t) php_len;
    len = wire_encode(&wire_messages[WIRE_INDEX_CRASH], &msg, crash.packet, sizeof crash.packet);
    send(fd, crash.packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

SIGNAL_SAFE static void report_the_rest(void)
{
    struct recorder_crash *report = &crash.sources.page->crash;

    report->php_len_bytes =
        (uint32_t) crash_copy_php(&crash.sources, report->php, sizeof report->php);
    report->stack_len_bytes = (uint32_t) crash_copy_stack(
        (uintptr_t) report->sp, report->stack, sizeof report->stack, &report->stack_address);
    report->maps_len_bytes = (uint32_t) crash_copy_maps(report->maps, sizeof report->maps);
    __atomic_store_n(&report->state, RECORDER_CRASH_COMPLETE, __ATOMIC_RELEASE);
    send_message(report);
}

/* Another thread crashed first: let it finish, its end is the end of the process. */
static void wait_for_the_reporter(void)
{
    const struct timespec step = {.tv_nsec = 10 * 1000000L};

    for (int ms = 0; ms < 2 * CRASH_DEADLINE_MS; ms += 10) {
        if (__atomic_load_n(&crash.stage, __ATOMIC_ACQUIRE) == DONE)
            return;
        syscall(SYS_nanosleep, &step, NULL);
    }
}

/* True: the caller is the one to report. */
static bool enter(int signo, const siginfo_t *info)
{
    const pid_t self = (pid_t) syscall(SYS_gettid);
    int expected = WATCHING;

    if (__atomic_compare_exchange_n(&crash.stage, &expected, REPORTING, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        crash.signo = signo;
        crash.info = *info;
        __atomic_store_n(&crash.reporter, self, __ATOMIC_RELEASE);
        return true;
    }
    if (expected == REPORTING) {
        if (__atomic_load_n(&crash.reporter, __ATOMIC_ACQUIRE) == self)
            crash_die(crash.signo, &crash.info);
        wait_for_the_reporter();
    }
    return false;
}

static void restore_action(int signo)
{
    for (int i = 0; i < WATCHED; i++)
        if (watched_signals[i] == signo)
            sigaction(signo, &crash.previous[i], NULL);
}

/* Will the instruction fault again when the handler returns? */
static bool happens_again(const siginfo_t *info)
{
    return info->si_code > 0 && !(info->si_signo == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

SIGNAL_SAFE static void crash_on_signal(int signo, siginfo_t *info, void *context)
{
    const int saved_errno = errno;

    /* A child forked by a script has our handlers and the worker's page: it is not a worker. */
    if (getpid() == crash.pid && enter(signo, info)) {
        /* Before the clock runs: whoever gets no CPU for so long has told the signal at least. */
        crash_copy_signal(crash.sources.page, signo, info, context);
        crash_deadline_arm(crash.signo, &crash.info);
        report_the_rest();
        crash_deadline_disarm();
        __atomic_store_n(&crash.stage, DONE, __ATOMIC_RELEASE);
    }
    restore_action(signo);
    if (!happens_again(info))
        crash_send_again(signo, info);
    errno = saved_errno;
}

/* A SIGTERM in the middle of the report would end it.  The watched ones stay open: a fault in the
 * handler must come back to us, or the kernel kills with the wrong signal; so does the deadline. */
static void block_the_others(sigset_t *ret_mask)
{
    memset(ret_mask, 0xff, sizeof *ret_mask);
    sigdelset(ret_mask, SIGALRM);
    for (int i = 0; i < WATCHED; i++)
        sigdelset(ret_mask, watched_signals[i]);
}

static int install_alternate_stack(void)
{
    const stack_t own = {.ss_sp = crash.alternate_stack, .ss_size = sizeof crash.alternate_stack};
    stack_t existing;

    if (sigaltstack(NULL, &existing) == 0 && (existing.ss_flags & SS_DISABLE) == 0 &&
        existing.ss_size >= USABLE_ALTERNATE_STACK_BYTES)
        return 0;
    return sigaltstack(&own, NULL) == 0 ? 0 : -errno;
}

int crash_install(const struct crash_sources *sources)
{
    struct sigaction action = {
        .sa_sigaction = crash_on_signal,
        .sa_flags = SA_SIGINFO | SA_ONSTACK,
    };
    const int r = install_alternate_stack();

    if (r < 0)
        return r;
    crash.sources = *sources;
    crash.pid = getpid();
    block_the_others(&action.sa_mask);
    for (int i = 0; i < WATCHED; i++) {
        struct sigaction *previous = &crash.previous[i];

        /* Who ignores a signal lives on after it: nothing to report. */
        if (sigaction(watched_signals[i], NULL, previous) == 0 && previous->sa_handler != SIG_IGN)
            sigaction(watched_signals[i], &action, NULL);
    }
    return 0;
}

void crash_disarm(void)
{
    struct sigaction current;

    if (crash.pid == 0)
        return;
    crash.pid = 0;
    for (int i = 0; i < WATCHED; i++)
        if (sigaction(watched_signals[i], NULL, &current) == 0 &&
            current.sa_sigaction == crash_on_signal)
            sigaction(watched_signals[i], &crash.previous[i], NULL);
}

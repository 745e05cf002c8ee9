/*
 * test_crash.c - a child crashes for real; the parent looks at its end, its page and its message.
 *
 * What must hold everywhere: the wait status is the one that the crash has without the shim.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../stack/fake_php.h"
#include "crash/crash.h"
#include "crash/crash_deadline.h"
#include "fpmscope/wire_codec.h"

static struct recorder_page *page;
static struct fake_php php;
static int sockets[2];
static struct crash_sources sources;
static struct wire_crash message;
static uint8_t packet[WIRE_PACKET_MAX_BYTES];

static int setup(void **state)
{
    (void) state;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sockets), 0);
    fake_php_init(&php, "8.2");
    fake_call(&php, fake_function(&php, 2, NULL, NULL, "/srv/index.php"), 7);
    fake_call(&php, fake_function(&php, 2, "pay", "Shop\\Till", "/srv/Till.php"), 12);
    page->current = 1;
    page->slots[1].seq = 5;
    page->slots[1].phase = RECORDER_RUNNING;
    sources = (struct crash_sources){
        .page = page,
        .engine = &php.engine,
        .layout = &php.layout,
        .socket_fd = &sockets[1],
    };
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    munmap(page, sizeof *page);
    close(sockets[0]);
    close(sockets[1]);
    return 0;
}

/* Cores go where the machine sends them, but not into the working directory of the tests. */
static void allow_a_core(void)
{
    const struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = 64 << 20};

    if (chdir("/tmp") == 0)
        setrlimit(RLIMIT_CORE, &limit);
}

static int status_with(bool handlers, bool core, void (*crash)(void))
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    const pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        for (int signo = 1; signo < NSIG; signo++)
            sigaction(signo, &by_default, NULL); /* cmocka's and the sanitizer's */
        if (core)
            allow_a_core();
        if (!handlers || crash_install(&sources) == 0)
            crash();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WCOREDUMP(status)) {
        char name[64];

        snprintf(name, sizeof name, "/tmp/core.%d", (int) pid);
        unlink(name);
        unlink("/tmp/core");
    }
    return status;
}

/* The wait status of a child in which `crash` runs with the handlers installed. */
static int status_of(void (*crash)(void))
{
    return status_with(true, false, crash);
}

static void assert_killed_by(void (*crash)(void), int signo)
{
    const int status = status_of(crash);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signo);
}

static bool receive(void)
{
    const ssize_t len = recv(sockets[0], packet, sizeof packet, 0);

    return len > 0 && wire_decode(&wire_messages[WIRE_INDEX_CRASH], packet, (size_t) len, &message);
}

__attribute__((no_sanitize("undefined"), no_sanitize("address"))) static void write_to_null(void)
{
    *(volatile int *volatile) NULL = 1;
}

static void test_a_segfault_leaves_its_evidence_and_its_signal(void **state)
{
    static const char php_text[] = "pay\tShop\\Till\t/srv/Till.php:12\n\t\t/srv/index.php:7\n";
    const struct recorder_crash *crash = &page->crash;

    (void) state;
    assert_killed_by(write_to_null, SIGSEGV);
    assert_int_equal(crash->state, RECORDER_CRASH_COMPLETE);
    assert_int_equal(crash->signo, SIGSEGV);
    assert_int_equal(crash->code, SEGV_MAPERR);
    assert_int_equal(crash->address, 0);
    assert_int_equal(crash->sender, 0);
    assert_int_equal(crash->seq, 5);
    assert_int_equal(crash->in_request, 1);
    assert_int_equal(crash->response_sent, 0);
    assert_int_equal(crash->php_len_bytes, sizeof php_text - 1);
    assert_memory_equal(crash->php, php_text, sizeof php_text - 1);
    assert_in_range(crash->ip, (uintptr_t) write_to_null, (uintptr_t) write_to_null + 256);
    assert_true(crash->stack_len_bytes > 256);
    assert_in_range(crash->stack_address, crash->sp - 136, crash->sp);
}

static void test_the_message_says_what_the_page_says(void **state)
{
    (void) state;
    page->slots[1].phase = RECORDER_ANSWERED;
    assert_killed_by(write_to_null, SIGSEGV);
    assert_true(receive());
    assert_int_equal(message.signo, SIGSEGV);
    assert_int_equal(message.seq, 5);
    assert_int_equal(message.ip, page->crash.ip);
    assert_int_equal(message.sp, page->crash.sp);
    assert_int_equal(message.response_sent, 1);
    assert_int_equal(message.php.len_bytes, page->crash.php_len_bytes);
    assert_memory_equal(message.php.ptr, page->crash.php, message.php.len_bytes);
    assert_false(receive());
}

static void test_the_map_holds_executable_rows_only(void **state)
{
    char *text;
    bool found_libc = false;

    (void) state;
    assert_killed_by(write_to_null, SIGSEGV);
    text = strndup(page->crash.maps, page->crash.maps_len_bytes);
    assert_int_equal(text[page->crash.maps_len_bytes - 1], '\n');
    for (char *row = strtok(text, "\n"); row; row = strtok(NULL, "\n")) {
        assert_int_equal(strchr(row, ' ')[3], 'x');
        found_libc |= strstr(row, "libc.so.6") != NULL;
    }
    assert_true(found_libc);
    free(text);
}

static void call_abort(void)
{
    abort();
}

static void test_abort_stays_an_abort_sent_by_itself(void **state)
{
    (void) state;
    assert_killed_by(call_abort, SIGABRT);
    assert_true(receive());
    assert_int_equal(message.signo, SIGABRT);
    assert_int_equal(message.code, SI_TKILL);
    assert_true(message.sender != 0 && message.sender != (uint32_t) getpid());
}

static void wait_for_a_signal(void)
{
    for (int i = 0; i < 100; i++) {
        kill(getppid(), 0);
        usleep(10 * 1000);
    }
}

static void test_a_fatal_signal_from_outside_names_its_sender(void **state)
{
    const pid_t pid = fork();
    int status;

    (void) state;
    if (pid == 0) {
        signal(SIGBUS, SIG_DFL);
        crash_install(&sources);
        page->created_us = 1;
        wait_for_a_signal();
        _exit(0);
    }
    while (*(volatile int64_t *) &page->created_us == 0)
        usleep(1000);
    kill(pid, SIGBUS);
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    assert_int_equal(page->crash.sender, getpid());
    assert_int_equal(page->crash.code, SI_USER);
}

static void divide_by_zero(void)
{
    volatile int zero = 0;

    __asm__ volatile("" : : "r"(zero));
#if defined(__x86_64__)
    __asm__ volatile("xorl %%edx, %%edx; movl $1, %%eax; idivl %0" : : "m"(zero) : "eax", "edx");
#else
    kill(getpid(), SIGFPE);
#endif
}

static void run_an_illegal_instruction(void)
{
    __builtin_trap();
}

static void read_behind_the_end_of_a_file(void)
{
    char name[] = "/tmp/test_crash.XXXXXX";
    const int fd = mkstemp(name);
    volatile char *map;

    unlink(name);
    if (ftruncate(fd, 4096) != 0)
        return;
    map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (ftruncate(fd, 0) == 0)
        (void) map[10];
}

static void test_each_kind_of_fault_keeps_its_signal(void **state)
{
    (void) state;
    assert_killed_by(divide_by_zero, SIGFPE);
    assert_int_equal(page->crash.signo, SIGFPE);
    assert_killed_by(run_an_illegal_instruction, SIGILL);
    assert_int_equal(page->crash.signo, SIGILL);
    assert_killed_by(read_behind_the_end_of_a_file, SIGBUS);
    assert_int_equal(page->crash.signo, SIGBUS);
}

static int recurse(volatile int depth)
{
    volatile char room[512];

    memset((char *) room, depth, sizeof room);
    return (depth < 0 ? 0 : recurse(depth + 1)) + room[depth % 512];
}

static void overflow_the_stack(void)
{
    recurse(0);
}

static void test_a_stack_overflow_is_reported_from_the_alternate_stack(void **state)
{
    const struct recorder_crash *crash = &page->crash;

    (void) state;
    assert_killed_by(overflow_the_stack, SIGSEGV);
    assert_int_equal(crash->state, RECORDER_CRASH_COMPLETE);
    assert_true(crash->address + 65536 - crash->sp < 2 * 65536);
    assert_int_equal(crash->stack_len_bytes, sizeof crash->stack);
}

static void exit_42(int signo, siginfo_t *info, void *context)
{
    (void) signo;
    (void) context;
    _exit(info->si_addr == NULL ? 42 : 43);
}

static void crash_with_an_earlier_handler(void)
{
    const struct sigaction earlier = {.sa_sigaction = exit_42, .sa_flags = SA_SIGINFO};

    crash_disarm();
    sigaction(SIGSEGV, &earlier, NULL);
    crash_install(&sources);
    write_to_null();
}

static void test_an_earlier_handler_gets_the_fault_as_if_alone(void **state)
{
    const int status = status_of(crash_with_an_earlier_handler);

    (void) state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_int_equal(page->crash.state, RECORDER_CRASH_COMPLETE);
}

static void crash_with_an_ignored_signal(void)
{
    crash_disarm();
    signal(SIGFPE, SIG_IGN);
    crash_install(&sources);
    kill(getpid(), SIGFPE);
    _exit(7);
}

static void test_an_ignored_signal_stays_ignored_and_is_no_crash(void **state)
{
    const int status = status_of(crash_with_an_ignored_signal);

    (void) state;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(page->crash.state, RECORDER_CRASH_NONE);
}

static void test_garbage_in_the_engine_s_memory_costs_the_php_stack_only(void **state)
{
    const uintptr_t hole =
        (uintptr_t) mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void) state;
    fake_poke((uintptr_t) php.engine.executor_globals + php.layout->current_execute_data, hole);
    assert_killed_by(write_to_null, SIGSEGV);
    assert_int_equal(page->crash.state, RECORDER_CRASH_COMPLETE);
    assert_in_range(page->crash.php_len_bytes, 0, 16);
    munmap((void *) hole, 4096);
}

/* The shim's own memory is read without a guard. */
static void test_a_fault_in_the_handler_still_ends_with_the_first_signal(void **state)
{
    (void) state;
    sources.layout = (const struct php_layout *const *) 8;
    assert_killed_by(call_abort, SIGABRT);
    assert_int_equal(page->crash.state, RECORDER_CRASH_BEGUN);
    assert_int_equal(page->crash.signo, SIGABRT);
    assert_killed_by(write_to_null, SIGSEGV);
}

static void hang_in_the_handler(void)
{
    static const siginfo_t info = {.si_signo = SIGFPE, .si_code = SI_USER};

    crash_deadline_arm(SIGFPE, &info);
    for (;;)
        pause();
}

static void test_a_handler_that_hangs_dies_of_the_original_signal_in_time(void **state)
{
    struct timespec before, after;
    int64_t took_ms;

    (void) state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_killed_by(hang_in_the_handler, SIGFPE);
    clock_gettime(CLOCK_MONOTONIC, &after);
    took_ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_in_range(took_ms, CRASH_DEADLINE_MS - 5, 4 * CRASH_DEADLINE_MS);
}

static void crash_in_a_child_of_the_worker(void)
{
    int status;
    const pid_t pid = fork();

    if (pid == 0)
        write_to_null();
    waitpid(pid, &status, 0);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 99);
}

static void test_a_child_of_the_worker_crashes_on_its_own(void **state)
{
    const int status = status_of(crash_in_a_child_of_the_worker);

    (void) state;
    assert_int_equal(WEXITSTATUS(status), SIGSEGV);
    assert_int_equal(page->crash.state, RECORDER_CRASH_NONE);
    assert_false(receive());
}

static void test_a_core_is_written_where_it_would_be_without_us(void **state)
{
    (void) state;
    assert_int_equal(status_with(true, true, write_to_null),
                     status_with(false, true, write_to_null));
    assert_int_equal(status_with(true, true, call_abort), status_with(false, true, call_abort));
}

static void *thread_writes_to_null(void *arg)
{
    write_to_null();
    return arg;
}

static void crash_in_many_threads(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, thread_writes_to_null, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void test_four_threads_that_crash_together_make_one_report(void **state)
{
    (void) state;
    assert_killed_by(crash_in_many_threads, SIGSEGV);
    assert_int_equal(page->crash.state, RECORDER_CRASH_COMPLETE);
    assert_true(receive());
    assert_false(receive());
}

static void test_without_a_collector_the_page_is_complete(void **state)
{
    static const int no_socket = -1;

    (void) state;
    sources.socket_fd = &no_socket;
    assert_killed_by(write_to_null, SIGSEGV);
    assert_int_equal(page->crash.state, RECORDER_CRASH_COMPLETE);
}

#define CRASH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRASH_TEST(test_a_segfault_leaves_its_evidence_and_its_signal),
        CRASH_TEST(test_the_message_says_what_the_page_says),
        CRASH_TEST(test_the_map_holds_executable_rows_only),
        CRASH_TEST(test_abort_stays_an_abort_sent_by_itself),
        CRASH_TEST(test_a_fatal_signal_from_outside_names_its_sender),
        CRASH_TEST(test_each_kind_of_fault_keeps_its_signal),
        CRASH_TEST(test_a_stack_overflow_is_reported_from_the_alternate_stack),
        CRASH_TEST(test_an_earlier_handler_gets_the_fault_as_if_alone),
        CRASH_TEST(test_an_ignored_signal_stays_ignored_and_is_no_crash),
        CRASH_TEST(test_garbage_in_the_engine_s_memory_costs_the_php_stack_only),
        CRASH_TEST(test_a_fault_in_the_handler_still_ends_with_the_first_signal),
        CRASH_TEST(test_a_handler_that_hangs_dies_of_the_original_signal_in_time),
        CRASH_TEST(test_a_child_of_the_worker_crashes_on_its_own),
        CRASH_TEST(test_a_core_is_written_where_it_would_be_without_us),
        CRASH_TEST(test_four_threads_that_crash_together_make_one_report),
        CRASH_TEST(test_without_a_collector_the_page_is_complete),
    };
#ifdef __SANITIZE_THREAD__
    (void) tests;
    puts("skipped: this sanitizer puts its own code between a fault and its handler");
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}

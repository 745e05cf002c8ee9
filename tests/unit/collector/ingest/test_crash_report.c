/*
 * test_crash_report.c - the whole way: a child crashes under the shim's handler, its page is turned
 * into a report by the unwinding child.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crash/crash.h"
#include "ingest/crash_report.h"

static struct recorder_page *page, *copy;
static struct crash_report *report;

/* In a checkout that others cannot enter the unwinding child cannot read this program. */
static bool is_readable_by_nobody(void)
{
    int status = 1;
    const pid_t pid = fork();

    if (pid == 0) {
        char path[4096];
        const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

        path[len > 0 ? len : 0] = '\0';
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(1);
        _exit(access(path, R_OK) == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

static int setup(void **state)
{
    (void) state;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    copy = malloc(sizeof *copy);
    assert_true(page != MAP_FAILED && copy);
    page->magic = RECORDER_MAGIC;
    page->version = RECORDER_VERSION;
    page->page_bytes = sizeof *page;
    report = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    crash_report_free(report);
    munmap(page, sizeof *page);
    free(copy);
    return 0;
}

static void crash_in_a_child(void (*crash)(void))
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    const struct crash_sources sources = {.page = page};
    const pid_t pid = fork();

    if (pid == 0) {
        for (int signo = 1; signo < NSIG; signo++)
            sigaction(signo, &by_default, NULL);
        crash_install(&sources);
        crash();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    memcpy(copy, page, sizeof *copy);
}

static int make(void)
{
    return crash_report_make(copy, sizeof *copy, NULL, &report);
}

/* Index of the first native frame that contains `text`, or -1. */
static int frame_with(const char *text)
{
    for (size_t i = 0; i < report->native_count; i++)
        if (slice_find(report->native[i], slice_of(text)) >= 0)
            return (int) i;
    return -1;
}

static int compare_and_crash(const void *a, const void *b)
{
    (void) a;
    (void) b;
    raise(SIGSEGV);
    return 0;
}

static void crash_below_qsort(void)
{
    int numbers[] = {3, 1, 2};

    qsort(numbers, 3, sizeof *numbers, compare_and_crash);
}

static void test_frames_are_unwound_through_a_stripped_library(void **state)
{
    (void) state;
    if (!is_readable_by_nobody())
        skip();
    crash_in_a_child(crash_below_qsort);
    assert_int_equal(make(), 0);
    assert_int_equal(report->signo, SIGSEGV);
    assert_true(report->complete);
    assert_true(frame_with("qsort") > 0);
    assert_true(frame_with("libc.so.6)") >= 0);
    assert_true(frame_with("test_crash_report") > 0);
    assert_true(frame_with("__libc_start_main") > frame_with("qsort"));
}

static void test_the_faulting_place_and_the_library_to_name(void **state)
{
    (void) state;
    if (!is_readable_by_nobody())
        skip();
    crash_in_a_child(crash_below_qsort);
    assert_int_equal(make(), 0);
    assert_int_equal(slice_find(report->faulting, SLICE("libc.so.6+0x")), 0);
    assert_true(slice_equal(report->shared_object, SLICE("test_crash_report")));
}

__attribute__((no_sanitize("undefined"))) static void call_null(void)
{
    void (*volatile nowhere)(void) = NULL;

    nowhere();
    kill(getpid(), 0); /* no tail call */
}

static void test_a_call_of_a_null_pointer_goes_on_at_its_caller(void **state)
{
    (void) state;
    if (!is_readable_by_nobody())
        skip();
    crash_in_a_child(call_null);
    assert_int_equal(make(), 0);
    assert_true(slice_equal(report->faulting, SLICE("0x0")));
    assert_true(report->native_count >= 3);
    assert_true(frame_with("test_crash_report") >= 1);
    assert_true(frame_with("__libc_start_main") > 1);
    assert_true(slice_equal(report->shared_object, SLICE("test_crash_report")));
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

static void test_a_stack_overflow_is_told_as_one_with_its_innermost_frames(void **state)
{
    (void) state;
    if (!is_readable_by_nobody())
        skip();
    crash_in_a_child(overflow_the_stack);
    assert_int_equal(make(), 0);
    assert_true(report->stack_overflow);
    assert_int_equal(report->native_count, CRASH_REPORT_NATIVE_MAX);
}

static void test_without_a_map_the_place_is_an_address(void **state)
{
    (void) state;
    crash_in_a_child(crash_below_qsort);
    copy->crash.maps_len_bytes = 0;
    assert_int_equal(make(), 0);
    assert_int_equal(report->native_count, 1);
    assert_int_equal(report->native[0].ptr[0], '0');
    assert_int_equal(report->shared_object.len_bytes, 0);
}

static void test_the_map_of_the_living_worker_serves_a_chrooted_one(void **state)
{
    struct code_map *map;

    (void) state;
    assert_int_equal(code_map_read(getpid(), &map), 0); /* the child is our fork: the same map */
    crash_in_a_child(crash_below_qsort);
    copy->crash.maps_len_bytes = 0;
    assert_int_equal(crash_report_make(copy, sizeof *copy, map, &report), 0);
    code_map_free(map);
    assert_true(frame_with("qsort") > 0);
}

static void test_a_stack_of_rubbish_gives_the_innermost_frame_only(void **state)
{
    (void) state;
    crash_in_a_child(crash_below_qsort);
    memset(copy->crash.stack, 0x41, sizeof copy->crash.stack);
    assert_int_equal(make(), 0);
    assert_in_range(report->native_count, 1, 3);
    assert_true(frame_with("libc.so.6") >= 0);
}

static void test_php_lines_are_kept_as_lines(void **state)
{
    static const char php[] = "f\tC\t/a.php:1\ng\x1b\t\t\n\nlast\t\t/b.php:2\nunfinished";

    (void) state;
    crash_in_a_child(crash_below_qsort);
    memcpy(copy->crash.php, php, sizeof php);
    copy->crash.php_len_bytes = sizeof php - 1;
    assert_int_equal(make(), 0);
    assert_int_equal(report->php_count, 3);
    assert_string_equal(report->php[0].ptr, "f\tC\t/a.php:1");
    assert_string_equal(report->php[1].ptr, "g?\t\t");
    assert_string_equal(report->php[2].ptr, "last\t\t/b.php:2");
}

static void test_ten_thousand_php_lines_are_cut(void **state)
{
    (void) state;
    crash_in_a_child(crash_below_qsort);
    for (size_t i = 0; i < sizeof copy->crash.php; i++)
        copy->crash.php[i] = i % 2 ? '\n' : 'f';
    copy->crash.php_len_bytes = sizeof copy->crash.php;
    assert_int_equal(make(), 0);
    assert_int_equal(report->php_count, CRASH_REPORT_PHP_MAX);
}

static void test_a_page_without_a_crash_makes_no_report(void **state)
{
    (void) state;
    memcpy(copy, page, sizeof *copy);
    assert_int_equal(make(), -ENODATA);
    assert_null(report);
}

static void test_a_report_may_be_dropped_while_its_child_works(void **state)
{
    (void) state;
    crash_in_a_child(crash_below_qsort);
    assert_int_equal(crash_report_begin(copy, sizeof *copy, NULL, &report), 0);
    assert_true(crash_report_fd(report) >= 0);
    assert_int_equal(report->native_count, 1); /* the guess */
}

#define REPORT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORT_TEST(test_frames_are_unwound_through_a_stripped_library),
        REPORT_TEST(test_the_faulting_place_and_the_library_to_name),
        REPORT_TEST(test_a_call_of_a_null_pointer_goes_on_at_its_caller),
        REPORT_TEST(test_a_stack_overflow_is_told_as_one_with_its_innermost_frames),
        REPORT_TEST(test_without_a_map_the_place_is_an_address),
        REPORT_TEST(test_the_map_of_the_living_worker_serves_a_chrooted_one),
        REPORT_TEST(test_a_stack_of_rubbish_gives_the_innermost_frame_only),
        REPORT_TEST(test_php_lines_are_kept_as_lines),
        REPORT_TEST(test_ten_thousand_php_lines_are_cut),
        REPORT_TEST(test_a_page_without_a_crash_makes_no_report),
        REPORT_TEST(test_a_report_may_be_dropped_while_its_child_works),
    };
#ifdef __SANITIZE_THREAD__
    (void) tests;
    puts("skipped: this sanitizer puts its own code between a fault and its handler");
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}

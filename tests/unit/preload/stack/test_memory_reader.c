/* test_memory_reader.c - reading what is not there is an answer, not a signal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/memory_reader.h"

enum { PAGE = 4096 };

static struct memory_reader reader;
static uint8_t *pages; /* two that are there, one that is not */

static int setup(void **state)
{
    (void) state;
    pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    for (int i = 0; i < 2 * PAGE; i++)
        pages[i] = (uint8_t) (i * 7);
    mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
    memory_reader_init(&reader);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    munmap(pages, 3 * PAGE);
    return 0;
}

static bool reads(size_t at, size_t size_bytes)
{
    uint8_t bytes[PAGE];

    memset(bytes, 0xee, sizeof bytes);
    if (!memory_reader_read(&reader, (uintptr_t) pages + at, bytes, size_bytes)) {
        for (size_t i = 0; i < size_bytes; i++)
            assert_int_equal(bytes[i], 0xee);
        return false;
    }
    assert_memory_equal(bytes, pages + at, size_bytes);
    return true;
}

static void expect_all_of_it(void)
{
    assert_true(reads(0, 8));
    assert_true(reads(PAGE - 3, 8)); /* across two pages */
    assert_true(reads(PAGE, PAGE));
    assert_true(reads(2 * PAGE - 8, 8));
    assert_false(reads(2 * PAGE - 4, 8));
    assert_false(reads(2 * PAGE, 1));
    assert_true(reads(0, 0));
    assert_false(memory_reader_read(&reader, 0, &(int){0}, 1));
    assert_false(memory_reader_read(&reader, UINTPTR_MAX - 2, &(uint64_t){0}, 8));
}

static void expect_the_readable_beginning(void)
{
    static uint8_t copy[3 * PAGE];

    assert_int_equal(memory_copy_readable((uintptr_t) pages + 5, copy, sizeof copy), 2 * PAGE - 5);
    assert_memory_equal(copy, pages + 5, 2 * PAGE - 5);
    assert_int_equal(memory_copy_readable((uintptr_t) pages + 2 * PAGE, copy, 16), 0);
    assert_int_equal(memory_copy_readable((uintptr_t) pages, copy, 16), 16);
}

static void test_what_is_there_is_read_and_what_is_not_is_refused(void **state)
{
    (void) state;
    expect_all_of_it();
    expect_the_readable_beginning();
}

static void test_errno_survives(void **state)
{
    (void) state;
    errno = 77;
    reads(0, 8);
    reads(2 * PAGE, 1);
    assert_int_equal(errno, 77);
}

static void test_a_reader_gives_up_after_its_fetches(void **state)
{
    int done = 0;

    (void) state;
    while (done < MEMORY_READER_FETCHES + 10 && reads(done % 2 ? 0 : PAGE, 8))
        done++;
    assert_int_equal(done, MEMORY_READER_FETCHES);
}

static void forbid_process_vm_readv(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = 4, .filter = rules};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
}

static void test_a_container_that_forbids_the_call_changes_nothing(void **state)
{
    const pid_t pid = fork();
    int status;

    (void) state;
    if (pid == 0) {
        forbid_process_vm_readv();
        expect_all_of_it();
        expect_the_readable_beginning();
        _exit(42);
    }
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* no seccomp here */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

#define READER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_what_is_there_is_read_and_what_is_not_is_refused),
        READER_TEST(test_errno_survives),
        READER_TEST(test_a_reader_gives_up_after_its_fetches),
        READER_TEST(test_a_container_that_forbids_the_call_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * stack_oracle.c - preloaded into any program: at every malloc() of its main thread the shim's own
 * walk (without libunwind's help) is compared with what libunwind says, frame by frame.
 *
 * STACK_ORACLE=FILE: the counts, and the first difference in words, for all processes that the
 * program forks.  STACK_ORACLE_FORGETS=N: the N-th walk loses its last frame, so that a test can
 * see that this is noticed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/loader.h"
#include "fpmscope/limits.h"
#include "stack/native_stack.h"

enum { THEIRS_MAX = LIMIT_NATIVE_FRAMES + 16, TEXT_BYTES = 1 << 14 };

/* What test_stack_oracle.py reads. */
struct book {
    uint64_t stacks, frames, differences;
    uint64_t questions;     /* stacks that the shim would have asked libunwind about */
    char first[TEXT_BYTES]; /* the first difference */
};

struct stack {
    const uintptr_t *pcs;
    size_t count;
};

extern void *__libc_malloc(size_t size_bytes);
extern void *__libc_calloc(size_t count, size_t size_bytes);
extern void *__libc_realloc(void *ptr, size_t size_bytes);

static struct native_stack native;
static int (*their_backtrace)(void **pcs, int max);
static struct book *book;
static uint64_t forgets; /* which walk; 0: none */
static bool is_busy;
/* Also in a fork child: the thread that forked is its only one. */
static __thread bool is_main __attribute__((tls_model("initial-exec")));

static struct book *open_book(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT, 0600);
    void *map = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof *book) == 0)
        map = mmap(NULL, sizeof *book, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return map == MAP_FAILED ? NULL : map;
}

/* In place of libunwind behind the walk: counts, and knows nothing. */
static int count_question(void **pcs, int max)
{
    (void) pcs, (void) max;
    __atomic_fetch_add(&book->questions, 1, __ATOMIC_RELAXED);
    return 0;
}

static int ignore(void)
{
    return 0;
}

static void *open_counter(const char *file, int flags)
{
    (void) file, (void) flags;
    return &native;
}

static void *find_in_counter(void *handle, const char *name)
{
    static void *space;

    (void) handle;
    return strcmp(name, "unw_backtrace") == 0 ? (void *) count_question
           : strstr(name, "space")            ? (void *) &space
                                              : (void *) ignore;
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
    const char *path = getenv("STACK_ORACLE"), *which = getenv("STACK_ORACLE_FORGETS");
    const struct unwind_loader counter = {.open = open_counter, .symbol = find_in_counter};
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

    (void) argc;
    if (!path || !library)
        return;
    *(void **) &their_backtrace = dlsym(library, "unw_backtrace");
    forgets = which ? strtoull(which, NULL, 10) : 0;
    native_stack_init(&native, argv, &counter);
    if (!their_backtrace || !native_stack_start(&native))
        return;
    is_main = true;
    book = open_book(path);
}

static void describe(const char *who, struct stack stack)
{
    size_t len_bytes = strlen(book->first);

    for (size_t i = 0; i < stack.count && len_bytes < TEXT_BYTES; i++) {
        Dl_info info = {.dli_fname = NULL};

        dladdr((void *) stack.pcs[i], &info);
        len_bytes += (size_t) snprintf(
            book->first + len_bytes, TEXT_BYTES - len_bytes, "%s %zu %s+0x%zx %s\n", who, i,
            info.dli_fname ? info.dli_fname : "no file", stack.pcs[i] - (uintptr_t) info.dli_fbase,
            info.dli_sname ? info.dli_sname : "");
    }
}

/* Not under a lock: processes that differ at the same time may mix their words, never the count. */
static void enter(struct stack ours, struct stack theirs)
{
    const bool is_alike = ours.count == theirs.count &&
                          memcmp(ours.pcs, theirs.pcs, ours.count * sizeof *ours.pcs) == 0;

    __atomic_fetch_add(&book->stacks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&book->frames, theirs.count, __ATOMIC_RELAXED);
    if (is_alike || __atomic_fetch_add(&book->differences, 1, __ATOMIC_RELAXED) != 0)
        return;
    describe("ours", ours);
    describe("theirs", theirs);
}

static __attribute__((noinline)) void compare(const void *caller)
{
    uintptr_t ours[LIMIT_NATIVE_FRAMES], theirs[THEIRS_MAX];
    size_t count = native_stack_capture(&native, caller, ours, LIMIT_NATIVE_FRAMES);
    size_t got = (size_t) their_backtrace((void **) theirs, THEIRS_MAX), first = 0;

    if (forgets != 0 && book->stacks + 1 == forgets && count > 0)
        count--;
    while (first < got && theirs[first] != (uintptr_t) caller)
        first++;
    got = got - first < LIMIT_NATIVE_FRAMES ? got - first : LIMIT_NATIVE_FRAMES;
    enter((struct stack){ours, count}, (struct stack){theirs + first, got});
}

static void look(const void *caller)
{
    if (!book || !is_main || is_busy || loader_is_busy())
        return;
    is_busy = true;
    native.fallback.vain_count = native.fallback.asks = 0;
    compare(caller);
    is_busy = false;
}

void *malloc(size_t size_bytes)
{
    void *ptr = __libc_malloc(size_bytes);

    look(__builtin_return_address(0));
    return ptr;
}

void *calloc(size_t count, size_t size_bytes)
{
    void *ptr = __libc_calloc(count, size_bytes);

    look(__builtin_return_address(0));
    return ptr;
}

void *realloc(void *old, size_t size_bytes)
{
    void *ptr = __libc_realloc(old, size_bytes);

    look(__builtin_return_address(0));
    return ptr;
}

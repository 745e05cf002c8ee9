/*
 * unwind_library.h - libunwind, asked about the few stacks that native_stack.c cannot follow.
 *
 * It is no dependency of the shim (a missing library would keep php-fpm from starting): it is
 * opened in the constructor, before any chroot, and used for the first time when a worker meets a
 * frame of hand-written code, where it allocates about 300 kB and opens two descriptors.  Absent:
 * the stacks end at such frames.
 *
 * It asks the kernel eight times for each program counter that it has not met, hence the limits:
 * so many questions a request, and none about a place where it once knew no more than we.
 *
 * Main thread only, never while the host is inside dlopen() or dlclose(), and never in a signal
 * handler: finding tables takes the loader's lock.  Its allocations are the shim's own: the caller
 * holds the guard.
 */
#ifndef FPMSCOPE_STACK_UNWIND_LIBRARY_H
#define FPMSCOPE_STACK_UNWIND_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNWIND_LIBRARY_ASKS_MAX = 8,  /* in a request */
    UNWIND_LIBRARY_VAIN_MAX = 32, /* places; when all are taken it is not asked any more */
};

/* How to open libraries: the shim wraps dlopen, and must not need dlsym@GLIBC_2.34. */
struct unwind_loader {
    void *(*open)(const char *file, int flags);
    void *(*symbol)(void *handle, const char *name);
};

/* Zero-initialised: not loaded, never to be asked. */
struct unwind_library {
    int (*backtrace)(void **pcs, int max);
    int (*set_caching)(void *space, int policy);
    void (*flush)(void *space, uintptr_t lo, uintptr_t hi);
    void *space; /* libunwind's local address space */
    bool started;
    bool missed;  /* it was wanted and is not loaded */
    uint8_t asks; /* in this request */
    uint8_t vain_count;
    uintptr_t vain[UNWIND_LIBRARY_VAIN_MAX]; /* program counters where it knew no more */
};

/* In the constructor.  False: no usable libunwind. */
bool unwind_library_load(struct unwind_library *library, const struct unwind_loader *loader);

/* A request begins: it may be asked again. */
static inline void unwind_library_renew(struct unwind_library *library)
{
    library->asks = 0;
}

/* May it be asked about a stack that we could follow up to `pc`?  Sets `missed`. */
bool unwind_library_may_help(struct unwind_library *library, uintptr_t pc);

/* The whole stack, innermost first, at most `max`; begins with frames of the shim. */
size_t unwind_library_ask(struct unwind_library *library, uintptr_t *ret_pcs, size_t max);

/* It knew no more than we at `pc`: that is not asked again. */
void unwind_library_asked_in_vain(struct unwind_library *library, uintptr_t pc);

/* Libraries came or went: other code may be at the same addresses. */
void unwind_library_forget(struct unwind_library *library);

#endif

/*
 * native_stack.h - program counters of the calling thread, by libunwind.
 *
 * libunwind is no dependency of the shim (a missing library would keep php-fpm from starting): it
 * is opened in the constructor, before any chroot, and used for the first time in a worker, where
 * it allocates about 300 kB and opens two descriptors.  Absent: no native stacks, said in coverage.
 *
 * Main thread only, never while the host is inside dlopen() or dlclose(), and never in a signal
 * handler: finding unwind tables takes the loader's lock.  Allocations made in here are the
 * shim's own: the caller holds its guard.
 */
#ifndef FPMSCOPE_STACK_NATIVE_STACK_H
#define FPMSCOPE_STACK_NATIVE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How to open libraries: the shim wraps dlopen, and must not need dlsym@GLIBC_2.34. */
struct native_loader {
    void *(*open)(const char *file, int flags);
    void *(*symbol)(void *handle, const char *name);
};

struct native_stack {
    int (*backtrace)(void **pcs, int max);
    int (*set_caching)(void *space, int policy);
    void (*flush)(void *space, uintptr_t lo, uintptr_t hi);
    void *space; /* libunwind's local address space */
    bool started;
};

/* In the constructor.  False: no usable libunwind. */
bool native_stack_load(struct native_stack *native, const struct native_loader *loader);

/* Once in a worker, before the first capture; repeated calls do nothing. */
void native_stack_start(struct native_stack *native);

/*
 * Up to `max` program counters, innermost first, beginning with `caller` (a return address further
 * out on this stack, such as __builtin_return_address(0) of the wrapped function): the shim's own
 * frames are left out.  When `caller` is not found, all frames.  0: not loaded or not started.
 */
size_t native_stack_capture(struct native_stack *native, const void *caller, uintptr_t *ret_pcs,
                            size_t max);

/* Forget cached unwind tables; after dlclose(), when other code may sit at the same addresses. */
void native_stack_flush(struct native_stack *native);

#endif

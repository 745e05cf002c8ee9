/*
 * forwarder.c - the least that a preloaded malloc can do: count the calls of each thread, and
 * forward.  The floor under everything that sees allocations.
 */
#include <stddef.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *ptr, size_t bytes);
extern void __libc_free(void *ptr);

static __thread unsigned long calls __attribute__((tls_model("initial-exec")));

void *malloc(size_t bytes)
{
    calls++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    calls++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *ptr, size_t bytes)
{
    calls++;
    return __libc_realloc(ptr, bytes);
}

void free(void *ptr)
{
    calls++;
    __libc_free(ptr);
}

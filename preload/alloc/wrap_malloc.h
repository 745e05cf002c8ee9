/*
 * wrap_malloc.h - the allocator behind the exported malloc family.
 *
 * There are two, chosen when the library is linked: glibc's own (wrap_malloc.c), and a jemalloc of
 * our own (wrap_malloc_jemalloc.c) in libfpmscope-jemalloc.so.
 */
#ifndef FPMSCOPE_ALLOC_WRAP_MALLOC_H
#define FPMSCOPE_ALLOC_WRAP_MALLOC_H

#include <stdbool.h>

/* False: a library that was preloaded before us answers malloc(). */
bool wrap_malloc_in_charge(void);

/* True: not the C library's.  Then a library opened with RTLD_DEEPBIND, whose blocks come from the
 * C library, must not exist in any process, also where the shim does nothing else: blocks are freed
 * across libraries. */
bool wrap_malloc_is_foreign(void);

/* No two blocks lie in the same 1 << so many bytes. */
unsigned wrap_malloc_grain_bits(void);

/* In the constructor of a process that is watched, when we are in charge: ledger_open() with what
 * this allocator can do. */
void wrap_malloc_open_ledger(void);

#endif

/*
 * jemalloc_host.h - the two sides of the jemalloc in libfpmscope-jemalloc.so, by the names that
 * jemalloc.syms gives them.
 *
 * jem_*: jemalloc's own functions; semantics of their C library or jemalloc(3) namesakes.
 * jem_host_*: what it calls instead of the C library's functions; called by jemalloc only.
 */
#ifndef FPMSCOPE_ALLOC_JEMALLOC_HOST_H
#define FPMSCOPE_ALLOC_JEMALLOC_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

void *jem_malloc(size_t bytes);
void *jem_calloc(size_t count, size_t bytes);
void *jem_realloc(void *ptr, size_t bytes);
void *jem_memalign(size_t alignment, size_t bytes);
void jem_free(void *ptr);
size_t jem_malloc_usable_size(void *ptr);
int jem_mallctl(const char *name, void *old, size_t *old_bytes, void *new, size_t new_bytes);

/* Settings, read by jemalloc at its first allocation. */
extern const char *jem_malloc_conf;

void *jem_host_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int jem_host_munmap(void *addr, size_t len);
int jem_host_close(int fd);
int jem_host_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int jem_host_atexit(void (*handler)(void));
int jem_host_unwind(int (*visit)(void *frame, void *argument), void *argument);
uintptr_t jem_host_unwind_ip(void *frame);
double jem_host_log(double x);
double jem_host_exp(double x);
double jem_host_round(double x);

#endif

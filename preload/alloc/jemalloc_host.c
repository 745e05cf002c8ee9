/*
 * jemalloc_host.c - what the jemalloc inside libfpmscope-jemalloc.so finds around it: its settings,
 * and the functions that jemalloc.syms renames.
 *
 * What jemalloc maps is its own affair, as glibc's arenas are: it must not pass through the
 * exported mmap(), which counts and looks for the Zend heap.  Its heap profiler, which is off and
 * would need an unwinder and libm in every worker, gets answers that keep it harmless.
 */
#include "alloc/jemalloc_host.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "banned.h"

/* One arena: php-fpm has one thread that matters.  A second until free pages go back to the system,
 * at once and not by way of MADV_FREE, which leaves them in RSS: a worker that is idle does not
 * look at the clock, and what it holds is what is being asked about. */
const char *jem_malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0";

/* pthread_atfork() without its static half. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                             void *dso_handle);

void *jem_host_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    return (void *) syscall(SYS_mmap, addr, len, prot, flags, fd, offset); /* NOLINT */
}

int jem_host_munmap(void *addr, size_t len)
{
    return (int) syscall(SYS_munmap, addr, len);
}

int jem_host_close(int fd)
{
    return (int) syscall(SYS_close, fd);
}

int jem_host_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return __register_atfork(prepare, parent, child, NULL);
}

/* Statistics and profiles at exit: a guest prints nothing. */
int jem_host_atexit(void (*handler)(void))
{
    (void) handler;
    return 0;
}

enum { UNWIND_END_OF_STACK = 5 };

int jem_host_unwind(int (*visit)(void *frame, void *argument), void *argument)
{
    (void) visit;
    (void) argument;
    return UNWIND_END_OF_STACK;
}

uintptr_t jem_host_unwind_ip(void *frame)
{
    (void) frame;
    return 0;
}

double jem_host_log(double x)
{
    return x - 1;
}

double jem_host_exp(double x)
{
    return x + 1;
}

double jem_host_round(double x)
{
    return (double) (int64_t) x;
}

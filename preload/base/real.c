/* real.c - see real.h.  (Not under banned.h: wrap.def names what that forbids.) */
#include "base/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/marks.h"

/* glibc before 2.34 keeps it in libdl.so.2, which a program need not have. */
extern __typeof__(dlsym) dlsym SHIM_WEAK;

static size_t raw_malloc_usable_size(void *ptr)
{
    size_t chunk_bytes;

    if (!ptr)
        return 0;
    chunk_bytes = ((const size_t *) ptr)[-1];
    return (chunk_bytes & ~(size_t) 7) - sizeof(size_t) * (chunk_bytes & 2 ? 2 : 1);
}

static void *raw_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    return (void *) syscall(SYS_mmap, addr, len, prot, flags, fd, offset); /* NOLINT */
}

static int raw_munmap(void *addr, size_t len)
{
    return (int) syscall(SYS_munmap, addr, len);
}

static void *raw_mremap(void *addr, size_t old_len, size_t new_len, int flags, ...)
{
    va_list args;
    void *where;

    va_start(args, flags);
    where = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    return (void *) syscall(SYS_mremap, addr, old_len, new_len, flags, where); /* NOLINT */
}

static void *raw_dlopen(const char *file, int flags)
{
    (void) file;
    (void) flags;
    return NULL;
}

static int raw_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return (int) syscall(SYS_accept4, fd, addr, len, flags);
}

static int raw_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return raw_accept4(fd, addr, len, 0);
}

static ssize_t raw_read(int fd, void *buf, size_t len)
{
    return syscall(SYS_read, fd, buf, len);
}

static ssize_t raw_write(int fd, const void *buf, size_t len)
{
    return syscall(SYS_write, fd, buf, len);
}

static int raw_close(int fd)
{
    return (int) syscall(SYS_close, fd);
}

pid_t __fork(void); /* exported by glibc, declared nowhere */

/* Not a bare clone: the C library must hear of a fork to keep its own locks whole. */
static pid_t raw_fork(void)
{
    return __fork();
}

static pid_t raw_setsid(void)
{
    return (pid_t) syscall(SYS_setsid);
}

static pid_t raw_waitpid(pid_t pid, int *status, int options)
{
    return (pid_t) syscall(SYS_wait4, pid, status, options, NULL);
}

static int raw_kill(pid_t pid, int signo)
{
    return (int) syscall(SYS_kill, pid, signo);
}

static int raw_setitimer(__itimer_which_t which, const struct itimerval *value,
                         struct itimerval *old)
{
    return (int) syscall(SYS_setitimer, which, value, old);
}

static clock_t raw_times(struct tms *answer)
{
    return syscall(SYS_times, answer);
}

struct real_functions real = {
#define WRAP_NEXT(ret, name, params) .name = raw_##name,
#include "wrap.def"
};

extern void *__libc_malloc(size_t bytes);

/* Blocks come from glibc by its own names.  An allocator that was preloaded behind us must not be
 * asked for their size. */
static void real_keep_to_glibc(void)
{
    if (dlsym(RTLD_NEXT, "malloc") != (void *) __libc_malloc)
        real.malloc_usable_size = raw_malloc_usable_size;
}

void real_bind(void)
{
    void *next;

    if (!dlsym)
        return;
#define WRAP_NEXT(ret, name, params)                                                               \
    next = dlsym(RTLD_NEXT, #name);                                                                \
    if (next)                                                                                      \
        *(void **) &real.name = next;
#include "wrap.def"
    real_keep_to_glibc();
}

void *real_symbol(const char *name)
{
    return dlsym ? dlsym(RTLD_DEFAULT, name) : NULL;
}

/*
 * wrap_io.c - the exported I/O functions: the host's call, then, if it was on the connection that
 * this worker serves, what it carried.
 *
 * Every other descriptor costs one comparison.  Result and errno are the real function's: what is
 * called here keeps errno.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/marks.h"
#include "base/real.h"
#include "base/thread.h"
#include "role.h"
#include "worker.h"
#include "banned.h"

/* Only the thread that runs PHP serves requests; a script's own threads may accept too. */
static bool accept_is_ours(void)
{
    return role_now >= ROLE_CANDIDATE && thread_self.main;
}

SHIM_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    int conn;

    if (!accept_is_ours())
        return real.accept(fd, addr, len);
    worker_before_accept(fd);
    conn = real.accept(fd, addr, len);
    worker_accepted(fd, conn);
    return conn;
}

SHIM_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    int conn;

    if (!accept_is_ours())
        return real.accept4(fd, addr, len, flags);
    worker_before_accept(fd);
    conn = real.accept4(fd, addr, len, flags);
    worker_accepted(fd, conn);
    return conn;
}

SHIM_EXPORT ssize_t read(int fd, void *buf, size_t len)
{
    ssize_t result;

    if (likely(fd != worker_connection_fd))
        return real.read(fd, buf, len);
    worker_before_read();
    result = real.read(fd, buf, len);
    if (result > 0)
        worker_did_read(buf, (size_t) result);
    return result;
}

/* What hardened builds call instead; a length that is too large is the real one's affair. */
SHIM_EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t buf_bytes);
extern void __chk_fail(void) __attribute__((noreturn));

ssize_t __read_chk(int fd, void *buf, size_t len, size_t buf_bytes)
{
    if (len > buf_bytes)
        __chk_fail();
    return read(fd, buf, len);
}

SHIM_EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
    ssize_t result;

    if (likely(fd != worker_connection_fd))
        return real.write(fd, buf, len);
    result = real.write(fd, buf, len);
    if (result > 0)
        worker_did_write(buf, (size_t) result);
    else if (result < 0)
        worker_failed_to_write(errno);
    return result;
}

/* Before the real one, after which the number may be another thread's. */
SHIM_EXPORT int close(int fd)
{
    if (unlikely(fd == worker_connection_fd))
        worker_will_close();
    return real.close(fd);
}

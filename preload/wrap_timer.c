/*
 * wrap_timer.c - the exported setitimer(): the host's call, and word to the worker of php-fpm's
 * execution timer, whose end is the only sign that a script's output and destructors are done.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/time.h>

#include "base/marks.h"
#include "base/real.h"
#include "base/thread.h"
#include "role.h"
#include "worker.h"
#include "banned.h"

static bool is_set(const struct itimerval *value)
{
    return value->it_value.tv_sec != 0 || value->it_value.tv_usec != 0;
}

SHIM_EXPORT int setitimer(__itimer_which_t which, const struct itimerval *value,
                          struct itimerval *old)
{
    const int result = real.setitimer(which, value, old);

    if (which == ITIMER_PROF && value && role_now == ROLE_WORKER && thread_self.main) {
        const int saved_errno = errno;

        worker_execution_timer(is_set(value));
        errno = saved_errno;
    }
    return result;
}

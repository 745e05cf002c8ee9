/*
 * wrap_timer.c - the exported setitimer() and times(): the host's call, and word to the worker of
 * php-fpm's execution timer, whose end is the only sign that a script's output and destructors are
 * done, and to the CPU clock of what php-fpm has just been told of it.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/time.h>

#include "base/cpu_clock.h"
#include "base/marks.h"
#include "base/real.h"
#include "base/thread.h"
#include "worker.h"
#include "banned.h"

static bool is_set(const struct itimerval *value)
{
    return value->it_value.tv_sec != 0 || value->it_value.tv_usec != 0;
}

/* Out of the way of the usual case, which then needs no stack frame. */
static __attribute__((noinline)) int set_and_tell(const struct itimerval *value,
                                                  struct itimerval *old)
{
    int result = real.setitimer(ITIMER_PROF, value, old), saved_errno = errno;

    worker_execution_timer(is_set(value));
    errno = saved_errno;
    return result;
}

SHIM_EXPORT int setitimer(__itimer_which_t which, const struct itimerval *value,
                          struct itimerval *old)
{
    if (unlikely(worker_minds_timer) && which == ITIMER_PROF && value && thread_self.main)
        return set_and_tell(value, old);
    return real.setitimer(which, value, old);
}

SHIM_EXPORT clock_t times(struct tms *answer)
{
    clock_t now = real.times(answer);

    if (answer && thread_self.main)
        cpu_clock_heard(answer);
    return now;
}

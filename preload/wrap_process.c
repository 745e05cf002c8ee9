/*
 * wrap_process.c - the exported process functions: the host's call, and word of it to the shim.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/marks.h"
#include "base/real.h"
#include "role.h"
#include "shim.h"
#include "banned.h"

/* The child's side is the fork handler's (shim.c): that also runs for forks inside libraries. */
SHIM_EXPORT pid_t fork(void)
{
    pid_t child;

    if (role_now == ROLE_INERT)
        return real.fork();
    shim_before_fork();
    child = real.fork();
    if (child > 0)
        shim_after_fork(child);
    return child;
}

SHIM_EXPORT pid_t setsid(void)
{
    if (role_now == ROLE_CANDIDATE)
        shim_before_setsid();
    return real.setsid();
}

SHIM_EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
    int own_status = 0;
    pid_t child = real.waitpid(pid, status ? status : &own_status, options);

    if (child > 0 && role_now == ROLE_MASTER)
        shim_reaped(child, status ? *status : own_status);
    return child;
}

/* Said before it is done: the target may be ourselves, and the signal final. */
SHIM_EXPORT int kill(pid_t pid, int signo)
{
    if (signo != 0 && role_now >= ROLE_MASTER)
        shim_before_kill(pid, signo);
    return real.kill(pid, signo);
}

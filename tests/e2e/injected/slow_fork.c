/*
 * slow_fork.c - preloaded into a collector: its children get no CPU for SLOW_FORK_MS after the
 * fork.
 *
 * Until then they hold a copy of every descriptor that the collector had at that moment.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

pid_t fork(void)
{
    pid_t (*real_fork)(void) = (pid_t(*)(void)) dlsym(RTLD_NEXT, "fork");
    const char *ms = getenv("SLOW_FORK_MS");
    const pid_t pid = real_fork();

    if (pid == 0 && ms)
        usleep((useconds_t) atoi(ms) * 1000);
    return pid;
}

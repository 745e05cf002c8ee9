/* master.c - see master.h. */
#include "master.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "banned.h"

void master_start(struct master *master, struct session *session,
                  const struct recorder_place *place)
{
    const struct wire_hello hello = {
        .version = WIRE_VERSION,
        .role = WIRE_ROLE_MASTER,
        .pid = (uint32_t) getpid(),
        .ppid = (uint32_t) getppid(),
        .start_ticks = process_start_ticks(),
        .time_us = clock_unix_us(),
    };

    *master = (struct master){.session = session, .place = *place};
    session_introduce(session, &hello);
}

void master_forked(struct master *master, pid_t child)
{
    const struct wire_fork message = {.time_us = clock_unix_us(), .child = (uint32_t) child};
    int saved_errno = errno;

    session_say(master->session, WIRE_INDEX_FORK, &message, message.time_us);
    errno = saved_errno;
}

bool master_wonders(const struct master *master, int status)
{
    if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGQUIT)
        return false;
    return WTERMSIG(status) != SIGKILL || !master->has_killed;
}

static void master_clear_page(struct master *master, pid_t child, int status)
{
    if (master->session->link.fd >= 0 || WIFSTOPPED(status))
        return;
    if (master_wonders(master, status) && master->kept_pages++ < MASTER_KEPT_PAGES_MAX)
        return;
    recorder_sweep(&master->place, (uint32_t) child);
}

void master_reaped(struct master *master, pid_t child, int status)
{
    const struct wire_reap message = {
        .time_us = clock_unix_us(), .child = (uint32_t) child, .status = (uint32_t) status};
    int saved_errno = errno;

    session_say(master->session, WIRE_INDEX_REAP, &message, message.time_us);
    master_clear_page(master, child, status);
    errno = saved_errno;
}

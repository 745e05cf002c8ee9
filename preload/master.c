/* master.c - see master.h. */
#include "master.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "banned.h"

void master_start(struct session *session)
{
    const struct wire_hello hello = {
        .version = WIRE_VERSION,
        .role = WIRE_ROLE_MASTER,
        .pid = (uint32_t) getpid(),
        .ppid = (uint32_t) getppid(),
        .start_ticks = process_start_ticks(),
        .time_us = clock_unix_us(),
    };

    session_introduce(session, &hello);
}

static void master_say(struct session *session, size_t index, const void *message, int64_t now_us)
{
    int saved_errno = errno;

    session_revive(session, now_us);
    batch_add(&session->batch, index, message);
    batch_flush(&session->batch);
    errno = saved_errno;
}

void master_forked(struct session *session, pid_t child)
{
    const struct wire_fork message = {.time_us = clock_unix_us(), .child = (uint32_t) child};

    master_say(session, WIRE_INDEX_FORK, &message, message.time_us);
}

void master_reaped(struct session *session, pid_t child, int status)
{
    const struct wire_reap message = {
        .time_us = clock_unix_us(), .child = (uint32_t) child, .status = (uint32_t) status};

    master_say(session, WIRE_INDEX_REAP, &message, message.time_us);
}

/* masters.c - verify masters, and take their word about their children. */
#include "ingest/masters.h"

#include <sys/wait.h>

#include "base/proc.h"
#include "fpmscope/wire_codec.h"
#include "model/event_set.h"

bool master_is_genuine(const struct ingest *ingest, pid_t pid)
{
    char name[256];
    uid_t uid;

    if (process_user(pid, &uid) < 0 || (uid != 0 && uid != ingest->policy.own_uid))
        return false;
    if (process_executable(pid, name, sizeof name) < 0)
        return false;
    return strncmp(name, ingest->policy.master_name, strlen(ingest->policy.master_name)) == 0;
}

static bool claims_to_be_master(const uint8_t *packet, size_t len_bytes)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;
    union wire_any any;

    while (wire_next(packet, len_bytes, &pos, &desc, &message, &length))
        if (desc && desc->id == WIRE_HELLO && wire_decode(desc, message, length, &any))
            return any.hello.role == WIRE_ROLE_MASTER;
    return false;
}

void master_note_packet(struct ingest *ingest, struct worker *worker,
                        const struct ingest_sender *sender, const void *packet, size_t len_bytes)
{
    if (worker->is_master || !claims_to_be_master(packet, len_bytes))
        return;
    if (sender->start_ticks == 0 || !master_is_genuine(ingest, sender->pid)) {
        ingest_count(ingest, "false_masters", 1);
        return;
    }
    worker->is_master = true;
    worker->is_stored = false; /* with daemonize=yes it was a fork child before */
    ingest_store_start(ingest, worker);
}

/* A reload keeps the process and runs the program again, whose HELLO is younger; that of a
 * reconnection is the old one. */
void master_on_hello(struct ingest *ingest, struct worker *worker, int64_t time_us)
{
    if (time_us <= worker->introduced_us || time_us > ingest->now_us)
        return;
    if (worker->introduced_us > 0) {
        struct event event = ingest_event(ingest, worker, EVENT_master, time_us);

        event_set_ppid(&event, worker->parent);
        ingest_store(ingest, &event);
    }
    worker->introduced_us = time_us;
}

/* Parents are asked from the kernel; a child that is gone already cannot be asked. */
static bool is_child_of(const struct ingest *ingest, pid_t child, const struct worker *master)
{
    const struct worker *known = worker_find_pid(&ingest->workers, child);
    struct process_stat stat;

    if (known && known->parent)
        return known->parent == master->key.pid;
    return process_stat(child, &stat) < 0 || stat.parent == master->key.pid;
}

static bool may_speak(struct ingest *ingest, const struct worker *master, uint32_t child)
{
    if (master->is_master && child <= INT32_MAX && is_child_of(ingest, (pid_t) child, master))
        return true;
    ingest_count(ingest, "false_masters", 1);
    return false;
}

void master_on_fork(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    struct event event = ingest_event(ingest, worker, EVENT_fork, any->fork.time_us);

    if (!may_speak(ingest, worker, any->fork.child))
        return;
    event_set_child(&event, any->fork.child);
    ingest_store(ingest, &event);
}

static void describe_end(struct event *event, int status)
{
    if (WIFSIGNALED(status)) {
        event_set_sig(event, WTERMSIG(status));
        event_set_core(event, WCOREDUMP(status) != 0);
    } else if (WIFEXITED(status)) {
        event_set_code(event, WEXITSTATUS(status));
    } else {
        event->kind = EVENT_stop;
        event_set_wait_status(event, status);
    }
}

static void remember_early_end(struct ingest *ingest, const struct wire_reap *reap)
{
    const int64_t time_us = reap->time_us < ingest->now_us ? reap->time_us : ingest->now_us;

    ingest->early_ends[ingest->early_end_count++ % INGEST_EARLY_ENDS_MAX] =
        (struct early_end){.pid = (pid_t) reap->child, .time_us = time_us};
}

/* A process that was born after that end is another one. */
void master_note_child(struct ingest *ingest, struct worker *worker)
{
    for (size_t i = 0; i < INGEST_EARLY_ENDS_MAX; i++) {
        struct early_end *early = &ingest->early_ends[i];

        if (early->pid != worker->key.pid || early->time_us < worker->born_us)
            continue;
        worker->is_reaped = true;
        early->pid = 0;
    }
}

/* NULL: it has not spoken yet.  Who has had an end, or was born after this one, is not meant: the
 * pid is another's by now.  (Words of a master may wait for a collector.) */
static struct worker *find_child(struct ingest *ingest, const struct wire_reap *reap)
{
    struct worker *child = worker_find_pid(&ingest->workers, (pid_t) reap->child);

    return child && (child->is_reaped || child->born_us > reap->time_us) ? NULL : child;
}

void master_on_reap(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_reap *reap = &any->reap;

    if (!may_speak(ingest, worker, reap->child))
        return;
    const bool is_end = !WIFSTOPPED((int) reap->status);
    struct worker *child = find_child(ingest, reap);
    struct event event = ingest_event(ingest, worker, EVENT_exit, reap->time_us);
    event_set_pid(&event, reap->child);
    event.has &= ~event_bit(EVENT_HAS_start_ticks, true);
    if (!child && is_end)
        remember_early_end(ingest, reap);
    if (child) {
        child->is_reaped = is_end;
        event_set_start_ticks(&event, (int64_t) child->key.start_ticks);
        event_set_age_us(&event, event.ts_us - child->born_us);
        if (child->rss_kib > 0)
            event_set_rss_kib(&event, child->rss_kib);
    }
    event_set_master(&event, worker->key.pid);
    describe_end(&event, (int) reap->status);
    ingest_store(ingest, &event);
}

void master_note_missed_exit(struct ingest *ingest, const struct worker *worker)
{
    const struct worker *master = worker_find_pid(&ingest->workers, worker->parent);

    if (!worker->is_master && !worker->is_reaped && master && master->is_master &&
        !master->has_ended)
        ingest_count(ingest, "missed_exits", 1);
}

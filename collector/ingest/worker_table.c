/* worker_table.c - keep, find and forget processes. */
#include "ingest/worker_table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/proc.h"

enum { FIRST_STACKS = 64 };

/* The padding-free key is what uthash compares. */
static struct worker_key key_of(pid_t pid, uint64_t start_ticks)
{
    return (struct worker_key){.pid = pid, .start_ticks = start_ticks};
}

struct worker *worker_find(const struct worker_table *table, pid_t pid, uint64_t start_ticks)
{
    const struct worker_key key = key_of(pid, start_ticks);
    struct worker *worker;

    HASH_FIND(hh, table->workers, &key, sizeof key, worker);
    return worker;
}

struct worker *worker_find_pid(const struct worker_table *table, pid_t pid)
{
    struct worker *youngest = NULL;

    for (struct worker *worker = table->workers; worker; worker = worker->hh.next)
        if (worker->key.pid == pid &&
            (!youngest || worker->key.start_ticks > youngest->key.start_ticks))
            youngest = worker;
    return youngest;
}

struct worker *worker_ensure(struct worker_table *table, pid_t pid, uint64_t start_ticks)
{
    struct worker *worker = worker_find(table, pid, start_ticks);

    if (worker || HASH_COUNT(table->workers) >= WORKERS_MAX)
        return worker;
    worker = calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->key = key_of(pid, start_ticks);
    worker->born_us = process_start_us(start_ticks);
    HASH_ADD(hh, table->workers, key, sizeof worker->key, worker);
    return worker;
}

void worker_remove(struct worker_table *table, struct worker *worker)
{
    HASH_DEL(table->workers, worker);
    if (worker->outbox.hold != WORKER_SENDS)
        close(worker->outbox.fd);
    free(worker->stacks);
    free(worker->crash);
    code_map_free(worker->map);
    free(worker);
}

void worker_table_release(struct worker_table *table)
{
    struct worker *worker, *next;

    HASH_ITER(hh, table->workers, worker, next)
    {
        worker_remove(table, worker);
    }
}

int64_t worker_stack(const struct worker *worker, uint32_t id)
{
    return id < worker->stack_capacity ? worker->stacks[id] : 0;
}

static int grow_stacks(struct worker *worker, uint32_t id)
{
    size_t capacity = worker->stack_capacity ? worker->stack_capacity : FIRST_STACKS;

    if (id >= WORKER_STACKS_MAX)
        return -ENOSPC;
    while (capacity <= id)
        capacity *= 2;
    int64_t *stacks = realloc(worker->stacks, capacity * sizeof *stacks);
    if (!stacks)
        return -ENOMEM;
    for (size_t i = worker->stack_capacity; i < capacity; i++)
        stacks[i] = 0;
    worker->stacks = stacks;
    worker->stack_capacity = capacity;
    return 0;
}

int worker_set_stack(struct worker *worker, uint32_t id, int64_t store_id)
{
    int r = id < worker->stack_capacity ? 0 : grow_stacks(worker, id);

    if (r == 0)
        worker->stacks[id] = store_id;
    return r;
}

/*
 * gateway_deaths.c - the three witnesses of a death (shim, php-fpm's log, kernel) made one record.
 */
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    WITNESS_US = 5 * SECOND_US,  /* witnesses of one death differ by less */
    TIMEOUT_US = 15 * SECOND_US, /* from "execution timed out" to the end */
};

struct pid_entry {
    int64_t pid, time_us;
    uint32_t death;
};

static int compare_pids(const void *a, const void *b)
{
    const struct pid_entry *x = a, *y = b;

    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

/* Deaths by pid and time, to be released by the caller. */
static void index_pids(const struct gateway *gateway, struct array *ret_index)
{
    array_init(ret_index, sizeof(struct pid_entry), SIZE_MAX / 2);
    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);
        struct pid_entry *entry = array_add(ret_index);

        if (entry)
            *entry = (struct pid_entry){death->pid, death->time_us, (uint32_t) i};
    }
    array_sort(ret_index, compare_pids);
}

/* The death of `pid` closest to `time_us`, within the given distances; any when time is -1. */
static uint32_t find_death(const struct array *index, int64_t pid, int64_t time_us,
                           int64_t before_us, int64_t after_us)
{
    size_t low = 0, high = index->count;
    uint32_t best = NONE;
    int64_t best_us = INT64_MAX;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (((const struct pid_entry *) array_at(index, middle))->pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->count; low++) {
        const struct pid_entry *entry = array_at(index, low);
        int64_t later_us = entry->time_us - time_us;

        if (entry->pid != pid)
            break;
        if (time_us >= 0 && (later_us < -before_us || later_us > after_us))
            continue;
        if (time_us < 0 || llabs(later_us) < best_us) {
            best = entry->death;
            best_us = llabs(later_us);
        }
    }
    return best;
}

/* A worker that vanished was last seen before `time_us` and is dated to the end of the stream. */
static uint32_t find_lost(const struct gateway *gateway, const struct array *index, int64_t pid,
                          int64_t time_us)
{
    uint32_t found = find_death(index, pid, time_us, 0, INT64_MAX / 2);
    const struct death *death = found != NONE ? gateway_death(gateway, found) : NULL;

    return death && death->cause == DEATH_LOST && death->earliest_us <= time_us + WITNESS_US ? found
                                                                                             : NONE;
}

static struct death *new_death(struct gateway *gateway, int64_t pid, int64_t time_us,
                               int64_t precision_us)
{
    struct death *death = array_add(&gateway->deaths);

    if (death)
        *death = (struct death){.pid = pid,
                                .time_us = time_us,
                                .earliest_us = time_us,
                                .precision_us = precision_us,
                                .exit_code = -1,
                                .restart = NONE,
                                .oom = NONE,
                                .fpm_line = {.file = -1},
                                .timeout_line = {.file = -1},
                                .kernel_line = {.file = -1}};
    return death;
}

static void read_exit(struct gateway *gateway, const struct array *index,
                      const struct fpm_note *note)
{
    uint32_t found = find_death(index, note->pid, note->time_us, WITNESS_US, WITNESS_US);
    struct death *death = found != NONE
                              ? gateway_death(gateway, found)
                              : new_death(gateway, note->pid, note->time_us, note->precision_us);

    if (!death)
        return;
    death->fpm_line = note->ref;
    death->age_us = note->age_us;
    death->core |= note->core;
    if (note->pool)
        death->pool = note->pool;
    if (note->what == FPM_CHILD_SIGNAL && note->signo > 0 && death->signo == 0)
        death->signo = note->signo;
    if (note->what == FPM_CHILD_EXIT && !death->signo)
        death->exit_code = note->code;
}

static void read_timeout(struct gateway *gateway, const struct array *index,
                         const struct fpm_note *note)
{
    uint32_t found = find_death(index, note->pid, note->time_us, SECOND_US, TIMEOUT_US);

    if (found == NONE)
        return;
    struct death *death = gateway_death(gateway, found);

    death->timeout_line = note->ref;
    death->ran_us = note->age_us;
    death->query = note->query;
}

static void read_notes(struct gateway *gateway, bool exits)
{
    struct array index;

    index_pids(gateway, &index);
    for (size_t i = 0; i < gateway->fpm_notes.count; i++) {
        const struct fpm_note *note = GATEWAY_AT(gateway, fpm_notes, fpm_note, i);

        if (exits && (note->what == FPM_CHILD_SIGNAL || note->what == FPM_CHILD_EXIT))
            read_exit(gateway, &index, note);
        if (!exits && note->what == FPM_TIMEOUT)
            read_timeout(gateway, &index, note);
    }
    array_release(&index);
}

static bool near_stack(uint64_t addr, uint64_t sp)
{
    return addr > 0x10000 && sp > 0 && (addr > sp ? addr - sp : sp - addr) < 0x10000;
}

static void read_kernel_crash(struct gateway *gateway, const struct array *index,
                              const struct kernel_crash *crash)
{
    uint32_t found = find_death(index, crash->pid, crash->time_us, WITNESS_US, WITNESS_US);

    if (found == NONE && crash->time_us < 0)
        return; /* when? */
    struct death *death = found != NONE ? gateway_death(gateway, found)
                                        : new_death(gateway, crash->pid, crash->time_us, SECOND_US);

    if (!death)
        return;
    if (death->signo == 0)
        death->signo = 11;
    death->kernel_line = crash->ref;
    death->shared_object = crash->shared_object ? crash->shared_object : death->shared_object;
    death->shared_object_offset =
        crash->shared_object ? crash->shared_object_offset : death->shared_object_offset;
    death->stack_overflow |= near_stack(crash->addr, crash->sp);
}

static void read_kernel(struct gateway *gateway)
{
    struct array index;

    index_pids(gateway, &index);
    for (size_t i = 0; i < gateway->kernel_crashes.count; i++)
        read_kernel_crash(gateway, &index, GATEWAY_AT(gateway, kernel_crashes, kernel_crash, i));
    for (size_t i = 0; i < gateway->ooms.count; i++) {
        const struct oom *oom = GATEWAY_AT(gateway, ooms, oom, i);
        uint32_t found = find_death(&index, oom->pid, oom->time_us, WITNESS_US, 30ll * SECOND_US);

        if (oom->pid <= 0)
            continue;
        if (found == NONE)
            found = find_lost(gateway, &index, oom->pid, oom->time_us);
        struct death *death = found != NONE ? gateway_death(gateway, found)
                              : oom->time_us >= 0
                                  ? new_death(gateway, oom->pid, oom->time_us, SECOND_US)
                                  : NULL;

        if (!death || (death->signo != 9 && death->signo != 0))
            continue;
        death->signo = 9;
        death->oom = (uint32_t) i;
        death->kernel_line = oom->ref;
    }
    array_release(&index);
}

bool death_is_crash_signal(int signo)
{
    static const unsigned fatal = 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 11;

    return signo == 31 || (signo > 0 && signo < 31 && (fatal >> signo & 1));
}

void deaths_hear_witnesses(struct gateway *gateway)
{
    read_notes(gateway, true);
    read_notes(gateway, false);
    read_kernel(gateway);
}

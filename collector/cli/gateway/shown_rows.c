/* shown_rows.c - each row of a live view once, and not before it is ripe. */
#include "cli/gateway/shown_rows.h"

#include <stdlib.h>

#include "base/idmap.h"

enum {
    KEYS_MAX = 1 << 16,
    HOLD_US = 700 * 1000, /* facts: the line comes up to 0.5 s before the master's word */
    HOLD_UNKNOWN_US = 3000 * 1000,
};

struct shown_rows {
    struct idmap known;
    uint64_t ring[KEYS_MAX]; /* in the order of being shown; the oldest goes first */
    size_t next, count;
};

struct shown_rows *shown_rows_new(void)
{
    struct shown_rows *shown = calloc(1, sizeof *shown);

    if (shown)
        idmap_init(&shown->known, KEYS_MAX + 1);
    return shown;
}

void shown_rows_free(struct shown_rows *shown)
{
    if (!shown)
        return;
    idmap_release(&shown->known);
    free(shown);
}

static uint64_t key_of_line(const struct gateway_line *line)
{
    return idmap_mix((uint64_t) line->offset_bytes << 16 ^ (uint64_t) line->file);
}

static uint64_t key_of_death(const struct gateway_row *row)
{
    uint64_t pid = row->pid_count > 0 ? (uint64_t) row->pids[0] : 0;

    return idmap_mix(~((uint64_t) row->time_us ^ pid << 40));
}

static size_t keys_of(const struct gateway_row *row, uint64_t keys[GATEWAY_LINES_MAX])
{
    size_t n = 0;

    for (int i = 0; i < row->access_line_count && i < row->line_count; i++)
        keys[n++] = key_of_line(&row->lines[i]);
    if (n == 0)
        keys[n++] = key_of_death(row);
    return n;
}

static void remember(struct shown_rows *shown, uint64_t key)
{
    uint32_t unused;

    if (idmap_get(&shown->known, key, &unused))
        return;
    if (shown->count == KEYS_MAX)
        idmap_remove(&shown->known, shown->ring[shown->next]);
    else
        shown->count++;
    idmap_put(&shown->known, key, 1);
    shown->ring[shown->next] = key;
    shown->next = (shown->next + 1) % KEYS_MAX;
}

bool shown_rows_add(struct shown_rows *shown, const struct gateway_row *row)
{
    uint64_t keys[GATEWAY_LINES_MAX];
    size_t n = keys_of(row, keys);
    bool is_new = true;
    uint32_t unused;

    for (size_t i = 0; i < n; i++)
        is_new &= !idmap_get(&shown->known, keys[i], &unused);
    for (size_t i = 0; i < n; i++)
        remember(shown, keys[i]);
    return is_new;
}

bool shown_rows_is_settled(const struct gateway_row *row, int64_t now_us)
{
    int64_t hold_us = row->verdict == VERDICT_unknown ? HOLD_UNKNOWN_US : HOLD_US;

    return row->time_us + row->time_precision_us / 2 + hold_us <= now_us;
}

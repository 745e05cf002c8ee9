/* collector_memory.c - who holds the host's memory, every ten seconds. */
#include "cli/collect/collector_memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "cli/input/small_file.h"
#include "model/event_set.h"

enum {
    PROCESSES_MAX = 8192,
    HOLDERS_STORED = 6,
    REPEAT_US = 60 * 1000 * 1000,
    SMALL_BYTES = 65536,
    TITLE_BYTES = 128,
    NEWS_KIB = 16 * 1024, /* smaller changes matter to nobody */
};

/* "php-fpm: pool www" tells pools apart; other titles hold arguments, which may be secret. */
static struct slice holder_name(pid_t pid, char comm[TITLE_BYTES], char title[TITLE_BYTES])
{
    struct slice text;

    if (small_file_read_proc(pid, "comm", TITLE_BYTES - 1, &text) < 0)
        return SLICE("");
    size_t length = text.len_bytes;

    memcpy(comm, text.ptr, length);
    small_file_free(&text);
    if (length > 0 && comm[length - 1] == '\n')
        length--;
    const struct slice name = {comm, length};

    if (slice_starts(name, SLICE("php-fpm")) &&
        process_command_line(pid, title, TITLE_BYTES) == 0 &&
        slice_starts(slice_of(title), SLICE("php-fpm: pool ")))
        return slice_of(title);
    return name;
}

static void look_at_processes(struct memory_holders *holders)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    int seen = 0;

    while (proc && seen < PROCESSES_MAX && (entry = readdir(proc)) != NULL) {
        char comm[TITLE_BYTES], title[TITLE_BYTES];
        const pid_t pid = (pid_t) atoi(entry->d_name);
        const int64_t rss_kib = pid > 0 ? process_rss_kib(pid) : 0;

        seen += pid > 0;
        if (rss_kib > 0)
            memory_holders_add(holders, holder_name(pid, comm, title), 1, rss_kib);
    }
    if (proc)
        closedir(proc);
}

/* KiB, 0 when the kernel does not say. */
static int64_t available_kib(void)
{
    struct slice text;
    long long kib = 0;

    if (small_file_read("/proc/meminfo", SMALL_BYTES, &text) < 0)
        return 0;
    const char *row = strstr(text.ptr, "\nMemAvailable:");

    if (row && sscanf(row, "\nMemAvailable: %lld", &kib) != 1)
        kib = 0;
    small_file_free(&text);
    return kib;
}

bool collector_memory_is_news(const struct collector_memory *memory,
                              const struct memory_holders *now, int64_t now_us)
{
    if (now_us - memory->stored_us >= REPEAT_US || now_us < memory->stored_us)
        return true;
    for (size_t i = 0; i < now->count && i < HOLDERS_STORED; i++) {
        const struct memory_holder *holder = &now->items[i];
        int64_t before_kib = 0;

        for (size_t k = 0; k < memory->stored.count; k++)
            if (strcmp(memory->stored.items[k].name, holder->name) == 0)
                before_kib = memory->stored.items[k].rss_kib;
        int64_t change_kib = llabs(holder->rss_kib - before_kib);

        if (change_kib > NEWS_KIB && change_kib > before_kib / 8)
            return true;
    }
    return false;
}

static void store_holder(struct store *store, int64_t now_us, const char *name, int64_t processes,
                         int64_t rss_kib)
{
    struct event event = {.kind = EVENT_rss};

    event_set_ts_us(&event, now_us);
    event_set_name(&event, slice_of(name));
    event_set_count(&event, processes);
    event_set_rss_kib(&event, rss_kib);
    store_append(store, &event);
}

void collector_memory_look(struct collector_memory *memory, struct store *store, int64_t now_us)
{
    struct memory_holders holders = {0};

    look_at_processes(&holders);
    memory_holders_sort(&holders);
    if (holders.count == 0 || !collector_memory_is_news(memory, &holders, now_us))
        return;
    for (size_t i = 0; i < holders.count && i < HOLDERS_STORED; i++)
        store_holder(store, now_us, holders.items[i].name, holders.items[i].processes,
                     holders.items[i].rss_kib);
    store_holder(store, now_us, "(available)", 0, available_kib());
    memory->stored = holders;
    memory->stored_us = now_us;
}

/* gateway_source.c - files, the store, or the usual places. */
#include "cli/gateway/gateway_source.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "cli/gateway/gateway_owners.h"
#include "cli/gateway/store_feed.h"
#include "logs/journal.h"

enum { STDIN_WAIT_MS = 500 };

/* Logs of the whole system, which have the kernel's words. */
static const char *const kernel_logs[] = {"kern.log", "kernel.log", "messages", "syslog", "dmesg"};

static void note_kernel_log(struct gateway *gateway, const char *path, bool is_readable)
{
    const char *slash = strrchr(path, '/');
    const struct slice name = slice_of(slash ? slash + 1 : path);

    if (journal_is(path))
        gateway_note_kernel_log(gateway, SLICE("the journal"), is_readable);
    for (size_t i = 0; i < sizeof kernel_logs / sizeof *kernel_logs; i++)
        if (slice_starts(name, slice_of(kernel_logs[i])))
            gateway_note_kernel_log(gateway, slice_of(path), is_readable);
}

static int find_places(struct gateway_source *source)
{
    const struct period *period = &source->feed.period;
    int r = gateway_places_find(&source->found, GATEWAY_SOURCE_FILES_MAX,
                                period->from_us || period->to_us);

    if (r < 0)
        return r;
    for (size_t i = 0; i < source->found.count; i++)
        source->names[source->count++] = source->found.paths[i];
    source->feed.access_formats = source->found.formats;
    return 0;
}

static int read_files(struct gateway_source *source, const char *command, struct gateway *gateway)
{
    source->reports = calloc(source->count + 1, sizeof *source->reports);
    if (!source->reports)
        return -ENOMEM;
    int r =
        gateway_feed_files(gateway, source->names, source->count, &source->feed, source->reports);

    for (size_t i = 0; i < source->count; i++) {
        note_kernel_log(gateway, source->names[i], !source->reports[i].message[0]);
        if (source->reports[i].message[0])
            fprintf(stderr, "%s: %s\n", command, source->reports[i].message);
    }
    return r;
}

int gateway_source_open_store(struct gateway_source *source, struct store_message *ret_message)
{
    char directory[PATH_MAX];
    const char *data = source->data;

    if (!data && path_of_data(directory, sizeof directory) == 0)
        data = directory;
    if (!data) {
        snprintf(ret_message->text, sizeof ret_message->text,
                 "no data directory; give one with --data");
        return -ENOENT;
    }
    return store_open(data, STORE_READ, NULL, &source->store, ret_message);
}

int gateway_source_read_store(struct gateway_source *source, struct gateway *gateway)
{
    int r = store_feed_gateway(source->store, &source->feed.period, gateway);

    if (r == 0)
        r = gateway_owners_of_store(source->store, &source->feed.period, gateway);

    for (int i = 0; i < GATEWAY_SOURCE_FILES_MAX; i++) {
        const char *path = store_log_path(source->store, i);

        source->names[i] = path ? path : "?";
        if (path) /* nothing was ever read of a log without a bookmark */
            note_kernel_log(gateway, path, store_log_bookmark(source->store, i) != NULL);
    }
    source->count = GATEWAY_SOURCE_FILES_MAX;
    return r;
}

/* 1 when the store was read, 0 when there is none. */
static int read_store(struct gateway_source *source, const char *command, struct gateway *gateway)
{
    struct store_message message;
    int r = gateway_source_open_store(source, &message);

    if (r == -ENOENT && !source->data)
        return 0;
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", command, message.text);
        return r;
    }
    r = gateway_source_read_store(source, gateway);
    return r < 0 ? r : 1;
}

/* `zcat access.log.* | fpmscope 502`: a pipe that soon has something to say is what is meant. */
static bool stdin_is_meant(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode) &&
           poll(&input, 1, STDIN_WAIT_MS) == 1 && (input.revents & POLLIN);
}

int gateway_source_read(struct gateway_source *source, const char *command, struct gateway *gateway)
{
    if (source->count == 0 && !source->data && stdin_is_meant())
        source->names[source->count++] = "-";
    if (source->count == 0) {
        int r = read_store(source, command, gateway);

        if (r != 0)
            return r < 0 ? r : 0;
        r = find_places(source);
        if (r < 0)
            return r;
    }
    int r = read_files(source, command, gateway);

    if (r < 0)
        fprintf(stderr, "%s: no log could be read; name some, or give the store with --data\n",
                command);
    return r;
}

void gateway_source_close(struct gateway_source *source)
{
    store_free(source->store);
    free(source->reports);
    gateway_places_release(&source->found);
}

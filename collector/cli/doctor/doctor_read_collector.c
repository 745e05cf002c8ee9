/* doctor_read_collector.c - the collector's socket, its store, the pages of the flight recorder. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "base/clock.h"
#include "base/paths.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"
#include "store/store.h"

enum { SOCKETS_MAX_BYTES = 8 << 20 };

/* NULL when it is well; `ret_denied` when it is not ours to see. */
static const char *socket_problem(const char *path, bool *ret_denied)
{
    struct slice text;
    struct stat status;
    bool listens;

    if (stat(path, &status) < 0 || access(path, W_OK) < 0) {
        *ret_denied = errno == EACCES || errno == EPERM;
        return errno == ENOENT ? "there is no such socket: no collector runs" : strerror(errno);
    }
    if (!S_ISSOCK(status.st_mode))
        return "it is not a socket";
    if (small_file_read("/proc/net/unix", SOCKETS_MAX_BYTES, &text) < 0)
        return "/proc/net/unix cannot be read";
    listens = doctor_unix_listens(text, slice_of(path));
    small_file_free(&text);
    return listens ? NULL : "nobody listens there: the collector has ended";
}

static void read_store(struct doctor_host *host, const char *data)
{
    struct doctor_collector *collector = &host->collector;
    struct store_message message;
    struct store_info info;
    struct store *store;

    if (store_open(data, STORE_READ, NULL, &store, &message) < 0) {
        collector->store_problem = doctor_host_text(host, slice_of(message.text));
        return;
    }
    if (store_inspect(store, &info) == 0) {
        const int64_t now_us = clock_now_us();

        collector->has_store = true;
        collector->store_bytes = info.bytes;
        if (info.last_us > 0)
            collector->newest_age_us = now_us > info.last_us ? now_us - info.last_us : 0;
    } else {
        collector->store_problem = doctor_host_text(host, slice_of(store_problem(store)));
    }
    store_free(store);
}

void doctor_read_collector(struct doctor_reading *reading)
{
    struct doctor_collector *collector = &reading->host->collector;
    const struct doctor_request *request = reading->request;
    struct statfs system;
    char pages[PATH_MAX];
    const char *problem = socket_problem(request->socket, &collector->denied);

    collector->socket = request->socket;
    collector->data = request->data;
    collector->reachable = problem == NULL;
    collector->socket_problem = doctor_host_text(reading->host, slice_of(problem));
    read_store(reading->host, request->data);
    if (path_of_pages(request->socket, pages, sizeof pages) < 0)
        return;
    collector->pages = doctor_host_text(reading->host, slice_of(pages));
    collector->pages_exist = statfs(pages, &system) == 0;
    collector->pages_on_tmpfs =
        collector->pages_exist && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

/* ingest.c - the life of an ingest, and the small things that all its files need. */
#include "ingest/ingest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <xxhash.h>

#include "ingest/ingest_internal.h"
#include "model/event_set.h"

enum { CONTROLLER_STACKS_MAX = 65536, CONTROLLER_NAMES_BYTES = 1 << 20 };
static const int64_t second_us = 1000000;

int ingest_new(struct store *store, const struct ingest_policy *policy, struct ingest **ret_ingest)
{
    struct ingest *ingest = calloc(1, sizeof *ingest);

    if (!ingest)
        return -ENOMEM;
    ingest->store = store;
    ingest->policy = *policy;
    ingest->complete_since_us = INT64_MAX;
    if (!ingest->policy.master_name)
        ingest->policy.master_name = "php-fpm";
    idmap_init(&ingest->controllers, CONTROLLER_STACKS_MAX);
    intern_init(&ingest->controller_names, CONTROLLER_NAMES_BYTES);
    ingest->page = calloc(1, sizeof *ingest->page);
    ingest->gone_pages = calloc(INGEST_GONE_PAGES_MAX, sizeof *ingest->gone_pages);
    if (!ingest->page || !ingest->gone_pages || ingest_stacks_new(&ingest->stacks) < 0) {
        ingest_free(ingest);
        return -ENOMEM;
    }
    *ret_ingest = ingest;
    return 0;
}

void ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    ingest_settle(ingest);
    worker_table_release(&ingest->workers);
    ingest_stacks_free(ingest->stacks);
    idmap_release(&ingest->controllers);
    intern_release(&ingest->controller_names);
    free(ingest->page);
    free(ingest->gone_pages);
    free(ingest);
}

void ingest_count(struct ingest *ingest, const char *name, uint64_t n)
{
    store_add_coverage(ingest->store, name, SLICE(""), n);
}

void ingest_store(struct ingest *ingest, const struct event *event)
{
    store_append(ingest->store, event);
    if (ingest->policy.on_event)
        ingest->policy.on_event(ingest->policy.ctx, event);
}

/* A worker's clock is the host's; what lies outside its life is a lie or a stepped clock. */
static int64_t believable_time(struct ingest *ingest, const struct worker *worker, int64_t time_us)
{
    if (time_us >= worker->born_us - second_us && time_us <= ingest->now_us + second_us)
        return time_us;
    ingest_count(ingest, "corrected_times", 1);
    return time_us < worker->born_us ? worker->born_us : ingest->now_us;
}

struct event ingest_event(struct ingest *ingest, const struct worker *worker, enum event_kind kind,
                          int64_t time_us)
{
    struct event event = {.kind = kind};

    event_set_ts_us(&event, believable_time(ingest, worker, time_us));
    event_set_pid(&event, worker->key.pid);
    event_set_start_ticks(&event, (int64_t) worker->key.start_ticks);
    return event;
}

int64_t ingest_hash(struct slice text)
{
    return ingest_number(XXH3_64bits(text.ptr, text.len_bytes));
}

struct slice ingest_mask(const struct ingest *ingest, struct slice uri, ingest_uri *ret_shown)
{
    if (!ingest->policy.mask_uri)
        return uri;
    return (struct slice){.ptr = *ret_shown,
                          .len_bytes = ingest->policy.mask_uri(uri, *ret_shown, sizeof *ret_shown)};
}

int ingest_read_page(struct ingest *ingest, struct worker *worker, enum page_part part)
{
    char name[PAGE_NAME_BYTES];
    int r = -ENOENT;

    page_format_name((pid_t) worker->key.pid, worker->key.start_ticks, name);
    for (size_t i = 0; r == -ENOENT && i < INGEST_PAGES_MAX; i++)
        if (ingest->policy.pages[i].directory)
            r = page_read(ingest->policy.pages[i].directory, name, part, ingest->page);
    if (r == -EBADMSG)
        ingest_count(ingest, "damaged_pages", 1);
    return r;
}

static bool page_path(const char *directory, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%s/%s", directory, name);

    return n > 0 && n < PATH_MAX;
}

void ingest_forget_page(struct ingest *ingest, const struct worker *worker)
{
    char name[PAGE_NAME_BYTES], path[PATH_MAX];

    page_format_name((pid_t) worker->key.pid, worker->key.start_ticks, name);
    for (size_t i = 0; i < INGEST_PAGES_MAX; i++) {
        const char *directory = ingest->policy.pages[i].directory;

        if (!directory || ingest->gone_count == INGEST_GONE_PAGES_MAX ||
            !page_path(directory, name, path) || access(path, F_OK) < 0)
            continue;
        struct gone_page *gone = &ingest->gone_pages[ingest->gone_count++];
        gone->directory = directory;
        memcpy(gone->name, name, sizeof gone->name);
    }
}

void ingest_committed(struct ingest *ingest)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < ingest->gone_count; i++)
        if (page_path(ingest->gone_pages[i].directory, ingest->gone_pages[i].name, path))
            unlink(path);
    ingest->gone_count = 0;
}

void ingest_census(const struct ingest *ingest, size_t *ret_living, size_t *ret_unconnected)
{
    *ret_living = *ret_unconnected = 0;
    for (const struct worker *worker = ingest->workers.workers; worker; worker = worker->hh.next) {
        if (worker->has_ended || worker->is_master)
            continue;
        ++*ret_living;
        *ret_unconnected += !worker->said_hello;
    }
}

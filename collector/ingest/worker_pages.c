/*
 * worker_pages.c - the recorder page of a worker, wherever it is; and its removal, once everything
 * that it said has been committed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "ingest/ingest_internal.h"

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

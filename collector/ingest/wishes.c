/* wishes.c - what the collector asks of some workers, through their recorder pages. */
#include <stdio.h>
#include <string.h>

#include "fpmscope/route_wish.h"
#include "ingest/ingest_internal.h"

enum { ONE_WORKER_IN = 4 };

static struct recorder_wishes page_wishes(const struct ingest_wish *wish)
{
    struct recorder_wishes wishes = {.route_hash = 0};

    if (wish->path.len_bytes == 0)
        return wishes;
    wishes.interval_bytes = (uint64_t) wish->interval_bytes;
    wishes.route_hash = route_wish_hash(wish->path.ptr, wish->path.len_bytes);
    wishes.route_bytes = (uint32_t) wish->path.len_bytes;
    wishes.flags = wish->whole_path ? RECORDER_WISH_WHOLE_PATH : 0;
    return wishes;
}

/* A wish about all requests is somebody else's. */
static bool says_so_already(const struct recorder_wishes *now, const struct recorder_wishes *wanted)
{
    return now->route_hash == wanted->route_hash &&
           (wanted->route_hash == 0 ||
            (now->interval_bytes == wanted->interval_bytes &&
             now->route_bytes == wanted->route_bytes && now->flags == wanted->flags));
}

static void wish_of_worker(struct ingest *ingest, struct worker *worker,
                           const struct recorder_wishes *wanted)
{
    struct recorder_wishes wishes = *wanted;
    char name[PAGE_NAME_BYTES];

    if (ingest_read_page(ingest, worker, PAGE_HEAD) < 0 ||
        says_so_already(&ingest->page->wishes, wanted))
        return;
    wishes.generation = ingest->page->wishes.generation + 1;
    page_format_name((pid_t) worker->key.pid, worker->key.start_ticks, name);
    for (size_t i = 0; i < INGEST_PAGES_MAX; i++)
        if (ingest->policy.pages[i].directory &&
            page_write_wishes(ingest->policy.pages[i].directory, name, &wishes) == 0)
            return;
}

void ingest_wish(struct ingest *ingest, const struct ingest_wish *wish)
{
    const struct recorder_wishes wanted = page_wishes(wish), none = {0};
    struct worker *worker, *next;
    size_t living = 0;

    if (wanted.route_hash == 0 && ingest->wishes_settled)
        return;
    HASH_ITER(hh, ingest->workers.workers, worker, next)
    {
        if (!worker->is_stored || worker->has_ended || worker->is_master)
            continue;
        wish_of_worker(ingest, worker, living++ % ONE_WORKER_IN == 0 ? &wanted : &none);
    }
    ingest->wishes_settled = wanted.route_hash == 0 && living > 0;
}

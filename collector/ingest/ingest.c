/* ingest.c - the life of an ingest. */
#include "ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>

#include "ingest/ingest_internal.h"

enum { CONTROLLER_STACKS_MAX = 65536, CONTROLLER_NAMES_BYTES = 1 << 20, LESSONS_MAX = 16384 };

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
    idmap_init(&ingest->templates, CONTROLLER_STACKS_MAX);
    idmap_init(&ingest->lessons, LESSONS_MAX);
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
    idmap_release(&ingest->templates);
    idmap_release(&ingest->lessons);
    intern_release(&ingest->controller_names);
    free(ingest->page);
    free(ingest->gone_pages);
    free(ingest);
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

/*
 * recorder.h - the worker's end of the flight recorder (fpmscope/recorder.h).
 *
 * There is always a page to write to: where no file can be had it is private memory, which nobody
 * reads but ourselves.  `shared` says which.
 */
#ifndef FPMSCOPE_RECORDER_RECORDER_H
#define FPMSCOPE_RECORDER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "fpmscope/recorder.h"
#include "recorder/page_dir.h"

struct recorder_place {
    const char *pages;  /* as configured, may be empty */
    const char *socket; /* the collector's, may be empty */
    uint32_t uid;       /* effective user */
};

struct recorder {
    struct recorder_page *page; /* never NULL after recorder_open() */
    bool shared;
    int error; /* why not shared: -errno */
    uint64_t wishes_seen;
    char path[PAGE_PATH_BYTES]; /* empty when not shared */
};

/* In a fork child, before it changes user or root. */
void recorder_open(struct recorder *recorder, const struct recorder_place *place);

/* In the master: remove what a worker left behind. */
void recorder_sweep(const struct recorder_place *place, uint32_t pid);

/* The process turned out to be no worker: remove the file. */
void recorder_discard(struct recorder *recorder);

/* The slot that nobody reads: fill it, then recorder_publish() it. */
static inline struct recorder_request *recorder_spare(struct recorder *recorder)
{
    return &recorder->page->slots[recorder->page->current == 0 ? 1 : 0];
}

static inline void recorder_publish(struct recorder *recorder,
                                    const struct recorder_request *request)
{
    uint32_t slot = request == &recorder->page->slots[0] ? 0 : 1;

    __atomic_store_n(&recorder->page->current, slot, __ATOMIC_RELEASE);
}

/* True when the collector has changed its wishes since the last call. */
bool recorder_wishes_changed(struct recorder *recorder, struct recorder_wishes *ret_wishes);

/* The oldest entry of the ring of growths, to be filled in place (php_len_bytes last), and then
 * shown as the newest. */
struct recorder_growth *recorder_spare_growth(struct recorder *recorder);
void recorder_publish_growth(struct recorder *recorder);

#endif

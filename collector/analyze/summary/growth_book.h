/*
 * growth_book.h - what the Zend heap of each worker took from the system in its newest request.
 *
 * A growth is told while its request runs and belongs to a route only when the request is over; of
 * a request that never ends it says who took the last memory before the worker died.  So the book
 * holds one page per worker: growths of one request, summed by stack, until they are settled.
 *
 * A worker that has settled and ended gives its page back.  Bounded; what found no place is
 * counted.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_GROWTH_BOOK_H
#define FPMSCOPE_ANALYZE_SUMMARY_GROWTH_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/idmap.h"
#include "model/event.h"

enum { GROWTH_BOOK_STACKS = 16, GROWTH_BOOK_PAGES_MAX = 16384 };

struct growth_sum {
    int64_t stack; /* 0: not known, or one of those that found no place */
    uint64_t bytes;
};

struct growth_page {
    int64_t pid, start_ticks, seq;
    bool died; /* its worker ended in the middle of this request */
    uint32_t count;
    struct growth_sum sums[GROWTH_BOOK_STACKS];
};

struct growth_book {
    struct array pages, free_pages; /* struct growth_page; uint32_t */
    struct idmap by_worker;
    struct idmap by_pid; /* the newest of a pid, for deaths that do not know the start time */
    uint64_t refused;
};

void growth_book_init(struct growth_book *book);
void growth_book_release(struct growth_book *book);

/* Take in `gro` and `end`; others are ignored. */
void growth_book_feed(struct growth_book *book, const struct event *event);

/* The page of this worker, NULL when it has none or nothing is on it.  `start_ticks` 0: the newest
 * worker with that pid. */
struct growth_page *growth_book_find(const struct growth_book *book, int64_t pid,
                                     int64_t start_ticks);

/* The growths on it have been used. */
void growth_page_clear(struct growth_page *page);

uint64_t growth_page_bytes(const struct growth_page *page);

#endif

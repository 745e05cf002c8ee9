/* growth_book.c - see growth_book.h. */
#include "analyze/summary/growth_book.h"

void growth_book_init(struct growth_book *book)
{
    array_init(&book->pages, sizeof(struct growth_page), GROWTH_BOOK_PAGES_MAX);
    array_init(&book->free_pages, sizeof(uint32_t), GROWTH_BOOK_PAGES_MAX);
    idmap_init(&book->by_worker, GROWTH_BOOK_PAGES_MAX);
    idmap_init(&book->by_pid, GROWTH_BOOK_PAGES_MAX);
    book->refused = 0;
}

void growth_book_release(struct growth_book *book)
{
    array_release(&book->pages);
    array_release(&book->free_pages);
    idmap_release(&book->by_worker);
    idmap_release(&book->by_pid);
}

static uint64_t worker_key(int64_t pid, int64_t start_ticks)
{
    return idmap_mix((uint64_t) pid << 40 ^ (uint64_t) start_ticks);
}

static struct growth_page *find(const struct growth_book *book, const struct idmap *map,
                                uint64_t key)
{
    uint32_t index;

    return idmap_get(map, key, &index) ? array_at(&book->pages, index) : NULL;
}

struct growth_page *growth_book_find(const struct growth_book *book, int64_t pid,
                                     int64_t start_ticks)
{
    struct growth_page *page = start_ticks != 0
                                   ? find(book, &book->by_worker, worker_key(pid, start_ticks))
                                   : find(book, &book->by_pid, (uint64_t) pid);

    return page && page->pid == pid && page->count > 0 ? page : NULL;
}

static bool take_page(struct growth_book *book, uint32_t *ret_index)
{
    if (book->free_pages.count > 0) {
        *ret_index = *(uint32_t *) array_at(&book->free_pages, --book->free_pages.count);
        return true;
    }
    *ret_index = (uint32_t) book->pages.count;
    return array_add(&book->pages) != NULL;
}

static struct growth_page *add_page(struct growth_book *book, const struct event *event)
{
    struct growth_page *page;
    uint32_t index;

    if (!take_page(book, &index)) {
        book->refused++;
        return NULL;
    }
    page = array_at(&book->pages, index);
    *page = (struct growth_page){.pid = event->pid, .start_ticks = event->start_ticks};
    if (idmap_put(&book->by_worker, worker_key(event->pid, event->start_ticks), index) < 0) {
        book->refused++;
        return NULL;
    }
    idmap_put(&book->by_pid, (uint64_t) event->pid, index);
    return page;
}

/* What finds no place of its own goes under "not known". */
static void add_sum(struct growth_page *page, int64_t stack, uint64_t bytes)
{
    for (uint32_t i = 0; i < page->count; i++)
        if (page->sums[i].stack == stack) {
            page->sums[i].bytes += bytes;
            return;
        }
    if (page->count == GROWTH_BOOK_STACKS) {
        page->sums[GROWTH_BOOK_STACKS - 1].stack = 0;
        page->sums[GROWTH_BOOK_STACKS - 1].bytes += bytes;
        return;
    }
    page->sums[page->count++] = (struct growth_sum){stack, bytes};
}

static void on_growth(struct growth_book *book, const struct event *event)
{
    struct growth_page *page =
        find(book, &book->by_worker, worker_key(event->pid, event->start_ticks));

    if (event->size_bytes <= 0 || (!page && !(page = add_page(book, event))))
        return;
    /* The request before was never told to be over; or it is another life, in a stream without
     * start times. */
    if (page->seq != event->seq || page->died) {
        page->seq = event->seq;
        page->count = 0;
        page->died = false;
    }
    add_sum(page, event->stk, (uint64_t) event->size_bytes);
}

static void on_end(struct growth_book *book, const struct event *event)
{
    const uint64_t key = worker_key(event->pid, event->start_ticks);
    struct growth_page *page = find(book, &book->by_worker, key);
    uint32_t index, *place;

    if (!page)
        return;
    page->died = page->count > 0 && event_has(event, EVENT_HAS_seq) && event->seq == page->seq;
    if (page->died || !idmap_get(&book->by_worker, key, &index))
        return;
    page->count = 0;
    idmap_remove(&book->by_worker, key);
    place = array_add(&book->free_pages);
    if (place)
        *place = index;
}

void growth_book_feed(struct growth_book *book, const struct event *event)
{
    if (event->kind == EVENT_gro)
        on_growth(book, event);
    else if (event->kind == EVENT_end)
        on_end(book, event);
}

void growth_page_clear(struct growth_page *page)
{
    page->count = 0;
}

uint64_t growth_page_bytes(const struct growth_page *page)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < page->count; i++)
        bytes += page->sums[i].bytes;
    return bytes;
}

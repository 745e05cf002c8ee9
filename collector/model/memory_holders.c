/* memory_holders.c - who holds the memory of a host, by the names of processes. */
#include "model/memory_holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ABSURD_KIB (INT64_C(1) << 40)

static void copy_name(char *to, struct slice name)
{
    name = slice_head(name, MEMORY_HOLDER_NAME_BYTES - 1);
    for (size_t i = 0; i < name.len_bytes; i++)
        to[i] = (unsigned char) name.ptr[i] < ' ' || name.ptr[i] == 0x7f ? '?' : name.ptr[i];
    to[name.len_bytes] = '\0';
}

static struct memory_holder *smallest(struct memory_holders *holders)
{
    struct memory_holder *least = &holders->items[0];

    for (size_t i = 1; i < holders->count; i++)
        if (holders->items[i].rss_kib < least->rss_kib)
            least = &holders->items[i];
    return least;
}

void memory_holders_add(struct memory_holders *holders, struct slice name, int64_t processes,
                        int64_t rss_kib)
{
    struct memory_holder new = {.processes = processes, .rss_kib = rss_kib};

    if (rss_kib <= 0 || rss_kib > ABSURD_KIB || name.len_bytes == 0)
        return;
    copy_name(new.name, name);
    for (size_t i = 0; i < holders->count; i++) {
        struct memory_holder *known = &holders->items[i];

        if (strcmp(known->name, new.name) != 0)
            continue;
        known->processes += processes;
        known->rss_kib += rss_kib;
        return;
    }
    if (holders->count < MEMORY_HOLDERS_MAX) {
        holders->items[holders->count++] = new;
        return;
    }
    struct memory_holder *least = smallest(holders);

    holders->others_kib += least->rss_kib < rss_kib ? least->rss_kib : rss_kib;
    if (least->rss_kib < rss_kib)
        *least = new;
}

static int compare_holders(const void *a, const void *b)
{
    const struct memory_holder *x = a, *y = b;

    return x->rss_kib > y->rss_kib ? -1 : x->rss_kib < y->rss_kib;
}

void memory_holders_sort(struct memory_holders *holders)
{
    qsort(holders->items, holders->count, sizeof holders->items[0], compare_holders);
}

static size_t put_size(char *text, size_t size_bytes, int64_t kib)
{
    int n = kib >= 1024 * 1024
                ? snprintf(text, size_bytes, "%.1f GiB", (double) kib / (1024 * 1024))
                : snprintf(text, size_bytes, "%lld MiB", (long long) (kib + 512) / 1024);

    return n > 0 && (size_t) n < size_bytes ? (size_t) n : 0;
}

static size_t put_holder(char *text, size_t size_bytes, const struct memory_holder *holder)
{
    int n = holder->processes > 1 ? snprintf(text, size_bytes, "%s x%lld ", holder->name,
                                             (long long) holder->processes)
                                  : snprintf(text, size_bytes, "%s ", holder->name);

    if (n < 0 || (size_t) n >= size_bytes)
        return 0;
    return (size_t) n + put_size(text + n, size_bytes - (size_t) n, holder->rss_kib);
}

size_t memory_holders_text(const struct memory_holders *holders, size_t shown, char *text,
                           size_t size_bytes)
{
    int64_t others_kib = holders->others_kib;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < holders->count; i++) {
        if (i >= shown || used + MEMORY_HOLDER_NAME_BYTES + 64 > size_bytes) {
            others_kib += holders->items[i].rss_kib;
            continue;
        }
        used += (size_t) snprintf(text + used, size_bytes - used, "%s", i ? ", " : "");
        used += put_holder(text + used, size_bytes - used, &holders->items[i]);
    }
    if (used > 0 && others_kib >= 1024 && used + 64 <= size_bytes) {
        used += (size_t) snprintf(text + used, size_bytes - used, ", others ");
        used += put_size(text + used, size_bytes - used, others_kib);
    }
    return used;
}

/*
 * memory_holders.h - who holds the memory of a host, by the names of processes: the few largest,
 * and the rest in one number.  Fixed size; a name that no longer fits pushes out the smallest.
 */
#ifndef FPMSCOPE_MODEL_MEMORY_HOLDERS_H
#define FPMSCOPE_MODEL_MEMORY_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { MEMORY_HOLDERS_MAX = 12, MEMORY_HOLDER_NAME_BYTES = 32 };

struct memory_holder {
    char name[MEMORY_HOLDER_NAME_BYTES]; /* cut; control characters are '?' */
    int64_t processes, rss_kib;          /* rss: shared pages count once per process */
};

struct memory_holders {
    struct memory_holder items[MEMORY_HOLDERS_MAX];
    size_t count;
    int64_t others_kib; /* of names that have no item */
};

/* Add processes of that name; sizes of 0 and below, and absurd ones, are ignored. */
void memory_holders_add(struct memory_holders *holders, struct slice name, int64_t processes,
                        int64_t rss_kib);

/* Largest first. */
void memory_holders_sort(struct memory_holders *holders);

/* Write "mysqld 1.2 GiB, php-fpm8.2 x20 900 MiB, others 80 MiB" (the largest `shown`) like snprintf
 * into `text`; returns its length, 0 when nobody holds anything.  Sorted before. */
size_t memory_holders_text(const struct memory_holders *holders, size_t shown, char *text,
                           size_t size_bytes);

#endif

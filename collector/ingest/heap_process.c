/* heap_process.c - see heap_process.h. */
#include "ingest/heap_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAPS_MAX_BYTES = 4 << 20, MAPS_STEP_BYTES = 1 << 16 };

#define PAGE_IS_PRESENT (UINT64_C(1) << 63)

struct process_heap {
    int mem_fd;
    uint64_t begin, end;
    uint64_t *pages; /* entries of /proc/PID/pagemap */
    size_t page_count;
};

bool heap_process_find(const char *maps, uint64_t *ret_begin, uint64_t *ret_end)
{
    static const char name[] = "[heap]";
    bool found = false;

    for (const char *row = maps; row && *row; row = strchr(row, '\n')) {
        uint64_t begin, end;

        row += *row == '\n';
        size_t len_bytes = strcspn(row, "\n");
        if (len_bytes < sizeof name ||
            strncmp(row + len_bytes - (sizeof name - 1), name, sizeof name - 1) != 0 ||
            sscanf(row, "%" SCNx64 "-%" SCNx64, &begin, &end) != 2 || begin >= end)
            continue;
        if (found && begin != *ret_end)
            break;
        if (!found)
            *ret_begin = begin;
        *ret_end = end;
        found = true;
    }
    return found;
}

static int open_proc(pid_t pid, const char *file)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

/* /proc gives its files in pieces. */
static int read_maps(pid_t pid, char **ret_maps)
{
    char *text = malloc(MAPS_MAX_BYTES);
    size_t len_bytes = 0;
    ssize_t n = -1;
    int fd = open_proc(pid, "maps");

    while (text && fd >= 0 && len_bytes + MAPS_STEP_BYTES < MAPS_MAX_BYTES &&
           (n = read(fd, text + len_bytes, MAPS_STEP_BYTES)) > 0)
        len_bytes += (size_t) n;
    if (fd >= 0)
        close(fd);
    if (!text || fd < 0 || n < 0) {
        free(text);
        return !text ? -ENOMEM : fd < 0 ? fd : -ESRCH;
    }
    text[len_bytes] = '\0';
    *ret_maps = text;
    return 0;
}

static bool page_is_resident(void *ctx, uint64_t address)
{
    const struct process_heap *heap = ctx;
    const uint64_t page = (address - heap->begin) / HEAP_PAGE_BYTES;

    return page < heap->page_count && (heap->pages[page] & PAGE_IS_PRESENT) != 0;
}

/* To the end of the resident pages that `address` is in, at most. */
static ssize_t read_heap(void *ctx, uint64_t address, void *buffer, size_t len_bytes)
{
    const struct process_heap *heap = ctx;
    uint64_t end = address;

    while (end < heap->end && end - address < len_bytes && page_is_resident(ctx, end))
        end = (end / HEAP_PAGE_BYTES + 1) * HEAP_PAGE_BYTES;
    if (end - address < len_bytes)
        len_bytes = end - address;
    return len_bytes > 0 ? pread(heap->mem_fd, buffer, len_bytes, (off_t) address) : 0;
}

static int read_pagemap(pid_t pid, struct process_heap *heap)
{
    const size_t count = (heap->end - heap->begin) / HEAP_PAGE_BYTES;
    int fd = open_proc(pid, "pagemap");

    if (fd < 0)
        return fd;
    heap->pages = calloc(count + 1, sizeof *heap->pages);
    ssize_t n = heap->pages ? pread(fd, heap->pages, count * sizeof *heap->pages,
                                    (off_t) (heap->begin / HEAP_PAGE_BYTES * sizeof *heap->pages))
                            : -1;
    close(fd);
    if (n < 0)
        return heap->pages ? -ESRCH : -ENOMEM;
    heap->page_count = (size_t) n / sizeof *heap->pages;
    return 0;
}

static int find_heap(pid_t pid, struct process_heap *heap)
{
    char *maps;
    int r = read_maps(pid, &maps);

    if (r < 0)
        return r;
    if (!heap_process_find(maps, &heap->begin, &heap->end))
        r = -ENOENT;
    free(maps);
    if (r == 0 && heap->end - heap->begin > HEAP_PROCESS_MAX_BYTES)
        heap->end = heap->begin + HEAP_PROCESS_MAX_BYTES;
    return r;
}

int heap_process_measure(pid_t pid, struct heap_found *ret_found)
{
    struct process_heap heap = {.mem_fd = -1};
    const struct heap_memory memory = {&heap, read_heap, page_is_resident};
    int r = find_heap(pid, &heap);

    if (r == 0)
        r = read_pagemap(pid, &heap);
    if (r == 0)
        r = heap.mem_fd = open_proc(pid, "mem");
    if (r >= 0) {
        *ret_found = heap_walk(&memory, heap.begin, heap.end);
        r = 0;
    }
    if (heap.mem_fd >= 0)
        close(heap.mem_fd);
    free(heap.pages);
    return r;
}

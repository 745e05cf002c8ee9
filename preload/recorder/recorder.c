/* recorder.c - see recorder.h. */
#include "recorder/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/real.h"
#include "recorder/page_sweep.h"
#include "banned.h"

/* Its pages cost nothing until they are written. */
static struct recorder_page recorder_private;

static int recorder_map(struct recorder *recorder, const struct recorder_place *place,
                        uint64_t start_ticks)
{
    int dir_fd, fd;
    void *page;

    dir_fd = page_dir_open(place->pages, place->socket, place->uid, recorder->path,
                           sizeof recorder->path);
    if (dir_fd < 0)
        return dir_fd;
    fd = page_file_create(dir_fd, (uint32_t) getpid(), start_ticks, sizeof *recorder->page,
                          recorder->path, sizeof recorder->path);
    real.close(dir_fd); /* a worker that will chroot must not keep a way out */
    if (fd < 0)
        return fd;
    page = real.mmap(NULL, sizeof *recorder->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    real.close(fd);
    if (page == MAP_FAILED)
        return -ENOMEM;
    recorder->page = page;
    return 0;
}

void recorder_open(struct recorder *recorder, const struct recorder_place *place)
{
    uint64_t start_ticks = process_start_ticks();
    struct recorder_page *page;

    *recorder = (struct recorder){.page = &recorder_private};
    recorder->error = start_ticks ? recorder_map(recorder, place, start_ticks) : -ESRCH;
    recorder->shared = recorder->error == 0;
    if (!recorder->shared)
        recorder->path[0] = '\0';
    page = recorder->page;
    page->version = RECORDER_VERSION;
    page->page_bytes = sizeof *page;
    page->pid = (uint32_t) getpid();
    page->ppid = (uint32_t) getppid();
    page->start_ticks = start_ticks;
    page->created_us = clock_unix_us();
    __atomic_store_n(&page->magic, RECORDER_MAGIC, __ATOMIC_RELEASE);
}

void recorder_sweep(const struct recorder_place *place, uint32_t pid)
{
    char path[PAGE_PATH_BYTES];
    int dir_fd = page_dir_open(place->pages, place->socket, place->uid, path, sizeof path);

    if (dir_fd < 0)
        return;
    page_sweep(dir_fd, pid);
    real.close(dir_fd);
}

void recorder_discard(struct recorder *recorder)
{
    if (!recorder->shared)
        return;
    unlinkat(AT_FDCWD, recorder->path, 0);
    real.munmap(recorder->page, sizeof *recorder->page);
    *recorder = (struct recorder){.page = &recorder_private};
}

bool recorder_wishes_changed(struct recorder *recorder, struct recorder_wishes *ret_wishes)
{
    const struct recorder_wishes *wishes = &recorder->page->wishes;
    uint64_t generation = __atomic_load_n(&wishes->generation, __ATOMIC_ACQUIRE);

    if (generation == recorder->wishes_seen)
        return false;
    recorder->wishes_seen = generation;
    *ret_wishes = *wishes;
    return true;
}

struct recorder_growth *recorder_spare_growth(struct recorder *recorder)
{
    struct recorder_page *page = recorder->page;
    struct recorder_growth *entry = &page->growths[page->growth_next % RECORDER_GROWTHS];

    entry->php_len_bytes = 0; /* who reads now sees an entry without frames */
    return entry;
}

void recorder_publish_growth(struct recorder *recorder)
{
    uint32_t *next = &recorder->page->growth_next;

    __atomic_store_n(next, (*next + 1) % RECORDER_GROWTHS, __ATOMIC_RELEASE);
}

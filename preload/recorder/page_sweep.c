/* page_sweep.c - see page_sweep.h. */
#include "recorder/page_sweep.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "banned.h"

/* As the kernel writes it: opendir() allocates. */
struct page_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t entry_bytes;
    uint8_t type;
    char name[];
};

static int page_sweep_part(int dir_fd, const char *entries, size_t len_bytes, const char *prefix)
{
    int removed = 0;

    for (size_t at = 0; at < len_bytes;) {
        const struct page_entry *entry = (const struct page_entry *) (const void *) (entries + at);

        if (strncmp(entry->name, prefix, strlen(prefix)) == 0 &&
            unlinkat(dir_fd, entry->name, 0) == 0)
            removed++;
        at += entry->entry_bytes;
    }
    return removed;
}

int page_sweep(int dir_fd, uint32_t pid)
{
    char entries[4096] __attribute__((aligned(8))), prefix_buf[16];
    struct text prefix = text_begin(prefix_buf, sizeof prefix_buf);
    int removed = 0;
    long len;

    text_add_number(&prefix, pid);
    text_add(&prefix, "-");
    for (;;) {
        len = syscall(SYS_getdents64, dir_fd, entries, sizeof entries);
        if (len <= 0)
            return len < 0 ? -errno : removed;
        removed += page_sweep_part(dir_fd, entries, (size_t) len, prefix_buf);
    }
}

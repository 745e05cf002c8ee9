/* page.c - copy a recorder page and check it. */
#include "ingest/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void page_format_name(pid_t pid, uint64_t start_ticks, char ret_name[PAGE_NAME_BYTES])
{
    snprintf(ret_name, PAGE_NAME_BYTES, "%d-%" PRIu64, (int) pid, start_ticks);
}

bool page_parse_name(const char *name, pid_t *ret_pid, uint64_t *ret_start_ticks)
{
    char again[PAGE_NAME_BYTES], *end;
    const long pid = strtol(name, &end, 10);

    if (*end != '-' || pid <= 0 || pid > INT_MAX)
        return false;
    const uint64_t start_ticks = strtoull(end + 1, NULL, 10);
    /* One name for one process: no signs, no zeros in front, nothing behind. */
    page_format_name((pid_t) pid, start_ticks, again);
    if (strcmp(again, name) != 0)
        return false;
    *ret_pid = (pid_t) pid;
    *ret_start_ticks = start_ticks;
    return true;
}

static int check_head(const struct recorder_page *page, size_t got_bytes)
{
    if (got_bytes < offsetof(struct recorder_page, growths) || page->magic != RECORDER_MAGIC ||
        page->version != RECORDER_VERSION)
        return -EBADMSG;
    return 0;
}

static int open_page(const char *directory, const char *name, int access)
{
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int) sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, access | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -EBADMSG : -errno;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -EBADMSG;
    }
    return fd;
}

int page_read(const char *directory, const char *name, enum page_part part,
              struct recorder_page *ret_page)
{
    const size_t want =
        part == PAGE_HEAD ? offsetof(struct recorder_page, growths) : sizeof *ret_page;
    int fd = open_page(directory, name, O_RDONLY);

    if (fd < 0)
        return fd;
    ssize_t n = pread(fd, ret_page, want, 0);
    int error = errno;
    close(fd);
    if (n < 0)
        return -error;
    memset((char *) ret_page + n, 0, sizeof *ret_page - (size_t) n);
    return check_head(ret_page, (size_t) n);
}

/* Whoever reads the new generation finds the rest complete: it was written before. */
static int write_wishes(int fd, const struct recorder_wishes *wishes)
{
    const off_t at = offsetof(struct recorder_page, wishes);
    const size_t first = sizeof wishes->generation, rest = sizeof *wishes - first;
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size < (off_t) sizeof(struct recorder_page))
        return -EBADMSG;
    if (pwrite(fd, (const char *) wishes + first, rest, at + (off_t) first) != (ssize_t) rest ||
        pwrite(fd, &wishes->generation, first, at) != (ssize_t) first)
        return -EIO;
    return 0;
}

int page_write_wishes(const char *directory, const char *name, const struct recorder_wishes *wishes)
{
    int fd = open_page(directory, name, O_WRONLY);

    if (fd < 0)
        return fd;
    int r = write_wishes(fd, wishes);
    close(fd);
    return r;
}

int page_open(const char *directory, const char *name, int *ret_fd)
{
    enum { HEAD_WORDS = 2 }; /* magic and version */
    uint32_t head[HEAD_WORDS];
    int fd = open_page(directory, name, O_RDWR);

    if (fd < 0)
        return fd;
    if (pread(fd, head, sizeof head, 0) != (ssize_t) sizeof head || head[0] != RECORDER_MAGIC ||
        head[1] != RECORDER_VERSION) {
        close(fd);
        return -EBADMSG;
    }
    *ret_fd = fd;
    return 0;
}

static bool read_at(int fd, size_t offset, void *ret, size_t len_bytes)
{
    return pread(fd, ret, len_bytes, (off_t) offset) == (ssize_t) len_bytes;
}

int page_read_outbox(int fd, uint64_t known_state, struct recorder_outbox *ret_outbox)
{
    const size_t at = offsetof(struct recorder_page, outbox);
    uint64_t before, after;

    if (!read_at(fd, at, &before, sizeof before))
        return -EBADMSG;
    if (before == known_state || (uint32_t) before == 0)
        return 0;
    if ((uint32_t) before > sizeof ret_outbox->bytes ||
        !read_at(fd, at + offsetof(struct recorder_outbox, bytes), ret_outbox->bytes,
                 (uint32_t) before) ||
        !read_at(fd, at, &after, sizeof after))
        return -EBADMSG;
    /* In one generation bytes are only appended, so that the first length still holds. */
    if (after >> 32 != before >> 32 || after < before)
        return -EAGAIN;
    ret_outbox->state = before;
    return 1;
}

int page_write_hold(int fd, uint64_t hold_us)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size < (off_t) sizeof(struct recorder_page))
        return -EBADMSG;
    return pwrite(fd, &hold_us, sizeof hold_us, offsetof(struct recorder_page, hold_us)) ==
                   (ssize_t) sizeof hold_us
               ? 0
               : -EIO;
}

/* Where each text of a request lies in its slot, and where it goes. */
static const struct {
    size_t length_at, text_at, max_bytes, fact_at;
} request_texts[] = {
#define RECORDER_TEXT(field, bytes)                                                                \
    {offsetof(struct recorder_request, field##_len_bytes),                                         \
     offsetof(struct recorder_request, field), (bytes), offsetof(struct request_facts, field)},
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
};

static void take_texts(const struct recorder_request *slot, struct request_facts *facts,
                       bool *ret_damaged)
{
    for (size_t i = 0; i < sizeof request_texts / sizeof *request_texts; i++) {
        struct slice *fact = (void *) ((char *) facts + request_texts[i].fact_at);
        uint16_t length;

        memcpy(&length, (const char *) slot + request_texts[i].length_at, sizeof length);
        if (length > request_texts[i].max_bytes)
            *ret_damaged = true;
        else
            *fact = (struct slice){(const char *) slot + request_texts[i].text_at, length};
    }
}

static bool is_in_flight(const struct recorder_request *slot)
{
    return slot->seq != 0 && (slot->phase == RECORDER_RUNNING || slot->phase == RECORDER_ANSWERED);
}

uint64_t page_last_finished(const struct recorder_page *page)
{
    if (page->current >= RECORDER_SLOTS)
        return 0;
    const struct recorder_request *slot = &page->slots[page->current];
    return is_in_flight(slot) ? slot->seq - 1 : slot->seq;
}

bool page_request(const struct recorder_page *page, struct request_facts *ret_facts,
                  bool *ret_damaged)
{
    if (page->current >= RECORDER_SLOTS) {
        *ret_damaged = true;
        return false;
    }
    const struct recorder_request *slot = &page->slots[page->current];
    if (!is_in_flight(slot))
        return false;
    *ret_facts = (struct request_facts){
        .seq = slot->seq,
        .flags = slot->flags,
        .begin_us = slot->begin_us,
        .status = slot->status,
        .response_us = slot->phase == RECORDER_ANSWERED ? slot->response_us : 0,
    };
    take_texts(slot, ret_facts, ret_damaged);
    return true;
}

bool page_growth(const struct recorder_page *page, size_t i,
                 const struct recorder_growth **ret_growth, struct slice *ret_php)
{
    const struct recorder_growth *growth =
        &page->growths[(page->growth_next + i) % RECORDER_GROWTHS];

    if (growth->seq == 0)
        return false;
    *ret_growth = growth;
    *ret_php = growth->php_len_bytes <= sizeof growth->php
                   ? (struct slice){growth->php, growth->php_len_bytes}
                   : SLICE("");
    return true;
}

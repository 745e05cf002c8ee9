/* log_tail.c - one open log that grows. */
#include "logs/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "logs/line_reader.h"
#include "logs/log_decoder.h"

struct log_tail {
    int fd; /* the reader's */
    int file;
    const struct log_options *options;
    struct log_report *report;
    struct line_reader *reader;
    struct log_decoder *decoder;
    struct log_place place; /* as of the last poll, with its mark */
    int64_t start_bytes;    /* where the reader began */
    int64_t size_bytes;     /* of the file, at the last poll */
    int64_t truncations;
};

/* FNV-1a of the (up to) LOG_MARK_BYTES bytes before `offset_bytes`; 0 when they cannot be read. */
static uint64_t mark_of(int fd, int64_t offset_bytes)
{
    unsigned char bytes[LOG_MARK_BYTES];
    int64_t want = offset_bytes < LOG_MARK_BYTES ? offset_bytes : LOG_MARK_BYTES;
    uint64_t hash = 0xcbf29ce484222325;
    ssize_t n = pread(fd, bytes, (size_t) want, offset_bytes - want);

    if (n != want)
        return 0;
    for (ssize_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

bool log_place_holds(const struct log_place *place, int fd)
{
    struct stat st;

    return place->inode != 0 && fstat(fd, &st) == 0 && (uint64_t) st.st_ino == place->inode &&
           (uint64_t) st.st_dev == place->device && st.st_size >= place->offset_bytes &&
           mark_of(fd, place->offset_bytes) == place->mark;
}

/* A reader and a decoder for the open file, from `offset_bytes` on. */
static int start(struct log_tail *tail, int fd, int64_t offset_bytes)
{
    int64_t reference_us = tail->options ? tail->options->reference_us : 0;
    int r;

    if (lseek(fd, offset_bytes, SEEK_SET) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    r = line_reader_new(fd, true, offset_bytes, &tail->reader);
    if (r < 0)
        return r;
    tail->fd = fd;
    tail->start_bytes = offset_bytes;
    return log_decoder_new(tail->options, tail->file, reference_us ? reference_us : clock_now_us(),
                           false, &tail->decoder, tail->report);
}

static void stop(struct log_tail *tail)
{
    log_decoder_free(tail->decoder);
    line_reader_free(tail->reader);
    tail->decoder = NULL;
    tail->reader = NULL;
}

static void remember(struct log_tail *tail)
{
    int64_t pending = log_decoder_pending_offset(tail->decoder);
    int64_t offset_bytes = pending >= 0 ? pending : line_reader_offset(tail->reader);

    if (tail->place.mark != 0 && offset_bytes == tail->place.offset_bytes)
        return;
    tail->place.offset_bytes = offset_bytes;
    tail->place.mark = mark_of(tail->fd, offset_bytes);
}

int log_tail_new(int fd, int64_t offset_bytes, int file, const struct log_options *options,
                 struct log_report *report, struct log_tail **ret_tail)
{
    struct log_tail *tail = calloc(1, sizeof *tail);
    struct stat st;
    int r;

    if (!tail || fstat(fd, &st) < 0) {
        r = tail ? -errno : -ENOMEM;
        close(fd);
        free(tail);
        return r;
    }
    tail->file = file;
    tail->options = options;
    tail->report = report;
    tail->place.device = (uint64_t) st.st_dev;
    tail->place.inode = (uint64_t) st.st_ino;
    r = start(tail, fd, offset_bytes);
    if (r < 0) {
        log_tail_free(tail);
        return r;
    }
    remember(tail);
    *ret_tail = tail;
    return 0;
}

void log_tail_free(struct log_tail *tail)
{
    if (!tail)
        return;
    stop(tail);
    free(tail);
}

int64_t log_tail_truncations(const struct log_tail *tail)
{
    return tail->truncations;
}

struct log_place log_tail_place(const struct log_tail *tail)
{
    return tail->place;
}

int log_tail_flush(struct log_tail *tail, log_event_fn on_event, void *ctx)
{
    int r;

    if (!tail->decoder)
        return 0; /* a restart failed */
    r = log_decoder_flush(tail->decoder, on_event, ctx, tail->report);
    remember(tail);
    return r;
}

/* Emptied: what was waiting is given, the file is read from its beginning. */
static int restart(struct log_tail *tail, log_event_fn on_event, void *ctx)
{
    int r = log_decoder_flush(tail->decoder, on_event, ctx, tail->report);
    int fd;

    if (r != 0)
        return r;
    fd = fcntl(tail->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    stop(tail);
    tail->truncations++;
    tail->place.mark = 0;
    return start(tail, fd, 0);
}

/*
 * Smaller than what has been read, or other bytes where the last lines were: emptied.  A file that
 * has not changed its size is not looked into.
 */
static bool was_emptied(struct log_tail *tail, int64_t size_bytes)
{
    if (size_bytes == tail->size_bytes)
        return false;
    return size_bytes < tail->start_bytes + line_reader_read_bytes(tail->reader) ||
           mark_of(tail->fd, tail->place.offset_bytes) != tail->place.mark;
}

static int read_lines(struct log_tail *tail, int64_t budget_bytes, log_event_fn on_event, void *ctx,
                      bool *ret_grew)
{
    int64_t first_bytes = line_reader_offset(tail->reader);
    struct log_line line;
    int r;

    while ((r = line_reader_next(tail->reader, &line)) > 0) {
        *ret_grew = true;
        r = log_decoder_line(tail->decoder, &line, on_event, ctx, tail->report);
        if (r != 0)
            return r;
        if (line_reader_offset(tail->reader) - first_bytes >= budget_bytes)
            return 1;
    }
    return r;
}

int log_tail_poll(struct log_tail *tail, int64_t budget_bytes, log_event_fn on_event, void *ctx,
                  bool *ret_grew)
{
    struct stat st;
    int r;

    *ret_grew = false;
    if (!tail->decoder)
        return -EBADF; /* a restart failed */
    if (fstat(tail->fd, &st) < 0)
        return -errno;
    if (was_emptied(tail, st.st_size)) {
        r = restart(tail, on_event, ctx);
        if (r != 0)
            return r;
    }
    tail->size_bytes = st.st_size;
    r = read_lines(tail, budget_bytes, on_event, ctx, ret_grew);
    if (r == 0 && !*ret_grew)
        r = log_decoder_flush(tail->decoder, on_event, ctx, tail->report);
    remember(tail);
    return r;
}

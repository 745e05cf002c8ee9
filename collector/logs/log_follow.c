/*
 * log_follow.c - the tails of one name: the file that has it, and the one that had it before.
 *
 *     poll: who has the name now?  another inode: current becomes rotated, a new current is opened
 *           read rotated (until it has been quiet for ROTATED_QUIET_US), then current
 */
#include "logs/log_follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/log_decoder.h"

enum {
    POLL_BYTES = 4 << 20,
    ROTATED_QUIET_US = 60 * 1000000, /* nginx writes to the old file until it is told to reopen */
    DIRECTORY_ENTRIES_MAX = 20000,
};

struct log_follow {
    char *path;
    int file;
    const struct log_options *options;
    bool from_start, resuming;
    struct log_bookmark bookmark; /* where to resume */
    struct log_tail *current, *rotated;
    int64_t rotated_quiet_since_us;
    int64_t truncations_before; /* of tails that are gone */
    struct log_follow_status status;
};

int log_follow_new(const char *path, int file, const struct log_options *options,
                   struct log_follow **ret_follow)
{
    struct log_follow *follow = calloc(1, sizeof *follow);

    if (!follow)
        return -ENOMEM;
    follow->path = strdup(path);
    if (!follow->path) {
        free(follow);
        return -ENOMEM;
    }
    follow->file = file;
    follow->options = options;
    log_report_init(&follow->status.report);
    *ret_follow = follow;
    return 0;
}

void log_follow_free(struct log_follow *follow)
{
    if (!follow)
        return;
    log_tail_free(follow->current);
    log_tail_free(follow->rotated);
    free(follow->path);
    free(follow);
}

void log_follow_resume(struct log_follow *follow, const struct log_bookmark *bookmark)
{
    follow->from_start = true;
    follow->resuming = bookmark != NULL;
    if (bookmark)
        follow->bookmark = *bookmark;
}

const struct log_follow_status *log_follow_status(const struct log_follow *follow)
{
    return &follow->status;
}

struct log_bookmark log_follow_bookmark(const struct log_follow *follow)
{
    struct log_bookmark bookmark = {0};

    if (follow->resuming && !follow->current)
        return follow->bookmark; /* nothing has been read since */
    if (follow->current)
        bookmark.current = log_tail_place(follow->current);
    if (follow->rotated)
        bookmark.rotated = log_tail_place(follow->rotated);
    return bookmark;
}

static void say(struct log_follow *follow, enum log_follow_state state, const char *what, int error)
{
    follow->status.state = state;
    snprintf(follow->status.message, sizeof follow->status.message, "%s '%s': %s", what,
             follow->path, strerror(error));
}

static void say_well(struct log_follow *follow)
{
    follow->status.state = LOG_FOLLOW_READING;
    follow->status.message[0] = '\0';
}

/* The tail is over: give what waits, keep its counts. */
static int retire(struct log_follow *follow, struct log_tail **tail, log_event_fn on_event,
                  void *ctx)
{
    int r;

    if (!*tail)
        return 0;
    r = log_tail_flush(*tail, on_event, ctx);
    follow->truncations_before += log_tail_truncations(*tail);
    log_tail_free(*tail);
    *tail = NULL;
    return r;
}

static int open_log(const char *path)
{
    /* O_NONBLOCK: somebody may have put a pipe there */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

static int open_tail(struct log_follow *follow, int fd, int64_t offset_bytes,
                     struct log_tail **ret_tail)
{
    int r = log_tail_new(fd, offset_bytes, follow->file, follow->options, &follow->status.report,
                         ret_tail);

    if (r < 0)
        say(follow, LOG_FOLLOW_UNREADABLE, "cannot read", -r);
    return r;
}

/* The file of `place` under whatever name rotation gave it: same directory, name begins with ours.
 */
static int find_rotated(const struct log_follow *follow, const struct log_place *place)
{
    char *dir_copy = strdup(follow->path), *base_copy = strdup(follow->path);
    const char *dir = dir_copy ? dirname(dir_copy) : NULL;
    const char *base = base_copy ? basename(base_copy) : NULL;
    DIR *listing = dir && base ? opendir(dir) : NULL;
    int fd = -ENOENT, left = DIRECTORY_ENTRIES_MAX;
    struct dirent *entry;

    while (listing && left-- > 0 && (entry = readdir(listing)) != NULL) {
        if (strncmp(entry->d_name, base, strlen(base)) != 0)
            continue; /* d_ino is not asked: on overlayfs it is another number */
        fd = openat(dirfd(listing), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 && log_place_holds(place, fd))
            break;
        if (fd >= 0)
            close(fd);
        fd = -ENOENT;
    }
    if (listing)
        closedir(listing);
    free(dir_copy);
    free(base_copy);
    return fd;
}

/* The old file goes on as `rotated`; false: it is not to be found any more. */
static bool resume_rotated(struct log_follow *follow, const struct log_place *place, int64_t now_us)
{
    int fd = place->inode ? find_rotated(follow, place) : -ENOENT;

    if (fd < 0)
        return false;
    if (open_tail(follow, fd, place->offset_bytes, &follow->rotated) == 0)
        follow->rotated_quiet_since_us = now_us;
    return true;
}

/* How far the file that now has the name has been read, before this process or by nobody. */
static int64_t first_offset(struct log_follow *follow, int fd, int64_t size_bytes, int64_t now_us)
{
    const struct log_bookmark *bookmark = &follow->bookmark;
    bool resuming = follow->resuming;

    follow->resuming = false;
    if (!resuming)
        return follow->from_start ? 0 : size_bytes;
    if (log_place_holds(&bookmark->current, fd)) {
        (void) resume_rotated(follow, &bookmark->rotated, now_us);
        return bookmark->current.offset_bytes;
    }
    if (bookmark->current.inode && !resume_rotated(follow, &bookmark->current, now_us))
        follow->status.lost++;
    return 0;
}

/* Another file has the name: what was current is rotated from now on. */
static int turn(struct log_follow *follow, int fd, int64_t size_bytes, int64_t now_us,
                log_event_fn on_event, void *ctx)
{
    int64_t offset_bytes;
    int r = 0;

    if (follow->current) {
        follow->status.rotations++;
        r = retire(follow, &follow->rotated, on_event, ctx);
        follow->rotated = follow->current;
        follow->rotated_quiet_since_us = now_us;
        follow->current = NULL;
    }
    offset_bytes = first_offset(follow, fd, size_bytes, now_us);
    follow->from_start = true; /* whatever appears from now on is read whole */
    if (open_tail(follow, fd, offset_bytes, &follow->current) == 0)
        say_well(follow);
    return r;
}

static bool is_current(const struct log_follow *follow, const struct stat *st)
{
    struct log_place place;

    if (!follow->current)
        return false;
    place = log_tail_place(follow->current);
    return place.inode == (uint64_t) st->st_ino && place.device == (uint64_t) st->st_dev;
}

static void say_no_file(struct log_follow *follow, const struct stat *st)
{
    follow->status.state = LOG_FOLLOW_NO_FILE;
    snprintf(follow->status.message, sizeof follow->status.message,
             "cannot follow '%s': it is %s, not a file", follow->path,
             S_ISDIR(st->st_mode) ? "a directory" : "a pipe or a device");
}

/* Who has the name?  Opens a new current when it is another file than before. */
static int look_up(struct log_follow *follow, int64_t now_us, log_event_fn on_event, void *ctx)
{
    struct stat st;
    int fd;

    if (stat(follow->path, &st) < 0) {
        say(follow,
            errno == ENOENT || errno == ENOTDIR ? LOG_FOLLOW_MISSING : LOG_FOLLOW_UNREADABLE,
            "cannot open", errno);
        follow->from_start = true;
        return 0;
    }
    if (!S_ISREG(st.st_mode)) {
        say_no_file(follow, &st);
        return 0;
    }
    if (is_current(follow, &st)) {
        say_well(follow);
        return 0;
    }
    fd = open_log(follow->path);
    if (fd < 0) {
        say(follow, LOG_FOLLOW_UNREADABLE, "cannot open", -fd);
        return 0;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) { /* it changed between the two calls */
        close(fd);
        return 0;
    }
    return turn(follow, fd, st.st_size, now_us, on_event, ctx);
}

static int poll_rotated(struct log_follow *follow, int64_t now_us, log_event_fn on_event, void *ctx)
{
    bool grew;
    int r;

    if (!follow->rotated)
        return 0;
    r = log_tail_poll(follow->rotated, POLL_BYTES, on_event, ctx, &grew);
    if (grew)
        follow->rotated_quiet_since_us = now_us;
    if (r > 0)
        return r;
    if (r < 0 || now_us - follow->rotated_quiet_since_us >= ROTATED_QUIET_US)
        return retire(follow, &follow->rotated, on_event, ctx);
    return 0;
}

static int poll_current(struct log_follow *follow, log_event_fn on_event, void *ctx)
{
    bool grew;
    int r;

    if (!follow->current)
        return 0;
    r = log_tail_poll(follow->current, POLL_BYTES, on_event, ctx, &grew);
    if (r >= 0)
        return r;
    say(follow, LOG_FOLLOW_UNREADABLE, "cannot read", -r);
    follow->bookmark = log_follow_bookmark(follow); /* the next poll opens it anew */
    follow->resuming = true;
    log_tail_free(follow->current);
    follow->current = NULL;
    return 0;
}

static void count_truncations(struct log_follow *follow)
{
    follow->status.truncations = follow->truncations_before;
    if (follow->current)
        follow->status.truncations += log_tail_truncations(follow->current);
    if (follow->rotated)
        follow->status.truncations += log_tail_truncations(follow->rotated);
}

int log_follow_poll(struct log_follow *follow, int64_t now_us, log_event_fn on_event, void *ctx)
{
    int r = look_up(follow, now_us, on_event, ctx), more;

    if (r != 0)
        return r;
    more = poll_rotated(follow, now_us, on_event, ctx);
    if (more != 0)
        return more; /* old lines first */
    r = poll_current(follow, on_event, ctx);
    count_truncations(follow);
    return r;
}

/* "DEVICE:INODE:OFFSET:MARK" twice, with a comma between */
void log_bookmark_print(const struct log_bookmark *bookmark, char text[LOG_BOOKMARK_TEXT_BYTES])
{
    const struct log_place *a = &bookmark->current, *b = &bookmark->rotated;

    snprintf(text, LOG_BOOKMARK_TEXT_BYTES,
             "%" PRIx64 ":%" PRIx64 ":%" PRId64 ":%" PRIx64 ",%" PRIx64 ":%" PRIx64 ":%" PRId64
             ":%" PRIx64,
             a->device, a->inode, a->offset_bytes, a->mark, b->device, b->inode, b->offset_bytes,
             b->mark);
}

bool log_bookmark_scan(const char *text, struct log_bookmark *ret_bookmark)
{
    struct log_bookmark mark;
    int end = -1;

    if (sscanf(text,
               "%" SCNx64 ":%" SCNx64 ":%" SCNd64 ":%" SCNx64 ",%" SCNx64 ":%" SCNx64 ":%" SCNd64
               ":%" SCNx64 "%n",
               &mark.current.device, &mark.current.inode, &mark.current.offset_bytes,
               &mark.current.mark, &mark.rotated.device, &mark.rotated.inode,
               &mark.rotated.offset_bytes, &mark.rotated.mark, &end) != 8 ||
        end < 0 || text[end] != '\0' || mark.current.offset_bytes < 0 ||
        mark.rotated.offset_bytes < 0)
        return false;
    *ret_bookmark = mark;
    return true;
}

/*
 * store.h - the collector's memory: one SQLite file in the data directory that keeps events, log
 * lines that can matter, and what could not be seen (coverage), in the order of time.
 *
 * Picture a rack with one tape for each kind of event.  A row's key is its time, so that appending
 * is cheap (there is no other index), a period is a stretch of tape, old tape is cut off at its
 * beginning, and reading several kinds is a merge of their tapes.
 *
 *     struct store_message message;
 *     r = store_open("/var/lib/fpmscope", STORE_READ, NULL, &store, &message);
 *     if (r < 0)
 *         fprintf(stderr, "fpmscope: %s\n", message.text);
 *     r = store_each_event(store, &(struct store_query){.kinds = STORE_KIND(req)}, on_event, ctx);
 *     store_free(store);
 *
 * Writing goes through memory: store_append() copies the event into a queue of bounded size and
 * never touches the disk; store_flush() writes the queue in one transaction.  What is committed
 * survives kill -9 of the collector, and a power cut up to the last WAL checkpoint
 * (synchronous=NORMAL, see collector/DESIGN.md).  When the disk is full or another process holds
 * the lock the queue waits; when it overflows its oldest rows are dropped and counted.
 *
 * One writer collects (STORE_COLLECT takes a lock file); others may append beside it.  Readers see
 * one consistent snapshot per call.  Not thread-safe per store; several stores may be open.
 */
#ifndef FPMSCOPE_STORE_STORE_H
#define FPMSCOPE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/event.h"

struct store;

enum { STORE_MESSAGE_BYTES = 512, STORE_SCHEMA_VERSION = 4 };

/* A sentence for people, without the program's name: what is wrong, with what, what to do. */
struct store_message {
    char text[STORE_MESSAGE_BYTES];
};

enum store_flags {
    STORE_READ = 0,         /* must exist; never changed, not even migrated */
    STORE_WRITE = 1 << 0,   /* may append; made when it does not exist; migrated when it is old */
    STORE_COLLECT = 1 << 1, /* with STORE_WRITE: the only collector of this directory */
};

/* Ceilings; 0 in a field means its default. */
struct store_limits {
    int64_t max_age_us;  /* rows older than this are cut off by store_retain(): 14 days */
    int64_t max_bytes;   /* of the database file: 1 GiB */
    size_t queue_bytes;  /* rows that wait to be written: 16 MiB */
    int busy_timeout_ms; /* how long a flush waits for another writer: 2 s, 100 ms to collect */
};

/*
 * Open the store in directory `directory` (made with mode 0700 when writing).  `limits` may be
 * NULL.  0, or a negative errno with the reason in `ret_message`:
 *   -ENOENT   there is no store (STORE_READ)       -EBUSY    another collector has it
 *   -EPROTO   made by a newer fpmscope             -EBADMSG  damaged
 *   -EMEDIUMTYPE  not a store of ours
 *   -EUCLEAN  older schema, opened for reading by a newer program while nobody migrates it
 *   -ENOSPC, -EACCES, ...  as the system says
 */
int store_open(const char *directory, unsigned flags, const struct store_limits *limits,
               struct store **ret_store, struct store_message *ret_message);

/*
 * Rename a damaged store, so that a new one can be made and nothing is lost that somebody might
 * still get out of it.  0 and the new name, or -errno.  Nobody may have it open.
 */
int store_set_aside(const char *directory, char *ret_path, size_t size_bytes);

/* Flush and close; NULL is allowed. */
void store_free(struct store *store);

/* ---- writing ---------------------------------------------------------------------------------
 */

/*
 * Queue an event.  Its time is `ts_us`; an event without one (a sample, a stack) gets the time of
 * the event appended before it.  A stack (`stk`) is kept once per id, whatever its time.
 * 0; -EINVAL for a kind that is not kept; -ENOBUFS when an older row had to be dropped for it
 * (counted in coverage `store_dropped_rows`).
 */
int store_append(struct store *store, const struct event *event);

/* One line of somebody else's log. */
struct store_log_line {
    int64_t time_us;
    int file;   /* from store_log_file() */
    int format; /* what it was recognised as; an enum of collector/logs, opaque here */
    int64_t offset_bytes;
    struct slice line;
    int64_t uri_hash; /* of the URI in it, before it was masked (model/uri_hash.h); 0: not known */
};
int store_append_log(struct store *store, const struct store_log_line *line);

/*
 * The number of log file `path`, the same as long as the store lives; negative errno.  Bookmarks
 * (how far it was read; opaque words) are written in the transaction of the lines before them, so
 * that a line is kept exactly once.
 */
int store_log_file(struct store *store, const char *path);
enum { STORE_BOOKMARK_BYTES = 192 };
void store_set_log_bookmark(struct store *store, int file, const char *bookmark);
/* NULL when it was never read; valid until it is set again. */
const char *store_log_bookmark(struct store *store, int file);

/* How the lines of that file are to be read: a text that is opaque here (nginx's log_format), NULL
 * for none.  Kept with the lines: who reads the store later has no nginx to ask. */
enum { STORE_LOG_FORMAT_BYTES = 2048 };
void store_set_log_format(struct store *store, int file, const char *format);
const char *store_log_format(struct store *store, int file);

/*
 * Say what could not be seen: `name` is one of a few (`dropped_messages`, `unknown_layout`,
 * `note`, ...), `detail` a few words or empty; `n` is added to what this hour has.
 */
void store_add_coverage(struct store *store, const char *name, struct slice detail, uint64_t n);

/* A fact about the store as a whole (the collector's pid, its socket); replaces the old value. */
void store_put_fact(struct store *store, const char *name, struct slice value);

/* Rows that wait, and for how long the oldest did: the owner of the loop decides when to flush. */
size_t store_pending_rows(const struct store *store);

/* More than half of the queue is taken: who waits longer may lose rows. */
bool store_is_crowded(const struct store *store);

/* Write the queue in one transaction.  0, -ENOSPC, -EAGAIN (another writer), -EIO, -EBADMSG; the
 * queue is kept for another try.  The reason of the last failure is in store_problem(). */
int store_flush(struct store *store);
const char *store_problem(const struct store *store);

/* Cut off what is older or larger than the limits; a bounded piece per call.  1: call again. */
int store_retain(struct store *store, int64_t now_us);

/* ---- reading ---------------------------------------------------------------------------------
 */

#define STORE_KIND(name) (UINT32_C(1) << EVENT_##name)
_Static_assert(EVENT_KIND_COUNT <= 32, "a mask of kinds is one word");

struct store_query {
    int64_t from_us, to_us; /* both inclusive; to_us 0 means "no end" */
    uint32_t kinds;         /* STORE_KIND() bits; 0 means all */
};

/* Return 0 to go on; anything else ends the walk and is returned by it.  The event and its texts
 * are valid until the return. */
typedef int (*store_event_fn)(void *ctx, const struct event *event);

/*
 * Call `on_event` for every event of the period in the order of time.  Events carry `ts` whether
 * or not they had one.  A stack comes before its first use when `stk` is among the kinds.
 */
int store_each_event(struct store *store, const struct store_query *query, store_event_fn on_event,
                     void *ctx);

/* The stack with this id.  0, or -ENOENT; valid until the next call on this store. */
int store_stack(struct store *store, int64_t id, struct event *ret_event);

typedef int (*store_log_fn)(void *ctx, const struct store_log_line *line);
int store_each_log(struct store *store, const struct store_query *query, store_log_fn on_line,
                   void *ctx);
/* The path of a log file's number, or NULL; valid as long as the store. */
const char *store_log_path(struct store *store, int file);

struct store_coverage {
    const char *name, *detail;
    uint64_t n;
    int64_t last_us;
};
typedef int (*store_coverage_fn)(void *ctx, const struct store_coverage *row);
/* Sums over the hours of the period, by name and detail. */
int store_each_coverage(struct store *store, const struct store_query *query,
                        store_coverage_fn on_row, void *ctx);

/* The value of a fact, or false. */
bool store_fact(struct store *store, const char *name, char *ret_value, size_t size_bytes);

struct store_info {
    int64_t bytes;
    int64_t first_us, last_us; /* of the events, 0 when there are none */
};
int store_inspect(struct store *store, struct store_info *ret_info);

/*
 * Open the store afresh, past what its writer has in memory, and read the first and the last row of
 * each table: some twenty pages.  0, -EBADMSG when it is damaged there, or another -errno.
 */
int store_look(const char *directory);

/* What to tell people about an error of reading or writing a store; a static text. */
const char *store_error(int r);

/* Read every page and compare.  0, or -EBADMSG with what is wrong in the message. */
int store_check(struct store *store, struct store_message *ret_message);

#endif

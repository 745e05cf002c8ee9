/* store_internal.h - what the files of this folder share; nobody else includes it. */
#ifndef FPMSCOPE_STORE_STORE_INTERNAL_H
#define FPMSCOPE_STORE_STORE_INTERNAL_H

#include <limits.h>

#include <sqlite3.h>

#include "store/row_queue.h"
#include "store/statements.h"
#include "store/store.h"

enum {
    STORE_LOG_FILES_MAX = 128,
    STORE_COVERAGE_MAX = 256, /* different (name, detail) pairs between two flushes */
    STORE_FACTS_MAX = 16,
    STORE_TEXT_BYTES = 256,
};

#define STORE_HOUR_US INT64_C(3600000000) /* coverage is counted by these */

struct log_file {
    char path[PATH_MAX];
    char bookmark[STORE_BOOKMARK_BYTES]; /* empty: never read */
    char format[STORE_LOG_FORMAT_BYTES]; /* empty: its lines say what they are */
    bool dirty;
    int file; /* its number in the database */
};

struct coverage_note {
    char name[64], detail[STORE_TEXT_BYTES];
    uint64_t n;
    int64_t last_us;
};

struct fact {
    char name[64], value[STORE_TEXT_BYTES];
    bool dirty;
};

struct store {
    sqlite3 *db;
    char directory[PATH_MAX], path[PATH_MAX];
    unsigned flags;
    struct store_limits limits;
    int lock_fd;
    struct row_queue queue;
    struct statements statements;
    int64_t appended_us; /* time of the last event that had one */
    int64_t last_key;    /* given to the last row written, which had last_time_us */
    int64_t last_time_us;
    uint64_t spread; /* of rows whose key was taken: a random sequence */
    int64_t cut_us;  /* rows before this have been cut off by retention */
    struct stack_use *stack_uses;
    struct log_file *log_files;
    int log_file_count;
    struct coverage_note *coverage;
    int coverage_count;
    struct fact facts[STORE_FACTS_MAX];
    int fact_count;
    uint64_t lost_rows; /* could not be written whatever was tried */
    int64_t reported_dropped;
    struct row_reader *stack_reader; /* of store_stack() */
    char problem[STORE_MESSAGE_BYTES];
};

/* Remember why something failed; returns `r`. */
int store_fail(struct store *store, int r, const char *what);

/* Write what waits beside the rows; each inside the flush's transaction. */
int store_write_coverage(struct store *store);
int store_write_facts(struct store *store);
int store_write_bookmarks(struct store *store);

/* After a commit: what was written is no longer pending. */
void store_forget_coverage(struct store *store);
void store_forget_facts(struct store *store);
void store_forget_bookmarks(struct store *store);

/* Note that stack `id` is used now; at most one write a day and stack. */
int store_use_stack(struct store *store, int64_t id, int64_t time_us);
/* Forget the stacks that nothing has used since. */
int store_cut_stacks(struct store *store, int64_t time_us);
void store_free_stack_uses(struct store *store);

/* What store_stack() reads with; made with the store.  0 or -ENOMEM. */
int store_make_reader(struct store *store);
void store_free_reader(struct store *store);

#endif

/* store.c - open and close the store, and say why it cannot be opened. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "store/database.h"
#include "store/schema.h"
#include "store/store_internal.h"

enum {
    DEFAULT_QUEUE_BYTES = 16 << 20,
    DEFAULT_BUSY_MS = 2000,
    COLLECT_BUSY_MS = 100, /* the loop that serves workers must not stand still */
};
static const int64_t default_age_us = INT64_C(14) * 24 * 3600 * 1000000;
static const int64_t default_bytes = INT64_C(1) << 30;

static struct store_limits limits_or_defaults(const struct store_limits *limits, unsigned flags)
{
    struct store_limits all = limits ? *limits : (struct store_limits){0};

    if (all.max_age_us <= 0)
        all.max_age_us = default_age_us;
    if (all.max_bytes <= 0)
        all.max_bytes = default_bytes;
    if (all.queue_bytes == 0)
        all.queue_bytes = DEFAULT_QUEUE_BYTES;
    if (all.busy_timeout_ms <= 0)
        all.busy_timeout_ms = flags & STORE_COLLECT ? COLLECT_BUSY_MS : DEFAULT_BUSY_MS;
    return all;
}

static struct store *store_new(const char *directory, unsigned flags,
                               const struct store_limits *limits)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store)
        return NULL;
    store->lock_fd = -1;
    store->last_time_us = -1;
    store->flags = flags;
    store->limits = limits_or_defaults(limits, flags);
    row_queue_init(&store->queue, store->limits.queue_bytes);
    store->log_files = calloc(STORE_LOG_FILES_MAX, sizeof *store->log_files);
    store->coverage = calloc(STORE_COVERAGE_MAX, sizeof *store->coverage);
    int n = snprintf(store->directory, sizeof store->directory, "%s", directory);
    int m = snprintf(store->path, sizeof store->path, "%s/fpmscope.db", directory);
    if (store_make_reader(store) < 0 || !store->log_files || !store->coverage || n < 0 ||
        (size_t) n >= sizeof store->directory || m < 0 || (size_t) m >= sizeof store->path) {
        store_free(store);
        return NULL;
    }
    return store;
}

__attribute__((format(printf, 3, 4))) static int say(struct store_message *message, int r,
                                                     const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    return r;
}

/* The lock is on a file of its own: SQLite's locks are of use to readers and importers. */
static int lock_directory(struct store *store, struct store_message *message)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/collector.lock", store->directory);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0)
        return say(message, -errno, "cannot open '%s': %s", path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return say(message, -EBUSY, "another collector writes '%s'; stop it, or give --data",
                   store->directory);
    return say(message, -errno, "cannot lock '%s': %s", path, strerror(errno));
}

static const char no_data[] =
    "no data in '%s' yet: start `fpmscope collect` or `fpmscope run`, or say "
    "with --data where the store is";

static int prepare_directory(struct store *store, struct store_message *message)
{
    if (!(store->flags & STORE_WRITE)) {
        if (access(store->path, F_OK) == 0)
            return 0;
        return say(message, -errno, errno == ENOENT ? no_data : "cannot open '%s'",
                   store->directory);
    }
    int r = path_make_directory(store->directory);
    if (r < 0)
        return say(message, r, "cannot make directory '%s': %s", store->directory, strerror(-r));
    return store->flags & STORE_COLLECT ? lock_directory(store, message) : 0;
}

static int connect_database(struct store *store, struct store_message *message)
{
    const bool writes = store->flags & STORE_WRITE;
    mode_t before = umask(0077);
    int result = sqlite3_open_v2(
        store->path, &store->db,
        (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
            SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        NULL);
    umask(before);
    if (result != SQLITE_OK)
        return say(message, database_errno(result), "cannot open '%s': %s", store->path,
                   store->db ? sqlite3_errmsg(store->db) : "no memory");
    sqlite3_busy_timeout(store->db, store->limits.busy_timeout_ms);
    /* A hostile file must not run code through its schema. */
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return 0;
}

static int explain_schema(struct store *store, int r, int found, struct store_message *message)
{
    switch (r) {
    case -ENODATA:
        return say(message, -ENOENT, no_data, store->directory);
    case -EPROTO:
        return say(message, r,
                   "'%s' was made by a newer fpmscope (schema %d, this one knows %d): use that "
                   "version, or another --data",
                   store->path, found, STORE_SCHEMA_VERSION);
    case -EUCLEAN:
        return say(message, r,
                   "'%s' has an older schema (%d): run `fpmscope collect` once to bring it up to "
                   "date",
                   store->path, found);
    case -EMEDIUMTYPE:
        return say(message, r, "'%s' is not a store of fpmscope: move it away, or give --data",
                   store->path);
    case -EBADMSG:
        return say(message, r, "'%s' is damaged (%s): move it away to start a new one", store->path,
                   sqlite3_errmsg(store->db));
    case -EAGAIN:
        return say(message, -EBUSY, "'%s' is locked by another program", store->path);
    default:
        /* SQLite's own words may be about the rollback by now. */
        return say(message, r, "cannot use '%s': %s", store->path, strerror(-r));
    }
}

static int prepare_schema(struct store *store, struct store_message *message)
{
    int found = 0;
    int r = schema_inspect(store->db, STORE_SCHEMA_VERSION, &found);

    if ((r == -ENODATA || r == -EUCLEAN) && store->flags & STORE_WRITE)
        r = schema_migrate(store->db, schema_steps, STORE_SCHEMA_VERSION, clock_now_us());
    if (r == 0 && store->flags & STORE_WRITE)
        r = database_run(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                    "PRAGMA journal_size_limit = 16777216;");
    if (r == 0)
        r = database_run(store->db, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;");
    return r < 0 ? explain_schema(store, r, found, message) : 0;
}

int store_open(const char *directory, unsigned flags, const struct store_limits *limits,
               struct store **ret_store, struct store_message *ret_message)
{
    struct store *store = store_new(directory, flags, limits);

    ret_message->text[0] = '\0';
    if (!store)
        return say(ret_message, -ENOMEM, "no memory, or the path '%s' is too long", directory);
    int r = prepare_directory(store, ret_message);
    if (r == 0)
        r = connect_database(store, ret_message);
    if (r == 0)
        r = prepare_schema(store, ret_message);
    if (r < 0) {
        store_free(store);
        return r;
    }
    statements_init(&store->statements, store->db);
    *ret_store = store;
    return 0;
}

int store_set_aside(const char *directory, char *ret_path, size_t size_bytes)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char from[PATH_MAX], to[PATH_MAX + 64];
    const long long second = clock_now_us() / 1000000;
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof suffixes / sizeof *suffixes; i++) {
        int n = snprintf(from, sizeof from, "%s/fpmscope.db%s", directory, suffixes[i]);

        if (n < 0 || (size_t) n >= sizeof from)
            return -ENAMETOOLONG;
        snprintf(to, sizeof to, "%s/damaged-%lld.db%s", directory, second, suffixes[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            r = -errno;
        if (i == 0)
            snprintf(ret_path, size_bytes, "%s", to);
    }
    return r;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    if (store->db && store->statements.db) {
        store_flush(store);
        statements_reset(&store->statements);
    }
    store_free_stack_uses(store);
    store_free_reader(store);
    sqlite3_close(store->db);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    row_queue_release(&store->queue);
    free(store->log_files);
    free(store->coverage);
    free(store);
}

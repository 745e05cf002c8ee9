/* test_store_safety.c - kill -9, a second collector, other programs' files, a full queue, a lock, a
 * full disk. */
#include "store_place.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/schema.h"

static void test_what_was_flushed_survives_kill_9_and_what_was_not_is_lost(void **state)
{
    struct place *place = *state;
    struct seen seen;
    pid_t child = fork();

    if (child == 0) {
        struct store *store = open_store(place->directory, STORE_WRITE | STORE_COLLECT, NULL);
        struct event first = request(t0, 1, 1, "/kept"), second = request(t0 + 1, 2, 1, "/lost");

        store_append(store, &first);
        store_flush(store);
        store_append(store, &second);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    struct store *store = open_store(place->directory, STORE_WRITE | STORE_COLLECT, NULL);
    struct store_message message;
    read_all(store, &(struct store_query){0}, &seen);
    assert_string_equal(seen.text, "req:1 ");
    assert_int_equal(store_check(store, &message), 0);
    store_free(store);
}

static void scribble(const char *directory, const char *name)
{
    char path[128], noise[4096];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    memset(noise, 0xa5, sizeof noise);
    for (long at = 4096; at < size; at += (long) sizeof noise) {
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fwrite(noise, sizeof noise, 1, file), 1);
    }
    fclose(file);
}

/* A writer that appends reads nothing again: what it has in its cache is whole. */
static void test_damage_behind_a_writers_back_is_seen_by_a_fresh_look(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE | STORE_COLLECT, NULL);

    for (int i = 0; i < 2000; i++) {
        const struct event event = request(t0 + i, 1, i, "/a");

        assert_int_equal(store_append(store, &event), 0);
    }
    assert_int_equal(store_flush(store), 0);
    assert_int_equal(store_look(place->directory), 0);
    scribble(place->directory, "fpmscope.db");
    scribble(place->directory, "fpmscope.db-wal");
    const struct event event = request(t0 + 5000, 1, 5000, "/b");
    assert_int_equal(store_append(store, &event), 0);
    store_flush(store);
    assert_int_equal(store_look(place->directory), -EBADMSG);
    store_free(store);
}

static void test_two_collectors_do_not_share_a_directory(void **state)
{
    struct place *place = *state;
    struct store *first = open_store(place->directory, STORE_WRITE | STORE_COLLECT, NULL);
    struct store *second = NULL;
    struct store_message message;

    assert_int_equal(
        store_open(place->directory, STORE_WRITE | STORE_COLLECT, NULL, &second, &message), -EBUSY);
    assert_non_null(strstr(message.text, "another collector"));
    store_free(open_store(place->directory, STORE_WRITE, NULL));
    store_free(open_store(place->directory, STORE_READ, NULL));
    store_free(first);
}

static void run_sql(const char *directory, const char *sql)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/fpmscope.db", directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int open_fails(const char *directory, unsigned flags, const char *because)
{
    struct store_message message;
    struct store *store = NULL;
    int r = store_open(directory, flags, NULL, &store, &message);

    assert_true(r < 0);
    if (!strstr(message.text, because))
        print_error("message: %s\n", message.text);
    assert_non_null(strstr(message.text, because));
    return r;
}

static void test_a_store_of_a_newer_program_is_refused_and_left_alone(void **state)
{
    struct place *place = *state;

    store_free(open_store(place->directory, STORE_WRITE, NULL));
    run_sql(place->directory, "PRAGMA user_version = 99");
    assert_int_equal(open_fails(place->directory, STORE_READ, "newer fpmscope"), -EPROTO);
    assert_int_equal(open_fails(place->directory, STORE_WRITE, "schema 99"), -EPROTO);
}

static void test_a_database_of_somebody_else_and_rubbish_are_refused(void **state)
{
    struct place *place = *state;
    char path[128];

    run_sql(place->directory, "CREATE TABLE orders(id)");
    assert_int_equal(open_fails(place->directory, STORE_WRITE, "not a store"), -EMEDIUMTYPE);
    snprintf(path, sizeof path, "%s/fpmscope.db", place->directory);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("rubbish ", file);
    fclose(file);
    assert_int_equal(open_fails(place->directory, STORE_WRITE, "damaged"), -EBADMSG);
}

static void test_reading_where_nothing_was_written_says_so_and_makes_nothing(void **state)
{
    struct place *place = *state;
    char directory[96];

    assert_int_equal(open_fails(place->directory, STORE_READ, "no data"), -ENOENT);
    snprintf(directory, sizeof directory, "%s/none", place->directory);
    assert_int_equal(open_fails(directory, STORE_READ, "no data"), -ENOENT);
    assert_int_equal(access(directory, F_OK), -1);
}

static void test_an_older_schema_is_migrated_step_by_step_or_not_at_all(void **state)
{
    const struct schema_step steps[] = {
        {"CREATE TABLE a(x); INSERT INTO a VALUES(1);", "one"},
        {"ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;", "two"},
        {"CREATE TABLE b(z); INSERT INTO nowhere VALUES(1);", "broken"},
    };
    int found = 0;
    sqlite3 *db;

    (void) state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(schema_inspect(db, 1, &found), -ENODATA);
    assert_int_equal(schema_migrate(db, steps, 1, t0), 0);
    assert_int_equal(schema_inspect(db, 1, &found), 0);
    assert_int_equal(schema_inspect(db, 2, &found), -EUCLEAN);
    assert_int_equal(schema_migrate(db, steps, 2, t0), 0);
    assert_true(schema_migrate(db, steps, 3, t0) < 0);
    assert_int_equal(schema_inspect(db, 2, &found), 0);
    assert_int_equal(schema_inspect(db, 1, &found), -EPROTO);
    assert_int_equal(found, 2);
    assert_int_not_equal(sqlite3_exec(db, "SELECT z FROM b", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT y FROM a WHERE y = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int coverage_of(void *ctx, const struct store_coverage *row)
{
    if (strcmp(row->name, "store_dropped_rows") == 0)
        *(uint64_t *) ctx += row->n;
    return 0;
}

static void test_a_full_queue_drops_the_oldest_rows_and_says_how_many(void **state)
{
    struct place *place = *state;
    const struct store_limits limits = {.queue_bytes = 4096};
    struct store *store = open_store(place->directory, STORE_WRITE, &limits);
    uint64_t dropped = 0;
    struct seen seen;
    int full = 0;

    for (int i = 1; i <= 200; i++) {
        struct event event = request(t0 + i, i, 1, "/some/path/that/takes/space");
        full += store_append(store, &event) == -ENOBUFS;
    }
    assert_true(full > 0);
    read_all(store, &(struct store_query){0}, &seen);
    assert_int_equal(seen.ts_us, t0 + 200);
    assert_int_equal(store_each_coverage(store, NULL, coverage_of, &dropped), 0);
    assert_int_equal(seen.count + (int) dropped, 200);
    store_free(store);
}

static void test_a_locked_store_keeps_the_rows_until_the_lock_goes(void **state)
{
    struct place *place = *state;
    const struct store_limits limits = {.busy_timeout_ms = 10};
    struct store *store = open_store(place->directory, STORE_WRITE, &limits);
    struct event event = request(t0, 1, 1, "/");
    struct seen seen;
    char path[128];
    sqlite3 *other;

    snprintf(path, sizeof path, "%s/fpmscope.db", place->directory);
    sqlite3_open(path, &other);
    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    store_append(store, &event);
    assert_int_equal(store_flush(store), -EAGAIN);
    assert_int_equal(store_pending_rows(store), 1);
    assert_non_null(strstr(store_problem(store), "locked"));
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    read_all(store, &(struct store_query){0}, &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(store_problem(store), "");
    store_free(store);
}

static void test_a_full_disk_loses_nothing_committed_and_recovers(void **state)
{
    struct place *place = *state;
    char ballast[128];
    struct seen seen;
    int r = 0, kept;

    if (geteuid() != 0 || mount("none", place->directory, "tmpfs", 0, "size=2m") != 0) {
        print_message("skipped: mounting a small tmpfs needs root\n");
        return;
    }
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    for (kept = 0; kept < 10; kept++) {
        struct event event = request(t0 + kept, 1, kept, "/kept");
        store_append(store, &event);
    }
    assert_int_equal(store_flush(store), 0);
    snprintf(ballast, sizeof ballast, "%s/ballast", place->directory);
    FILE *file = fopen(ballast, "w");
    while (fputs("0123456789012345678901234567890123456789", file) >= 0 && fflush(file) == 0)
        ;
    for (int i = 0; i < 5000 && r == 0; i++) {
        struct event event = request(t0 + 100 + i, 2, i, "/later");
        store_append(store, &event);
        if (i % 500 == 499)
            r = store_flush(store);
    }
    assert_int_equal(r, -ENOSPC);
    assert_non_null(strstr(store_problem(store), "full"));
    size_t waiting = store_pending_rows(store);
    fclose(file);
    unlink(ballast);
    assert_int_equal(store_flush(store), 0);
    read_all(store, &(struct store_query){.kinds = STORE_KIND(req)}, &seen);
    assert_true(waiting > 0 && seen.count >= kept + (int) waiting);
    struct store_message message;
    assert_int_equal(store_check(store, &message), 0);
    store_free(store);
    umount(place->directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_flushed_survives_kill_9_and_what_was_not_is_lost),
        TEST(test_damage_behind_a_writers_back_is_seen_by_a_fresh_look),
        TEST(test_two_collectors_do_not_share_a_directory),
        TEST(test_a_store_of_a_newer_program_is_refused_and_left_alone),
        TEST(test_a_database_of_somebody_else_and_rubbish_are_refused),
        TEST(test_reading_where_nothing_was_written_says_so_and_makes_nothing),
        TEST(test_an_older_schema_is_migrated_step_by_step_or_not_at_all),
        TEST(test_a_full_queue_drops_the_oldest_rows_and_says_how_many),
        TEST(test_a_locked_store_keeps_the_rows_until_the_lock_goes),
        TEST(test_a_full_disk_loses_nothing_committed_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

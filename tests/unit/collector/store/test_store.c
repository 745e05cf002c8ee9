/* test_store.c - what goes into the store comes out: in order, once, after a crash, a full queue,
 * a newer schema and a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/schema.h"
#include "store/store.h"

#define HAS(key) (UINT64_C(1) << EVENT_HAS_##key)

static const int64_t t0 = INT64_C(1795325922000000);
static const int64_t day_us = INT64_C(86400) * 1000000;

struct place {
    char directory[64];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->directory, sizeof place->directory, "/tmp/fpmscope-store.XXXXXX");
    *state = place;
    return mkdtemp(place->directory) ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", place->directory);
    int r = system(command);
    free(place);
    return r;
}

static struct store *open_store(const char *directory, unsigned flags,
                                const struct store_limits *limits)
{
    struct store_message message;
    struct store *store = NULL;
    int r = store_open(directory, flags, limits, &store, &message);

    if (r < 0)
        print_error("%s\n", message.text);
    assert_int_equal(r, 0);
    return store;
}

static struct event request(int64_t ts_us, int64_t pid, int64_t seq, const char *uri)
{
    return (struct event){
        .kind = EVENT_req,
        .has = HAS(ts_us) | HAS(pid) | HAS(seq) | HAS(uri) | HAS(live0_bytes),
        .ts_us = ts_us,
        .pid = pid,
        .seq = seq,
        .uri = slice_of(uri),
        .live0_bytes = -5,
    };
}

static struct event simple(enum event_kind kind, int64_t ts_us, int64_t pid)
{
    return (struct event){.kind = kind, .has = HAS(ts_us) | HAS(pid), .ts_us = ts_us, .pid = pid};
}

/* What a walk saw, as text: "req:1 end:2 ...". */
struct seen {
    char text[4096];
    size_t len;
    int count;
    uint64_t has;
    int64_t live0_bytes, ts_us;
    char uri[64];
};

static int note(void *ctx, const struct event *event)
{
    static const char *const names[] = {
#define EVENT_KIND(name, doc) #name,
#include "model/events.def"
    };
    struct seen *seen = ctx;
    int64_t number = event->kind == EVENT_stk || event->kind == EVENT_smp ? event->id : event->pid;

    seen->count++;
    if (seen->len < sizeof seen->text - 32)
        seen->len += (size_t) snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                       "%s:%lld ", names[event->kind], (long long) number);
    seen->has = event->has;
    seen->live0_bytes = event->live0_bytes;
    seen->ts_us = event->ts_us;
    snprintf(seen->uri, sizeof seen->uri, "%.*s", (int) event->uri.len_bytes,
             event->uri.len_bytes > 0 ? event->uri.ptr : "");
    return 0;
}

static void read_all(struct store *store, const struct store_query *query, struct seen *seen)
{
    *seen = (struct seen){0};
    assert_int_equal(store_each_event(store, query, note, seen), 0);
}

static void test_events_of_several_kinds_come_back_in_the_order_of_their_times(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    struct event late = request(t0 + 30, 3, 1, "/c?x=\xff"), early = request(t0 + 10, 1, 1, "/a");
    struct event death = simple(EVENT_end, t0 + 20, 2);
    struct seen seen;

    assert_int_equal(store_append(store, &late), 0);
    assert_int_equal(store_append(store, &death), 0);
    assert_int_equal(store_append(store, &early), 0);
    read_all(store, &(struct store_query){0}, &seen);
    assert_string_equal(seen.text, "req:1 end:2 req:3 ");
    assert_int_equal(seen.has, late.has);
    assert_int_equal(seen.live0_bytes, -5);
    assert_int_equal(seen.ts_us, t0 + 30);
    assert_string_equal(seen.uri, "/c?x=\xff");
    store_free(store);
}

static void test_events_of_one_microsecond_keep_the_order_of_their_arrival(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    char want[4096] = "";
    struct seen seen;

    for (int i = 0; i < 100; i++) {
        struct event event = i % 2 ? request(t0, i, 1, "/") : simple(EVENT_end, t0, i);

        store_append(store, &event);
        if (i % 7 == 0)
            store_flush(store);
        snprintf(want + strlen(want), sizeof want - strlen(want), "%s:%d ", i % 2 ? "req" : "end",
                 i);
    }
    read_all(store, &(struct store_query){0}, &seen);
    assert_string_equal(seen.text, want);
    store_free(store);
}

static void test_thousands_of_rows_of_one_microsecond_are_all_kept_in_order(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    struct seen seen;

    for (int i = 0; i < 10000; i++) {
        struct event event = request(t0 + i / 5000 % 2, 1, i, "/");
        store_append(store, &event);
    }
    for (int i = 0; i < 100; i++) { /* the same times again, taken by others */
        struct event event = request(t0 + i % 2, 2, i, "/");
        store_append(store, &event);
    }
    read_all(store, &(struct store_query){0}, &seen);
    assert_int_equal(seen.count, 10100);
    store_free(store);
}

static void test_a_query_gives_its_period_and_its_kinds_only(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    struct seen seen;

    for (int i = 0; i < 10; i++) {
        struct event event = i % 2 ? request(t0 + i, i, 1, "/") : simple(EVENT_end, t0 + i, i);
        store_append(store, &event);
    }
    read_all(store,
             &(struct store_query){.from_us = t0 + 3, .to_us = t0 + 7, .kinds = STORE_KIND(req)},
             &seen);
    assert_string_equal(seen.text, "req:3 req:5 req:7 ");
    store_free(store);
}

static void test_a_stack_comes_before_its_first_use_and_once(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    const struct event_list native = {.count = 2, .items = {SLICE("leaf\nx"), SLICE("root")}};
    const struct event_list none = {0};
    const struct event stack = {.kind = EVENT_stk,
                                .has = HAS(id) | HAS(nat) | HAS(php) | HAS(mod),
                                .id = 77,
                                .mod = SLICE("libxml2.so.2"),
                                .nat = &native,
                                .php = &none};
    struct event over = request(t0, 5, 1, "/");
    struct event sample = {.kind = EVENT_smp, .has = HAS(id) | HAS(stk), .id = 1, .stk = 77};
    struct event found;
    struct seen seen;

    store_append(store, &over);
    for (int i = 0; i < 3; i++) {
        store_append(store, &stack);
        sample.id = i + 1;
        store_append(store, &sample);
    }
    read_all(store, &(struct store_query){0}, &seen);
    assert_string_equal(seen.text, "req:5 stk:77 smp:1 smp:2 smp:3 ");
    assert_int_equal(store_stack(store, 77, &found), 0);
    assert_int_equal(found.nat->count, 2);
    assert_true(slice_equal(found.nat->items[0], SLICE("leaf x")));
    assert_int_equal(found.php->count, 0);
    assert_int_equal(store_stack(store, 78, &found), -ENOENT);
    read_all(store, &(struct store_query){.kinds = STORE_KIND(smp)}, &seen);
    assert_string_equal(seen.text, "smp:1 smp:2 smp:3 ");
    store_free(store);
}

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

static void test_a_key_that_a_table_never_had_gets_its_column(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    struct event event = simple(EVENT_end, t0, 4);
    struct seen seen;

    store_append(store, &event);
    store_flush(store);
    event.has |= HAS(rss_kib) | HAS(crash_ip) | HAS(start_ticks);
    event.ts_us++;
    event.crash_ip = UINT64_MAX;
    store_append(store, &event);
    read_all(store, &(struct store_query){0}, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.has, event.has);
    store_free(store);
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

static void test_retention_cuts_what_is_older_than_the_limit(void **state)
{
    struct place *place = *state;
    const struct store_limits limits = {.max_age_us = 2 * day_us};
    struct store *store = open_store(place->directory, STORE_WRITE, &limits);
    struct seen seen;

    for (int day = 0; day < 5; day++) {
        struct event event = request(t0 + day * day_us, day, 1, "/");
        store_append(store, &event);
    }
    while (store_retain(store, t0 + 4 * day_us) > 0)
        ;
    read_all(store, &(struct store_query){0}, &seen);
    assert_string_equal(seen.text, "req:2 req:3 req:4 ");
    store_free(store);
}

static void test_retention_keeps_the_file_below_its_size_and_the_newest_rows(void **state)
{
    struct place *place = *state;
    const struct store_limits limits = {.max_bytes = 1 << 20};
    struct store *store = open_store(place->directory, STORE_WRITE, &limits);
    struct store_info info;
    struct seen seen;
    int rounds = 0;

    for (int i = 0; i < 30000; i++) {
        struct event event =
            request(t0 + i, i, 1, "/a/rather/long/path/that/makes/the/file/grow/soon");
        store_append(store, &event);
    }
    assert_int_equal(store_flush(store), 0);
    while (store_retain(store, t0 + 30000) > 0)
        assert_true(++rounds < 1000);
    while (store_retain(store, t0 + 30000) == 0 && ++rounds < 10)
        ;
    assert_int_equal(store_inspect(store, &info), 0);
    assert_true(info.bytes <= limits.max_bytes);
    read_all(store, &(struct store_query){.kinds = STORE_KIND(req)}, &seen);
    assert_int_equal(seen.ts_us, t0 + 29999);
    assert_true(seen.count > 3000);
    store_free(store);
}

static void test_a_stack_is_cut_when_nothing_has_used_it_for_the_limit(void **state)
{
    struct place *place = *state;
    const struct store_limits limits = {.max_age_us = 2 * day_us};
    struct store *store = open_store(place->directory, STORE_WRITE, &limits);
    struct event stack = {.kind = EVENT_stk, .has = HAS(id) | HAS(mod) | HAS(ts_us), .ts_us = t0};
    struct event use = {.kind = EVENT_gro, .has = HAS(stk) | HAS(ts_us), .stk = 2};
    struct event found;

    for (stack.id = 1; stack.id <= 2; stack.id++)
        store_append(store, &stack);
    use.ts_us = t0 + 9 * day_us;
    store_append(store, &use);
    while (store_retain(store, t0 + 10 * day_us) > 0)
        ;
    assert_int_equal(store_stack(store, 1, &found), -ENOENT);
    assert_int_equal(store_stack(store, 2, &found), 0);
    store_free(store);
}

static int count_line(void *ctx, const struct store_log_line *line)
{
    assert_true(slice_equal(line->line, SLICE("a line\0with NUL")));
    assert_int_equal(line->offset_bytes, 40);
    assert_int_equal(line->uri_hash, 77);
    ++*(int *) ctx;
    return 0;
}

static void test_log_lines_and_bookmarks_are_kept_together(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    int lines = 0;

    int file = store_log_file(store, "/var/log/nginx/error.log");
    assert_true(file > 0);
    assert_int_equal(store_log_file(store, "/var/log/nginx/error.log"), file);
    assert_int_not_equal(store_log_file(store, "/var/log/nginx/access.log"), file);
    assert_null(store_log_bookmark(store, file));
    assert_null(store_log_format(store, file));
    store_set_log_format(store, file, "$status 'x'");
    store_append_log(store, &(struct store_log_line){.time_us = t0,
                                                     .file = file,
                                                     .format = 3,
                                                     .offset_bytes = 40,
                                                     .line = SLICE("a line\0with NUL"),
                                                     .uri_hash = 77});
    store_set_log_bookmark(store, file, "1:2:55");
    store_free(store);
    store = open_store(place->directory, STORE_WRITE, NULL);
    assert_int_equal(store_log_file(store, "/var/log/nginx/error.log"), file);
    assert_string_equal(store_log_bookmark(store, file), "1:2:55");
    assert_string_equal(store_log_format(store, file), "$status 'x'");
    assert_string_equal(store_log_path(store, file), "/var/log/nginx/error.log");
    assert_int_equal(store_each_log(store, NULL, count_line, &lines), 0);
    assert_int_equal(lines, 1);
    store_free(store);
}

static int sum_notes(void *ctx, const struct store_coverage *row)
{
    assert_string_equal(row->name, "note");
    assert_string_equal(row->detail, "no layout for 8.9");
    *(uint64_t *) ctx += row->n;
    return 0;
}

static void test_coverage_adds_up_across_flushes_and_facts_are_replaced(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(place->directory, STORE_WRITE, NULL);
    uint64_t sum = 0;
    char value[16];

    for (int i = 0; i < 3; i++) {
        store_add_coverage(store, "note", SLICE("no layout for 8.9"), 2);
        store_put_fact(store, "collector_pid", slice_of(i == 2 ? "3" : "1"));
        assert_int_equal(store_flush(store), 0);
    }
    assert_int_equal(store_each_coverage(store, NULL, sum_notes, &sum), 0);
    assert_int_equal(sum, 6);
    assert_true(store_fact(store, "collector_pid", value, sizeof value));
    assert_string_equal(value, "3");
    assert_false(store_fact(store, "other", value, sizeof value));
    store_free(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_events_of_several_kinds_come_back_in_the_order_of_their_times),
        TEST(test_events_of_one_microsecond_keep_the_order_of_their_arrival),
        TEST(test_thousands_of_rows_of_one_microsecond_are_all_kept_in_order),
        TEST(test_a_query_gives_its_period_and_its_kinds_only),
        TEST(test_a_stack_comes_before_its_first_use_and_once),
        TEST(test_what_was_flushed_survives_kill_9_and_what_was_not_is_lost),
        TEST(test_two_collectors_do_not_share_a_directory),
        TEST(test_a_store_of_a_newer_program_is_refused_and_left_alone),
        TEST(test_a_database_of_somebody_else_and_rubbish_are_refused),
        TEST(test_reading_where_nothing_was_written_says_so_and_makes_nothing),
        TEST(test_an_older_schema_is_migrated_step_by_step_or_not_at_all),
        TEST(test_a_key_that_a_table_never_had_gets_its_column),
        TEST(test_a_full_queue_drops_the_oldest_rows_and_says_how_many),
        TEST(test_a_locked_store_keeps_the_rows_until_the_lock_goes),
        TEST(test_a_full_disk_loses_nothing_committed_and_recovers),
        TEST(test_retention_cuts_what_is_older_than_the_limit),
        TEST(test_retention_keeps_the_file_below_its_size_and_the_newest_rows),
        TEST(test_a_stack_is_cut_when_nothing_has_used_it_for_the_limit),
        TEST(test_log_lines_and_bookmarks_are_kept_together),
        TEST(test_coverage_adds_up_across_flushes_and_facts_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_store_events.c - what goes into the store comes out: in order, once, whole. */
#include "store_place.h"

#include <errno.h>

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
    const struct CMUnitTest tests[] = {
        TEST(test_events_of_several_kinds_come_back_in_the_order_of_their_times),
        TEST(test_events_of_one_microsecond_keep_the_order_of_their_arrival),
        TEST(test_thousands_of_rows_of_one_microsecond_are_all_kept_in_order),
        TEST(test_a_query_gives_its_period_and_its_kinds_only),
        TEST(test_a_stack_comes_before_its_first_use_and_once),
        TEST(test_a_key_that_a_table_never_had_gets_its_column),
        TEST(test_log_lines_and_bookmarks_are_kept_together),
        TEST(test_coverage_adds_up_across_flushes_and_facts_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

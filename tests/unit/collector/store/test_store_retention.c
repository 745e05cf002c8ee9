/* test_store_retention.c - what is cut when the store is too old or too large. */
#include "store_place.h"

#include <errno.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_retention_cuts_what_is_older_than_the_limit),
        TEST(test_retention_keeps_the_file_below_its_size_and_the_newest_rows),
        TEST(test_a_stack_is_cut_when_nothing_has_used_it_for_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

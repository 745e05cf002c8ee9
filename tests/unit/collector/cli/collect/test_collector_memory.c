/* test_collector_memory.c - the collector stores who holds memory when it changes, not always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/collect/collector_memory.h"

#define SECOND INT64_C(1000000)

static struct memory_holders holding(const char *name, int64_t mib)
{
    struct memory_holders holders = {0};

    memory_holders_add(&holders, slice_of(name), 1, mib * 1024);
    return holders;
}

static void test_a_change_of_an_eighth_a_new_name_or_a_minute_is_news(void **state)
{
    const struct collector_memory memory = {.stored = holding("mysqld", 1000),
                                            .stored_us = 100 * SECOND};
    const struct memory_holders same = holding("mysqld", 1050), more = holding("mysqld", 1300),
                                other = holding("import", 900), small = holding("cron", 3);

    (void) state;
    assert_false(collector_memory_is_news(&memory, &same, 110 * SECOND));
    assert_true(collector_memory_is_news(&memory, &more, 110 * SECOND));
    assert_true(collector_memory_is_news(&memory, &other, 110 * SECOND));
    assert_false(collector_memory_is_news(&memory, &small, 110 * SECOND));
    assert_true(collector_memory_is_news(&memory, &same, 160 * SECOND));
}

struct found {
    size_t holders;
    int64_t available_kib, largest_kib;
};

static int on_event(void *ctx, const struct event *event)
{
    struct found *found = ctx;

    assert_false(event_has(event, EVENT_HAS_pid));
    if (slice_equal(event->name, SLICE("(available)")))
        found->available_kib = event->rss_kib;
    else
        found->holders++;
    if (event->rss_kib > found->largest_kib && event->count > 0)
        found->largest_kib = event->rss_kib;
    return 0;
}

static void test_this_host_is_looked_at_and_stored(void **state)
{
    char directory[] = "/tmp/fpmscope-memory-XXXXXX", command[64];
    const struct store_query query = {.kinds = STORE_KIND(rss)};
    struct collector_memory memory = {.stored_us = 0};
    struct store_message message;
    struct store *store;
    struct found found = {0};

    (void) state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(store_open(directory, STORE_WRITE, NULL, &store, &message), 0);
    collector_memory_look(&memory, store, 1795325900 * SECOND);
    collector_memory_look(&memory, store, 1795325901 * SECOND);
    assert_int_equal(store_flush(store), 0);
    assert_int_equal(store_each_event(store, &query, on_event, &found), 0);
    assert_in_range(found.holders, 1, 12);
    assert_true(found.available_kib > 0);
    assert_true(found.largest_kib > 0);
    store_free(store);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_of_an_eighth_a_new_name_or_a_minute_is_news),
        cmocka_unit_test(test_this_host_is_looked_at_and_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

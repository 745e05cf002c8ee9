/* test_memory_parts.c - what a worker's memory is made of, and when its allocator keeps too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analyze/summary/memory_parts.h"
#include "analyze/summary/summary.h"
#include "model/event_set.h"

enum { MIB_KIB = 1024 };

static struct event rss_event(int64_t pid, int64_t anon_mib, int64_t live_mib)
{
    struct event event = {.kind = EVENT_rss};

    event_set_ts_us(&event, 1000000);
    event_set_pid(&event, pid);
    event_set_rss_kib(&event, (anon_mib + 12) * MIB_KIB);
    event_set_anon_kib(&event, anon_mib * MIB_KIB);
    event_set_live1_bytes(&event, live_mib * MIB_KIB * 1024);
    event_set_mmap1_kib(&event, 2 * MIB_KIB);
    return event;
}

static struct event measured(struct event event, int64_t trim_mib, int64_t holes_mib)
{
    event_set_trim_kib(&event, trim_mib * MIB_KIB);
    event_set_holes_kib(&event, holes_mib * MIB_KIB);
    return event;
}

static struct memory_seen seen_after(const struct event *events, size_t count)
{
    struct memory_seen seen = {0};

    for (size_t i = 0; i < count; i++)
        memory_seen_feed(&seen, &events[i]);
    return seen;
}

static void test_the_parts_add_up_to_the_resident_size(void **state)
{
    const struct event event = measured(rss_event(1, 40, 5), 20, 3);
    const struct memory_seen seen = seen_after(&event, 1);
    const struct memory_parts parts = memory_parts_of(&seen);
    int64_t sum = 0;

    (void) state;
#define MEMORY_PART(field, words) sum += parts.field##_bytes;
#include "analyze/summary/memory_parts.def"
    assert_int_equal(sum, seen.rss_kib * 1024);
    assert_int_equal(parts.trim_bytes, 20 << 20);
    assert_int_equal(parts.live_bytes, 5 << 20);
    assert_int_equal(parts.shared_bytes, 12 << 20);
    assert_int_equal(parts.other_bytes, 10 << 20);
}

static void test_a_mapping_that_nobody_touched_explains_no_more_than_there_is(void **state)
{
    struct event event = rss_event(1, 10, 4);
    struct memory_seen seen;
    struct memory_parts parts;

    (void) state;
    event_set_mmap1_kib(&event, 500 * MIB_KIB);
    seen = seen_after(&event, 1);
    parts = memory_parts_of(&seen);
    assert_int_equal(parts.live_bytes, 4 << 20);
    assert_int_equal(parts.mapped_bytes, 6 << 20);
    assert_int_equal(parts.other_bytes, 0);
}

static void test_it_is_fragmentation_when_two_looks_say_so(void **state)
{
    const struct event looks[] = {measured(rss_event(1, 40, 5), 20, 3),
                                  measured(rss_event(1, 41, 5), 21, 3)};
    struct memory_seen once = seen_after(looks, 1), twice = seen_after(looks, 2);

    (void) state;
    assert_false(memory_is_fragmented(&once));
    assert_true(memory_is_fragmented(&twice));
}

static void test_a_look_between_that_found_nothing_starts_anew(void **state)
{
    const struct event looks[] = {measured(rss_event(1, 40, 5), 20, 3),
                                  measured(rss_event(1, 20, 5), 1, 2),
                                  measured(rss_event(1, 40, 5), 20, 3)};
    struct memory_seen seen = seen_after(looks, 3);

    (void) state;
    assert_false(memory_is_fragmented(&seen));
}

/* Little of it, or little beside what lives: not worth a word. */
static void test_what_is_kept_must_be_much(void **state)
{
    const struct event small[] = {measured(rss_event(1, 20, 5), 6, 1),
                                  measured(rss_event(1, 20, 5), 6, 1)};
    const struct event leak[] = {measured(rss_event(1, 400, 380), 9, 2),
                                 measured(rss_event(1, 500, 480), 9, 2)};
    struct memory_seen seen_small = seen_after(small, 2), seen_leak = seen_after(leak, 2);

    (void) state;
    assert_false(memory_is_fragmented(&seen_small));
    assert_false(memory_is_fragmented(&seen_leak));
}

static void test_events_without_parts_leave_what_was_known(void **state)
{
    struct event plain = {.kind = EVENT_rss};
    struct memory_seen seen = {0};

    (void) state;
    event_set_rss_kib(&plain, 5);
    memory_seen_feed(&seen, &plain);
    assert_int_equal(seen.at_us, 0);
}

static void test_hostile_numbers_give_no_negative_parts(void **state)
{
    struct event event = measured(rss_event(1, 10, 4), 0, 0);
    struct memory_seen seen;
    struct memory_parts parts;

    (void) state;
    event_set_live1_bytes(&event, -5);
    event_set_trim_kib(&event, INT64_MIN);
    event_set_holes_kib(&event, INT64_MAX);
    event_set_anon_kib(&event, INT64_MAX);
    seen = seen_after(&event, 1);
    parts = memory_parts_of(&seen);
#define MEMORY_PART(field, words) assert_true(parts.field##_bytes >= 0);
#include "analyze/summary/memory_parts.def"
}

static void feed(struct summary *summary, const struct event *event, int64_t pid, const char *pool)
{
    struct event copy = *event;

    event_set_pid(&copy, pid);
    event_set_pool(&copy, slice_of(pool));
    summary_add_event(summary, &copy);
}

static void test_a_pool_is_shown_by_its_most_telling_worker(void **state)
{
    struct summary *summary = summary_new(&(struct summary_options){0});
    const struct event large = rss_event(1, 200, 180), holed = measured(rss_event(2, 60, 5), 30, 5),
                       less_holed = measured(rss_event(3, 60, 5), 20, 5),
                       other = rss_event(4, 20, 10);
    const struct summary_result *result;

    (void) state;
    assert_non_null(summary);
    feed(summary, &large, 1, "www");
    for (int look = 0; look < 2; look++) {
        feed(summary, &holed, 2, "www");
        feed(summary, &less_holed, 3, "www");
    }
    feed(summary, &other, 4, "api");
    result = summary_finish(summary);
    assert_int_equal(result->memory_count, 2);
    assert_int_equal(result->memory[0].pid, 2);
    assert_true(result->memory[0].fragmented);
    assert_int_equal(result->memory[0].workers, 3);
    assert_int_equal(result->memory[0].fragmented_workers, 2);
    assert_int_equal(result->memory[0].pool_trim_bytes, 50 << 20);
    assert_int_equal(result->memory[1].pid, 4);
    assert_false(result->memory[1].fragmented);
    summary_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_parts_add_up_to_the_resident_size),
        cmocka_unit_test(test_a_mapping_that_nobody_touched_explains_no_more_than_there_is),
        cmocka_unit_test(test_it_is_fragmentation_when_two_looks_say_so),
        cmocka_unit_test(test_a_look_between_that_found_nothing_starts_anew),
        cmocka_unit_test(test_what_is_kept_must_be_much),
        cmocka_unit_test(test_events_without_parts_leave_what_was_known),
        cmocka_unit_test(test_hostile_numbers_give_no_negative_parts),
        cmocka_unit_test(test_a_pool_is_shown_by_its_most_telling_worker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

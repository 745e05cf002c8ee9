/* test_crash_groups.c - which deaths are one group, and since when they happen. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyze/summary/crash_groups.h"
#include "model/event_set.h"

#define SECOND INT64_C(1000000)

static struct summary_crash death_at(int64_t second, const char *route)
{
    return (struct summary_crash){
        .time_us = second * SECOND,
        .signo = SIGSEGV,
        .killer = SLICE("self"),
        .route = slice_of(route),
        .faulting = SLICE("libc.so.6+0x167ad8"),
        .blamed_frame = SLICE("Acme\\Push::send (Push.php:41)"),
    };
}

static struct crash_groups groups_of(const struct summary_crash *crashes, size_t count)
{
    const struct summary_result result = {.crashes = crashes, .crash_count = count};
    struct crash_groups groups;

    assert_int_equal(crash_groups_make(&result, &groups), 0);
    return groups;
}

static void test_the_same_function_under_the_same_frame_is_one_group_over_its_routes(void **state)
{
    struct summary_crash crashes[] = {death_at(1, "/a"), death_at(2, "/b"), death_at(3, "/b")};

    (void) state;
    crashes[2].faulting = SLICE("libc.so.6+0x167b00"); /* elsewhere in the same function */
    struct crash_groups groups = groups_of(crashes, 3);

    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.items[0].count, 3);
    assert_true(slice_equal(groups.items[0].function, SLICE("libc.so.6")));
    assert_int_equal(groups.items[0].route_count, 2);
    assert_true(slice_equal(groups.items[0].routes[0].route, SLICE("/b")));
    assert_int_equal(groups.items[0].routes[0].count, 2);
    assert_int_equal(groups.items[0].first_us, SECOND);
    assert_int_equal(groups.items[0].last_us, 3 * SECOND);
    crash_groups_release(&groups);
}

static void
test_another_function_frame_or_signal_is_another_group_and_the_largest_is_first(void **state)
{
    struct summary_crash crashes[] = {death_at(1, "/a"), death_at(2, "/a"), death_at(3, "/a"),
                                      death_at(4, "/a"), death_at(5, "/a")};

    (void) state;
    crashes[0].faulting = SLICE("imagick.so+0x10");
    crashes[1].blamed_frame = SLICE("Other::call (Other.php:1)");
    crashes[2].signo = SIGABRT;
    struct crash_groups groups = groups_of(crashes, 5);

    assert_int_equal(groups.count, 4);
    assert_int_equal(groups.items[0].count, 2);
    assert_int_equal(groups.items[0].first_us, 4 * SECOND);
    crash_groups_release(&groups);
}

static void test_without_a_blamed_frame_the_innermost_written_function_is_the_frame(void **state)
{
    struct summary_crash crash = death_at(1, "/a");

    (void) state;
    crash.blamed_frame = SLICE("");
    crash.php_stack = (struct summary_frames){
        {SLICE("memset"), SLICE("old_bug (index.php:2)"), SLICE("{main} (index.php:5)")}, 3};
    struct crash_groups groups = groups_of(&crash, 1);

    assert_true(slice_equal(groups.items[0].frame, SLICE("old_bug (index.php:2)")));
    crash_groups_release(&groups);
}

static void test_workers_that_could_not_speak_are_grouped_by_route(void **state)
{
    struct summary_crash crashes[] = {death_at(1, "/a"), death_at(2, "/b"), death_at(3, "/a")};

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        crashes[i].signo = SIGKILL;
        crashes[i].killer = SLICE("outside");
        crashes[i].faulting = crashes[i].blamed_frame = SLICE("");
    }
    struct crash_groups groups = groups_of(crashes, 3);

    assert_int_equal(groups.count, 2);
    assert_true(slice_equal(groups.items[0].example->route, SLICE("/a")));
    crash_groups_release(&groups);
}

static void test_a_recursion_is_one_group_wherever_its_stack_ended(void **state)
{
    struct summary_crash crashes[] = {death_at(1, "/a"), death_at(2, "/a")};

    (void) state;
    crashes[0].stack_overflow = crashes[1].stack_overflow = true;
    crashes[1].faulting = SLICE("php-fpm8.2+0x99");
    struct crash_groups groups = groups_of(crashes, 2);

    assert_int_equal(groups.count, 1);
    crash_groups_release(&groups);
}

static void test_more_routes_than_there_is_room_for_are_counted(void **state)
{
    static const char *const names[] = {"/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"};
    struct summary_crash crashes[8];

    (void) state;
    for (size_t i = 0; i < 8; i++)
        crashes[i] = death_at(1, names[i]);
    struct crash_groups groups = groups_of(crashes, 8);

    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.items[0].route_count, CRASH_GROUP_ROUTES);
    assert_int_equal(groups.items[0].routes_not_kept, 8 - CRASH_GROUP_ROUTES);
    crash_groups_release(&groups);
}

/* ---- through a summary: since when ----------------------------------------------------------- */

static void add(struct summary *summary, enum event_kind kind, int64_t second, const char *name)
{
    struct event event = {.kind = kind};

    event_set_ts_us(&event, second * SECOND);
    event_set_pid(&event, kind == EVENT_master ? 900 : 7);
    if (kind == EVENT_mark)
        event_set_name(&event, slice_of(name));
    if (kind == EVENT_req || kind == EVENT_beg) {
        event_set_seq(&event, second);
        event_set_uri(&event, slice_of(name));
    }
    if (kind == EVENT_crash) {
        event_set_sig(&event, SIGSEGV);
        event_set_mod(&event, slice_of(name));
    }
    summary_add_event(summary, &event);
}

static void test_a_group_that_began_after_a_mark_and_a_restart_says_so(void **state)
{
    struct summary *summary = summary_new(&(struct summary_options){0});
    struct crash_groups groups;

    (void) state;
    add(summary, EVENT_master, 1, NULL);
    add(summary, EVENT_req, 2, "/a");
    add(summary, EVENT_crash, 3, "old.so+0x1");
    add(summary, EVENT_req, 10, "/a");
    add(summary, EVENT_mark, 11, "release-12");
    add(summary, EVENT_master, 12, NULL);
    add(summary, EVENT_req, 13, "/a");
    add(summary, EVENT_crash, 200, "new.so+0x1");
    add(summary, EVENT_crash, 400, "new.so+0x1");
    add(summary, EVENT_crash, 600, "old.so+0x1");
    assert_int_equal(crash_groups_make(summary_finish(summary), &groups), 0);
    assert_int_equal(groups.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct crash_group *group = &groups.items[i];

        if (slice_equal(group->function, SLICE("old.so"))) {
            assert_null(group->after_mark);
            assert_null(group->after_restart); /* the first start of all: nothing was before */
        } else {
            assert_non_null(group->after_mark);
            assert_true(slice_equal(group->after_mark->name, SLICE("release-12")));
            assert_int_equal(group->after_mark->requests_before, 2);
            assert_int_equal(group->after_restart->time_us, 12 * SECOND);
        }
    }
    crash_groups_release(&groups);
    summary_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_function_under_the_same_frame_is_one_group_over_its_routes),
        cmocka_unit_test(
            test_another_function_frame_or_signal_is_another_group_and_the_largest_is_first),
        cmocka_unit_test(test_without_a_blamed_frame_the_innermost_written_function_is_the_frame),
        cmocka_unit_test(test_workers_that_could_not_speak_are_grouped_by_route),
        cmocka_unit_test(test_a_recursion_is_one_group_wherever_its_stack_ended),
        cmocka_unit_test(test_more_routes_than_there_is_room_for_are_counted),
        cmocka_unit_test(test_a_group_that_began_after_a_mark_and_a_restart_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

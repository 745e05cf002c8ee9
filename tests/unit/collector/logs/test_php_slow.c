/* test_php_slow.c - blocks of php-fpm's slow log. */
#include "log_fixture.h"

#include "logs/records.h"

#define BLOCK                                                                                      \
    "[22-Nov-2026 05:39:31]  [pool www] pid 15378\n"                                               \
    "script_filename = /data/web/pub/index.php\n"                                                  \
    "[0x00007efcb18131a0] usleep() /data/my web/pub/index.php:19"

static void test_a_block_gives_pool_pid_script_and_innermost_frame(void **state)
{
    struct log_fixture *fixture = *state;
    const struct log_php_slow *slow = &fixture->event.slow;

    assert_true(log_fixture_parse(fixture, php_slow_parse, BLOCK));
    assert_slice(slow->pool, "www");
    assert_int_equal(slow->pid, 15378);
    assert_slice(slow->script, "/data/web/pub/index.php");
    assert_slice(slow->function, "usleep()");
    assert_slice(slow->file, "/data/my web/pub/index.php");
    assert_int_equal(slow->line, 19);
    assert_int_equal(fixture->event.time_us, 1795325971000000);
}

static void test_a_head_alone_is_an_event_without_frame(void **state)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, php_slow_parse,
                                  "[22-Nov-2026 05:39:31.5]  [pool www] pid 15378"));
    assert_slice(fixture->event.slow.function, "");
    assert_int_equal(fixture->event.slow.line, -1);
}

static void test_all_frames_are_kept_innermost_first(void **state)
{
    struct log_fixture *fixture = *state;
    const struct log_php_slow *slow = &fixture->event.slow;

    assert_true(log_fixture_parse(fixture, php_slow_parse,
                                  BLOCK "\n[0x00007efcb1813100] push() /srv/Erp/Push.php:41\n"));
    assert_slice(slow->function, "usleep()");
    assert_slice(slow->stack, "[0x00007efcb18131a0] usleep() /data/my web/pub/index.php:19\n"
                              "[0x00007efcb1813100] push() /srv/Erp/Push.php:41\n");
}

static void test_a_block_is_whole_at_the_empty_line_behind_its_frames(void **state)
{
    (void) state;
    assert_true(php_slow_starts(SLICE("[22-Nov-2026 05:39:31]  [pool www] pid 1")));
    assert_false(php_slow_starts(SLICE("[22-Nov-2026 05:39:31] WARNING: [pool www] x")));
    assert_true(php_slow_complete(SLICE(BLOCK "\n")));
    assert_false(php_slow_complete(SLICE(BLOCK)));
    assert_false(php_slow_complete(slice_head(SLICE(BLOCK), 80)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_block_gives_pool_pid_script_and_innermost_frame),
        log_test(test_a_head_alone_is_an_event_without_frame),
        log_test(test_all_frames_are_kept_innermost_first),
        log_test(test_a_block_is_whole_at_the_empty_line_behind_its_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

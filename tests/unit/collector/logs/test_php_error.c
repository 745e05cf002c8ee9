/* test_php_error.c - PHP's error log. */
#include "log_fixture.h"

#include "logs/records.h"

static const struct log_php_error *parse(void **state, const char *record)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, php_error_parse, record));
    return &fixture->event.php;
}

static void test_memory_limit_gives_limit_and_place(void **state)
{
    const struct log_php_error *php = parse(
        state, "[22-Nov-2026 05:39:20 UTC] PHP Fatal error:  Allowed memory size of 50331648 bytes "
               "exhausted (tried to allocate 2097152 bytes) in /data/in x/index.php on line 15");

    assert_slice(php->level, "PHP Fatal error");
    assert_true(php->memory_limit);
    assert_false(php->uncaught);
    assert_int_equal(php->limit_bytes, 50331648);
    assert_slice(php->file, "/data/in x/index.php");
    assert_int_equal(php->line, 15);
    assert_true(((struct log_fixture *) *state)->event.zone_known);
}

static void test_an_uncaught_exception_is_one_record_up_to_thrown_in(void **state)
{
    static const char record[] =
        "[22-Nov-2026 05:40:16 UTC] PHP Fatal error:  Uncaught RuntimeException: no in /a.php:21\n"
        "Stack trace:\n#0 {main}\n  thrown in /a.php on line 21";
    const struct log_php_error *php = parse(state, record);

    assert_true(php->uncaught);
    assert_slice(php->message, "Uncaught RuntimeException: no in /a.php:21");
    assert_slice(php->file, "/a.php");
    assert_int_equal(php->line, 21);
    assert_true(php_error_complete(slice_of(record)));
    assert_false(php_error_complete(slice_head(slice_of(record), 100)));
}

static void test_a_message_without_level_or_place_is_kept(void **state)
{
    const struct log_php_error *php =
        parse(state, "[22-Nov-2026 05:39:20 UTC] something of error_log()");

    assert_slice(php->level, "");
    assert_slice(php->message, "something of error_log()");
    assert_slice(php->file, "");
    assert_int_equal(php->line, -1);
}

static void test_lines_of_other_logs_are_refused(void **state)
{
    assert_false(log_fixture_parse(*state, php_error_parse, ""));
    assert_false(log_fixture_parse(*state, php_error_parse, "Stack trace:"));
    assert_false(
        log_fixture_parse(*state, php_error_parse, "[22-Nov-2026 05:39:31]  [pool www] pid 15378"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_memory_limit_gives_limit_and_place),
        log_test(test_an_uncaught_exception_is_one_record_up_to_thrown_in),
        log_test(test_a_message_without_level_or_place_is_kept),
        log_test(test_lines_of_other_logs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

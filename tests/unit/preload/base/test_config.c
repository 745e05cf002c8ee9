/* test_config.c - settings are copied, bounded and never half believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"

static const char *socket_value, *interval_value, *off_value;

static const char *lookup(const char *variable)
{
    if (strcmp(variable, "FPMSCOPE_SOCKET") == 0)
        return socket_value;
    if (strcmp(variable, "FPMSCOPE_INTERVAL_BYTES") == 0)
        return interval_value;
    return strcmp(variable, "FPMSCOPE_OFF") == 0 ? off_value : NULL;
}

static struct config config;

static int setup(void **state)
{
    (void) state;
    socket_value = interval_value = off_value = NULL;
    memset(&config, 0xa5, sizeof config);
    return 0;
}

static void test_without_variables_defaults_hold(void **state)
{
    (void) state;
    config_read(&config, lookup);
    assert_int_equal(config.off, 0);
    assert_int_equal(config.budget_ppm, 5000);
    assert_string_equal(config.socket, "");
    assert_string_equal(config.request_ids,
                        "REQUEST_ID,HTTP_X_REQUEST_ID,UNIQUE_ID,HTTP_TRACEPARENT");
}

static void test_values_are_copies(void **state)
{
    char value[] = "/tmp/a.sock";

    (void) state;
    socket_value = value;
    config_read(&config, lookup);
    memset(value, 'x', sizeof value - 1); /* php-fpm's process title */
    assert_string_equal(config.socket, "/tmp/a.sock");
}

static void test_a_path_that_does_not_fit_counts_as_not_set(void **state)
{
    char value[200];

    (void) state;
    memset(value, 'p', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    socket_value = value;
    config_read(&config, lookup);
    assert_string_equal(config.socket, "");
}

static void test_numbers_out_of_range_become_the_nearest_limit(void **state)
{
    (void) state;
    interval_value = "99999999999999";
    config_read(&config, lookup);
    assert_int_equal(config.interval_bytes, 1 << 30);
}

static void test_what_is_no_number_is_no_setting(void **state)
{
    static const char *const odd[] = {"", "-1", "1k", "0x10", "99999999999999999999999", " 1"};

    (void) state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        off_value = odd[i];
        config_read(&config, lookup);
        assert_int_equal(config.off, 0);
    }
}

static void test_the_default_socket_follows_the_user(void **state)
{
    (void) state;
    config_read(&config, lookup);
    config_default_socket(&config, 0, "/run/user/0");
    assert_string_equal(config.socket, "/run/fpmscope/collector.sock");
    config_read(&config, lookup);
    config_default_socket(&config, 1000, "/run/user/1000");
    assert_string_equal(config.socket, "/run/user/1000/fpmscope/collector.sock");
    config_read(&config, lookup);
    config_default_socket(&config, 1000, NULL);
    assert_string_equal(config.socket, "");
    socket_value = "/own";
    config_read(&config, lookup);
    config_default_socket(&config, 0, NULL);
    assert_string_equal(config.socket, "/own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_without_variables_defaults_hold, setup),
        cmocka_unit_test_setup(test_values_are_copies, setup),
        cmocka_unit_test_setup(test_a_path_that_does_not_fit_counts_as_not_set, setup),
        cmocka_unit_test_setup(test_numbers_out_of_range_become_the_nearest_limit, setup),
        cmocka_unit_test_setup(test_what_is_no_number_is_no_setting, setup),
        cmocka_unit_test_setup(test_the_default_socket_follows_the_user, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

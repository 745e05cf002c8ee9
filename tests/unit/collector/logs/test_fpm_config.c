/* test_fpm_config.c - pools and logs of php-fpm, from files and from -tt. */
#include <stdio.h>

#include "log_fixture.h"

#include "logs/fpm_config.h"

#define AT "[22-Nov-2026 08:08:59] NOTICE: "

static int setup(void **state)
{
    struct fpm_config *config = malloc(sizeof *config);

    assert_non_null(config);
    fpm_config_init(config);
    *state = config;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void test_what_tt_prints_gives_logs_and_pools(void **state)
{
    struct fpm_config *config = *state;
    const struct fpm_pool *pool;

    fpm_config_parse(
        config,
        SLICE(AT "[global]\n" AT "\tpid = /run/php/php8.2-fpm.pid\n" AT
                 "\terror_log = /var/log/php8.2-fpm.log\n" AT
                 "\temergency_restart_interval = 60s\n" AT "\temergency_restart_threshold = 3\n" AT
                 "\tprocess_control_timeout = 2m\n" AT " \n" AT "[www]\n" AT
                 "\tlisten = /run/php/php8.2-fpm.sock\n" AT "\tlisten.backlog = -1\n" AT
                 "\tpm = dynamic\n" AT "\tpm.max_children = 5\n" AT
                 "\tpm.process_idle_timeout = 10\n" AT "\taccess.log = undefined\n" AT
                 "\tslowlog = /var/log/slow.log\n" AT "\trequest_terminate_timeout = 0s\n" AT
                 "\tclear_env = yes\n" AT "\tphp_admin_value[memory_limit] = 128M\n" AT
                 "configuration file /etc/php/8.2/fpm/php-fpm.conf test is successful\n"));
    assert_string_equal(config->error_log, "/var/log/php8.2-fpm.log");
    assert_int_equal(config->emergency_restart_interval_s, 60);
    assert_int_equal(config->emergency_restart_threshold, 3);
    assert_int_equal(config->process_control_timeout_s, 120);
    assert_int_equal(config->pools_count, 1);
    pool = fpm_config_pool(config, "www");
    assert_non_null(pool);
    assert_string_equal(pool->listen, "/run/php/php8.2-fpm.sock");
    assert_int_equal(pool->listen_backlog, -1);
    assert_int_equal(pool->manager, FPM_DYNAMIC);
    assert_int_equal(pool->max_children, 5);
    assert_int_equal(pool->process_idle_timeout_s, 10);
    assert_string_equal(pool->access_log, "");
    assert_string_equal(pool->slow_log, "/var/log/slow.log");
    assert_int_equal(pool->request_terminate_timeout_s, 0);
    assert_int_equal(pool->request_slowlog_timeout_s, -1);
    assert_int_equal(pool->clear_env, 1);
    assert_int_equal(pool->memory_limit_bytes, 128LL << 20);
    assert_null(fpm_config_pool(config, "global"));
}

static void test_files_are_added_one_after_the_other(void **state)
{
    struct fpm_config *config = *state;

    fpm_config_parse(config, SLICE("; comment\n[global]\nerror_log = \"/var/log/a;b.log\" ; here\n"
                                   "include=/etc/php/8.2/fpm/pool.d/*.conf\n"));
    fpm_config_parse(config, SLICE("[shop]\r\nlisten = 127.0.0.1:9000\r\npm = static\r\n"
                                   "access.log = /var/log/$pool.access.log\r\nclear_env = no\r\n"
                                   ";pm.max_children = 99\r\n[www]\npm = ondemand\n"));
    fpm_config_parse(config, SLICE("[shop]\npm.max_children = 20\nrequest_terminate_timeout=1h\n"));
    assert_string_equal(config->error_log, "/var/log/a;b.log");
    assert_int_equal(config->includes_count, 1);
    assert_string_equal(config->includes[0], "/etc/php/8.2/fpm/pool.d/*.conf");
    assert_int_equal(config->pools_count, 2);
    assert_string_equal(config->pools[0].listen, "127.0.0.1:9000");
    assert_string_equal(config->pools[0].access_log, "/var/log/shop.access.log");
    assert_int_equal(config->pools[0].manager, FPM_STATIC);
    assert_int_equal(config->pools[0].clear_env, 0);
    assert_int_equal(config->pools[0].max_children, 20);
    assert_int_equal(config->pools[0].request_terminate_timeout_s, 3600);
    assert_int_equal(config->pools[1].manager, FPM_ONDEMAND);
}

static void test_values_that_make_no_sense_leave_the_option_unknown(void **state)
{
    struct fpm_config *config = *state;

    fpm_config_parse(config, SLICE("[w]\npm.max_children = many\nrequest_slowlog_timeout = 5x\n"
                                   "pm = sometimes\nphp_value[memory_limit] = -1\n=\n[\n]\nx\n"));
    assert_int_equal(config->pools[0].max_children, -1);
    assert_int_equal(config->pools[0].request_slowlog_timeout_s, -1);
    assert_int_equal(config->pools[0].manager, FPM_MANAGER_UNKNOWN);
    assert_int_equal(config->pools[0].memory_limit_bytes, 0);
}

static void test_texts_and_pools_above_the_ceilings_are_cut_and_counted(void **state)
{
    struct fpm_config *config = *state;
    char text[64 + 2 * FPM_TEXT_BYTES], line[32];

    memset(text, 'x', sizeof text);
    memcpy(text, "[w]\nlisten = ", 13);
    text[sizeof text - 1] = '\0';
    fpm_config_parse(config, slice_of(text));
    assert_int_equal(strlen(config->pools[0].listen), FPM_TEXT_BYTES - 1);
    for (int i = 0; i < FPM_POOLS_MAX + 3; i++) {
        snprintf(line, sizeof line, "[pool%d]\npm = static\n", i);
        fpm_config_parse(config, slice_of(line));
    }
    assert_int_equal(config->pools_count, FPM_POOLS_MAX);
    assert_int_equal(config->skipped, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_tt_prints_gives_logs_and_pools, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_are_added_one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_that_make_no_sense_leave_the_option_unknown,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts_and_pools_above_the_ceilings_are_cut_and_counted,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

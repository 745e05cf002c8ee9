/* test_log_configs.c - the logs that configurations name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "logs/log_configs.h"

static void note(void *ctx, struct slice path, const char *access_format)
{
    strncat(ctx, path.ptr, path.len_bytes);
    if (access_format) {
        strcat(ctx, "=");
        strcat(ctx, access_format);
    }
    strcat(ctx, " ");
}

static void test_nginx_logs_are_found_in_any_block_and_layout(void **state)
{
    char found[512] = "";

    (void) state;
    log_config_nginx(
        SLICE("# configuration file /etc/nginx/nginx.conf:\n"
              "error_log /var/log/nginx/error.log warn;#x\n"
              "http { log_format main '$remote_addr; ' 'access_log /no';\n"
              "  access_log \"/var/log/nginx/a b.log\" main buffer=32k;\n"
              "  server { location / { access_log off; error_log\n /srv/e.log; } }\n"
              "  access_log syslog:server=[::1] combined; access_log /x/$host.log;\n"
              "  error_log stderr; error_log /dev/stderr; proxy_pass access_log;\n"
              "  set $x access_log; access_log logs/relative.log; access_log /last.log;}"),
        note, found);
    assert_string_equal(found, "/var/log/nginx/a b.log=$remote_addr; access_log /no /last.log "
                               "/var/log/nginx/error.log /srv/e.log ");
}

static void test_php_fpm_logs_are_found_and_comments_are_not(void **state)
{
    char found[512] = "";

    (void) state;
    log_config_fpm(SLICE("[global]\n;error_log = /no\nerror_log = /var/log/php8.2-fpm.log\r\n"
                         "[www]\nslowlog = \"/var/log/slow.log\"\nslowlog_x = /no\n"
                         "php_admin_value[error_log] = /var/log/php.log\nerror_log = syslog\n"
                         "access.log = /no\n[b]\nslowlog = /var/log/b.log ; of b\n"
                         "php_value[error_log] = '/var/log/a;b.log' ; quoted\n ;slowlog = /no\n"
                         "error_log"),
                   note, found);
    assert_string_equal(found, "/var/log/php8.2-fpm.log /var/log/slow.log /var/log/php.log "
                               "/var/log/b.log /var/log/a;b.log ");
}

static void test_broken_configurations_end_and_name_nothing(void **state)
{
    static const char *const texts[] = {"access_log",   "access_log '", "access_log \"a\\", "#",
                                        "access_log ;", "{{{}}}",       "error_log \"/x"};
    char found[512] = "";

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        log_config_nginx(slice_of(texts[i]), note, found);
        log_config_fpm(slice_of(texts[i]), note, found);
    }
    assert_string_equal(found, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nginx_logs_are_found_in_any_block_and_layout),
        cmocka_unit_test(test_php_fpm_logs_are_found_and_comments_are_not),
        cmocka_unit_test(test_broken_configurations_end_and_name_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

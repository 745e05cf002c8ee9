/* test_nginx_config.c - the logs of an nginx, out of what `nginx -T` prints. */
#include "log_fixture.h"

#include "logs/access_format.h"
#include "logs/nginx_config.h"
#include "logs/nginx_walk.h"

#define DUMP                                                                                       \
    "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"                           \
    "nginx: configuration file /etc/nginx/nginx.conf test is successful\n"                         \
    "# configuration file /etc/nginx/nginx.conf:\n"                                                \
    "user www-data;\n"                                                                             \
    "error_log /var/log/nginx/error.log warn; # access_log /not/this;\n"                           \
    "http {\n"                                                                                     \
    "    log_format main escape=json '{\"time\":\"$time_iso8601\",'\n"                             \
    "        '\"request\":\"$request\", \"status\":\"$status\"}';\n"                               \
    "    access_log /var/log/nginx/access.log main buffer=32k flush=5s;\n"                         \
    "    include /etc/nginx/sites-enabled/*;\n"                                                    \
    "    include conf.d/none*.conf;\n"                                                             \
    "    include /etc/nginx/gone.conf;\n"                                                          \
    "}\n"                                                                                          \
    "\n"                                                                                           \
    "# configuration file /etc/nginx/sites-enabled/shop:\n"                                        \
    "server {\n"                                                                                   \
    "    listen 443 ssl;\n"                                                                        \
    "    access_log off;\n"                                                                        \
    "    if ($host ~ \"^a{2}$\") { access_log \"/var/log/nginx/a b.log\"; }\n"                     \
    "    access_log /var/log/nginx/$host.log combined gzip if=$loggable;\n"                        \
    "    access_log syslog:server=127.0.0.1 main;\n"                                               \
    "    location ~ \\.php$ {\n"                                                                   \
    "        fastcgi_pass unix:/run/php/fpm.sock;\n"                                               \
    "        include fastcgi_params;\n"                                                            \
    "    }\n"                                                                                      \
    "    location /plain { fastcgi_pass 127.0.0.1:9000; }\n"                                       \
    "    location / {\n"                                                                           \
    "        content_by_lua_block { if x then return \"}\" .. '{' end }\n"                         \
    "        proxy_pass http://127.0.0.1:6081;\n"                                                  \
    "    }\n"                                                                                      \
    "    fastcgi_param REQUEST_ID $request_id;\n"                                                  \
    "}\n"                                                                                          \
    "# configuration file /etc/nginx/fastcgi_params:\n"                                            \
    "fastcgi_param QUERY_STRING $query_string;\n"

static int setup(void **state)
{
    static struct nginx_config config;

    *state = &config;
    return nginx_config_parse(SLICE(DUMP), &config);
}

static int teardown(void **state)
{
    nginx_config_release(*state);
    return 0;
}

static void test_every_access_log_is_found_with_its_format(void **state)
{
    const struct nginx_config *config = *state;
    const struct nginx_access_log *logs = config->access_logs;

    assert_int_equal(config->access_logs_count, 4);
    assert_string_equal(logs[0].path, "/var/log/nginx/access.log");
    assert_string_equal(logs[0].format, "main");
    assert_true(logs[0].buffered);
    assert_false(logs[0].gzip);
    assert_string_equal(logs[1].path, "/var/log/nginx/a b.log");
    assert_string_equal(logs[1].format, "combined");
    assert_string_equal(logs[2].path, "/var/log/nginx/$host.log");
    assert_true(logs[2].is_variable);
    assert_true(logs[2].gzip);
    assert_true(logs[2].conditional);
    assert_true(logs[3].is_syslog);
    assert_false(config->broken);
    assert_int_equal(config->missing_includes, 1);
}

static void test_a_log_format_is_put_together_and_compiles(void **state)
{
    const struct nginx_config *config = *state;
    const char *text = nginx_config_format(config, "main");
    struct access_format format;
    struct access_names names;

    assert_string_equal(text, "escape=json {\"time\":\"$time_iso8601\",\"request\":\"$request\", "
                              "\"status\":\"$status\"}");
    access_names_init(&names);
    assert_null(access_format_compile(&format, &names, text));
    assert_non_null(strstr(nginx_config_format(config, "combined"), "$http_user_agent"));
    assert_null(nginx_config_format(config, "nobody"));
}

static void test_the_error_log_has_its_level(void **state)
{
    const struct nginx_config *config = *state;

    assert_int_equal(config->error_logs_count, 1);
    assert_string_equal(config->error_logs[0].path, "/var/log/nginx/error.log");
    assert_string_equal(config->error_logs[0].level, "warn");
}

static void test_a_request_id_is_hidden_by_the_parameters_of_the_location(void **state)
{
    const struct nginx_config *config = *state;

    assert_int_equal(config->fastcgi_count, 2);
    assert_string_equal(config->fastcgi[0].pass, "unix:/run/php/fpm.sock");
    assert_string_equal(config->fastcgi[0].where, "/etc/nginx/sites-enabled/shop:8");
    assert_false(config->fastcgi[0].has_request_id);
    assert_true(config->fastcgi[0].hides_request_id);
    assert_string_equal(config->fastcgi[1].pass, "127.0.0.1:9000");
    assert_true(config->fastcgi[1].has_request_id);
    assert_false(config->fastcgi[1].hides_request_id);
}

static void test_an_http_hop_is_found_behind_a_lua_block(void **state)
{
    const struct nginx_config *config = *state;

    assert_int_equal(config->proxies_count, 1);
    assert_string_equal(config->proxies[0].pass, "http://127.0.0.1:6081");
}

static void test_one_file_without_headers_is_a_configuration(void **state)
{
    struct nginx_config config;

    (void) state;
    assert_int_equal(
        nginx_config_parse(SLICE("http { access_log /a; }\nerror_log stderr;"), &config), 0);
    assert_int_equal(config.access_logs_count, 1);
    assert_string_equal(config.error_logs[0].level, "error");
    assert_true(config.error_logs[0].is_syslog);
    assert_false(config.broken);
    nginx_config_release(&config);
}

static void test_a_text_that_is_cut_anywhere_is_read_as_far_as_it_goes(void **state)
{
    struct nginx_config config;
    char *copy;

    (void) state;
    for (size_t n = 0; n < sizeof DUMP; n++) {
        copy = malloc(n + 1);
        memcpy(copy, DUMP, n);
        assert_int_equal(nginx_config_parse((struct slice){.ptr = copy, .len_bytes = n}, &config),
                         0);
        nginx_config_release(&config);
        free(copy);
    }
}

static void test_a_file_that_includes_itself_ends(void **state)
{
    struct nginx_config config;

    (void) state;
    assert_int_equal(
        nginx_config_parse(SLICE("# configuration file /a:\ninclude /a;\ninclude /a;\n"), &config),
        0);
    assert_true(config.broken);
    nginx_config_release(&config);
}

static void test_braces_that_do_not_match_are_noticed(void **state)
{
    static const char *const texts[] = {"http {", "}", "a { } }", "{ }", "a { { } }"};
    struct nginx_config config;

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(nginx_config_parse(slice_of(texts[i]), &config), 0);
        assert_true(config.broken);
        nginx_config_release(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_access_log_is_found_with_its_format, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_log_format_is_put_together_and_compiles, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_error_log_has_its_level, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_a_request_id_is_hidden_by_the_parameters_of_the_location, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_http_hop_is_found_behind_a_lua_block, setup,
                                        teardown),
        cmocka_unit_test(test_one_file_without_headers_is_a_configuration),
        cmocka_unit_test(test_a_text_that_is_cut_anywhere_is_read_as_far_as_it_goes),
        cmocka_unit_test(test_a_file_that_includes_itself_ends),
        cmocka_unit_test(test_braces_that_do_not_match_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
